/** WATCH and UNWATCH: live positions over a connection of lines. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LineClient } from '../support/live-client.ts'
import { LiveCommand } from '../support/live-command.ts'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'

const SERVERS = ['Alford', 'Ball', 'Holiday']

function chain(t: TestContext, settings: object = {}): Promise<LiveHerd> {
  return LiveHerd.start(t, {
    servers: SERVERS,
    links: chainOf(SERVERS),
    settings: { link: QUICK_LINK, ...settings },
  })
}

function alone(t: TestContext, limits: object = {}): Promise<LiveHerd> {
  return LiveHerd.start(t, { servers: ['Alford'], settings: { limits } })
}

test('what is reported anywhere comes to whoever watches it: one client, all, or those in a circle', async (t) => {
  const herd = await chain(t)
  const known = await herd.report('Alford', 'kiwi', '+1+1')
  await herd.agree(SERVERS, ['kiwi'])
  const [one, all, near] = (await Promise.all([1, 2, 3].map(() => herd.connect('Holiday')))) as [
    LineClient,
    LineClient,
    LineClient,
  ]
  assert.equal(await one.ask('WATCH kiwi'), 'WATCH kiwi')
  assert.equal(await one.line(), known)
  assert.equal(await all.ask('WATCH *'), 'WATCH *')
  assert.equal(await all.line(), known)
  assert.equal(await near.ask(' WATCH\t*  5 +2+2\r'), 'WATCH *')
  const emu = await herd.report('Alford', 'emu', '+2+2')
  assert.equal(await near.line(), emu)
  assert.equal(await all.line(), emu)
  const moved = await herd.report('Alford', 'kiwi', '+2.01+2')
  for (const client of [one, all, near]) assert.equal(await client.line(), moved)
  // It leaves: one line more, and then none.
  const left = await herd.report('Alford', 'kiwi', '+3+3')
  const further = await herd.report('Ball', 'kiwi', '+4+4')
  await waitUntil(async () => (await herd.table('Holiday', ['kiwi']))[0] === further, 'Holiday knows')
  const end = await herd.report('Alford', 'end', '+2+2')
  const seen = [await near.line()]
  while (seen.at(-1) !== end) seen.push(await near.line())
  // The two came together, or one after the other: what shows that it left is what it was then.
  assert.ok(seen.length === 2 && (seen[0] === left || seen[0] === further), JSON.stringify(seen))
  assert.equal(
    await one.ask('UNWATCH').then(async (line) => {
      let at = line
      while (at !== 'UNWATCH') at = await one.line()
      return at
    }),
    'UNWATCH',
  )
  await herd.report('Alford', 'kiwi', '+5+5')
  assert.match(await one.ask('WHATSAT nobody 1 1'), /^\? WHATSAT nobody/)
  assert.equal(one.waitingBytes, 0)
})

test('wrong forms are answered with a copy, and a circle is as in WHATSAT', async (t) => {
  const herd = await alone(t)
  const client = await herd.connect('Alford')
  for (const line of [
    'WATCH',
    'WATCH a b',
    'WATCH * 51 +1+1',
    'WATCH * 5 +91+1',
    'WATCH * 5 1+1',
    'WATCH * 5 +1+1 x',
    'UNWATCH *',
    'watch *',
    'unwatch',
  ])
    assert.equal(await client.ask(line), `? ${line}`)
  assert.equal(await client.ask('UNWATCH'), 'UNWATCH')
})

test('the reply to WATCH comes in its turn, and before what is watched', async (t) => {
  const herd = await alone(t)
  const time = timeNow()
  const client = await herd.connect('Alford')
  await client.send(
    `ACK disk\nIAMAT kiwi +34+118 ${time}\nWATCH kiwi\nWHATSAT kiwi 10 5\nWATCH *\nIAMAT emu +1+1 ${time}\n`,
  )
  assert.equal(await client.line(), 'ACK disk')
  const kiwi = await client.line()
  assert.match(kiwi, /^AT Alford \S+ kiwi /)
  assert.equal(await client.line(), 'WATCH kiwi')
  const seen: string[] = []
  while (seen.at(-1) !== 'WATCH *') seen.push(await client.line())
  const json = seen.indexOf('{')
  assert.ok(json > 0)
  assert.equal(seen[json - 1], kiwi)
  // The line that is watched may come before the reply to WHATSAT, never within it.
  const reply = seen.slice(json, seen.indexOf('', json)).join('\n')
  assert.equal(typeof JSON.parse(reply), 'object')
  const rest = [await client.line(), await client.line(), await client.line()]
  assert.equal(rest.filter((line) => / emu /.test(line)).length, 2)
})

test('a client that has closed its side goes on watching, and what it began without an end is answered at once', async (t) => {
  const herd = await alone(t)
  const client = await herd.connect('Alford')
  await client.send('WATCH kiwi\nWATCH emu')
  client.halfClose()
  assert.deepEqual(await client.lines(2), ['WATCH kiwi', '? WATCH emu'])
  assert.equal(await herd.report('Alford', 'kiwi'), await client.line())
  await herd.report('Alford', 'emu')
  assert.equal(await herd.report('Alford', 'kiwi'), await client.line())
  await herd.kill('Alford', 'SIGTERM')
  assert.equal(await client.rest(), '')
})

test('IDs come as they are, also those that are no UTF-8; these can not be watched by name', async (t) => {
  const herd = await alone(t)
  const client = await herd.connect('Alford')
  assert.equal(await client.ask('WATCH *'), 'WATCH *')
  const odd = Buffer.from(`IAMAT k\xffw\x80 +1+1 ${timeNow()}\n`, 'latin1')
  const at = await herd.converse('Alford', odd)
  assert.match(at, /k\xffw\x80/)
  assert.equal(`${await client.line()}\n`, at)
  await client.send(Buffer.from('WATCH k\xffw\x80\n', 'latin1'))
  assert.equal(await client.line(), '? WATCH takes IDs that are UTF-8, or * for all')
})

test('who does not read is told the newest of each when it does, and costs no more meanwhile', async (t) => {
  const herd = await alone(t)
  const [clients, rounds] = [200, 80]
  const ids = Array.from({ length: clients }, (_, number) => `${number}-`.padEnd(2000, 'x'))
  const deaf = await herd.connect('Alford', { deaf: true })
  await deaf.send('WATCH *\n')
  await waitUntil(async () => (await herd.count('Alford', 'watchersRefused')) === 0, 'it is up')
  const reporter = await herd.connect('Alford')
  let last: string[] = []
  let bytes = 0
  for (let round = 0; round < rounds; round++) {
    await reporter.send(ids.map((id) => `IAMAT ${id} +1+1 ${timeNow()}\n`).join(''))
    last = await reporter.lines(clients)
    bytes += last.join('\n').length
  }
  const newest = new Set(last)
  let [text, seen] = ['', 0]
  deaf.socket.on('data', (chunk: Buffer) => {
    seen += chunk.length
    text += chunk.toString('latin1')
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) newest.delete(line)
  })
  deaf.socket.resume()
  await waitUntil(
    () => newest.size === 0,
    () => `the newest of each has come; ${newest.size} have not`,
  )
  // What waited was what the system's buffers hold, and a turn or two: most of it was never written.
  assert.ok(seen < bytes / 2, `${seen} of ${bytes} bytes came`)
  assert.equal(await herd.count('Alford', 'slowReadersDropped'), 0)
})

test('a connection has so many watches, and a server so many who watch', async (t) => {
  const herd = await alone(t, { watchesPerConnectionMax: 2, watchersMax: 3 })
  const first = await herd.connect('Alford')
  assert.equal(await first.ask('WATCH a'), 'WATCH a')
  assert.equal(await first.ask('WATCH b 5 +1+1'), 'WATCH b')
  const full = '? 2 WATCHes on this connection already (limits.watchesPerConnectionMax); UNWATCH ends them'
  assert.equal(await first.ask('WATCH c'), full)
  // The same again is the same one.
  assert.equal(await first.ask('WATCH a'), 'WATCH a')
  const second = await herd.connect('Alford')
  assert.equal(await second.ask('WATCH a'), 'WATCH a')
  assert.equal(await second.ask('WATCH b'), '? 3 watch already (limits.watchersMax)')
  assert.equal(await herd.count('Alford', 'watchersRefused'), 2)
  assert.equal(await first.ask('UNWATCH'), 'UNWATCH')
  assert.equal(await second.ask('WATCH b'), 'WATCH b')
  // One that has only closed its side would go on.
  first.socket.resetAndDestroy()
  second.socket.resetAndDestroy()
  const third = await herd.connect('Alford')
  await waitUntil(
    async () => (await third.ask('WATCH a')) === 'WATCH a' && (await third.ask('WATCH b')) === 'WATCH b',
    'who is gone watches no more',
  )
})

test('many watch, and each is told everything', async (t) => {
  const herd = await alone(t, { connectionsPerAddressMax: 1000 })
  const watchers = await Promise.all(Array.from({ length: 200 }, () => herd.connect('Alford')))
  for (const watcher of watchers) assert.equal(await watcher.ask('WATCH *'), 'WATCH *')
  const told: string[] = []
  for (let number = 0; number < 5; number++) told.push(await herd.report('Alford', `kiwi${number}`))
  for (const watcher of watchers) assert.deepEqual((await watcher.lines(5)).toSorted(), told.toSorted())
})

test('herd watch prints what comes', async (t) => {
  const herd = await alone(t)
  const at = await herd.report('Alford', 'kiwi')
  const server = `127.0.0.1:${herd.port('Alford')}`
  const watch = new LiveCommand(t, herd, ['watch', '--near=+34.07-118.44', '--server', server])
  await watch.printed(/^AT .*\n/)
  assert.equal(watch.output, `${at}\n`)
  const json = new LiveCommand(t, herd, ['send', '--json', server, 'watch', 'kiwi'])
  await json.printed(/"client":"kiwi"/)
  const next = await herd.report('Alford', 'kiwi')
  await waitUntil(
    () => watch.output === `${at}\n${next}\n`,
    () => `both are printed: ${watch.output}`,
  )
  await waitUntil(
    () => json.output.split('\n').length === 3,
    () => `both are printed: ${json.output}`,
  )
  const wrong = await new LiveCommand(t, herd, ['watch', '--near=here', '--server', server]).ended()
  assert.deepEqual([wrong.code, wrong.out], [1, '? WATCH * 10 here\n'])
  await herd.kill('Alford', 'SIGTERM')
  const { code, err } = await watch.ended()
  assert.deepEqual([code, err], [3, `herd: ${server} closed the connection\n`])
})
