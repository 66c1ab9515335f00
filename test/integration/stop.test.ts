/** How a server ends when it is told to: nothing that it has acknowledged is lost, nothing that it has read goes unanswered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveHerd } from '../support/live-herd.ts'

test('a server that stops sends its neighbors what it has just acknowledged', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford', 'Ball'], links: [['Alford', 'Ball']] })
  await herd.linked()
  const clients = Array.from({ length: 2000 }, (_, index) => `client-${index}`)
  const reporter = await herd.connect('Alford')
  await reporter.send(clients.map((client) => `IAMAT ${client} +1+1 1479413884\n`).join(''))
  await reporter.lines(clients.length)
  await herd.kill('Alford', 'SIGTERM')
  const known = await herd.table('Ball', clients)
  assert.deepEqual(
    known.filter((line) => line.startsWith('?')),
    [],
  )
})

test('a server that stops answers what it has read, also what waits for its turn', async (t) => {
  const settings = { limits: { fixesPerSecondPerAddressMax: 50 } }
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings })
  const client = await herd.connect('Alford')
  const lines = 100
  await client.send('IAMAT kiwi +1+1 1479413884\n'.repeat(lines))
  await client.lines(50)
  const stopped = herd.kill('Alford', 'SIGTERM')
  assert.equal((await client.rest()).split('\n').length - 1, lines - 50)
  await stopped
})
