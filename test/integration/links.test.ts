/** One link per pair of neighbors, whoever dials and however often both start anew. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainOf, meshOf, QUICK_LINK, UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { countOf, LiveHerd, waitUntil } from '../support/live-herd.ts'

const settings = { link: QUICK_LINK }

test('five servers that start together have one link per pair', async (t) => {
  const links = meshOf(UCLA)
  const herd = await LiveHerd.start(t, { servers: UCLA, links, settings })
  await herd.linked()
  await oneLinkPerPair(herd, UCLA, links.length)
})

test('servers that are killed and start together, again and again, never keep two links', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS, settings })
  for (let round = 0; round < 3; round++) {
    await herd.linked()
    await oneLinkPerPair(herd, UCLA, UCLA_LINKS.length)
    await Promise.all(['Alford', 'Hamilton', 'Welsh'].map((name) => herd.restart(name)))
  }
  await herd.linked()
  await oneLinkPerPair(herd, UCLA, UCLA_LINKS.length)
  await herd.report('Alford', 'still')
  await herd.agree(UCLA, ['still'])
})

test('a link that nothing disturbs and that has nothing to say stays', async (t) => {
  const servers = ['Alford', 'Ball']
  const herd = await LiveHerd.start(t, { servers, links: chainOf(servers), settings })
  await herd.linked()
  // More than two silences: pings keep it up.
  for (const name of servers) {
    await waitUntil(
      async () => (await herd.status(name)).links.every((link) => link.open && link.forSeconds > 2.5),
      `the link of ${name} has been up for 2.5 s`,
      6000,
    )
  }
})

test('batchBytesMax: what is owed goes out in small pieces, all of it', async (t) => {
  const servers = ['Alford', 'Ball']
  const link = { ...QUICK_LINK, batchBytesMax: 1024 }
  const logs = { level: 'events' }
  const herd = await LiveHerd.start(t, {
    servers,
    links: chainOf(servers),
    settings: { link, logs },
    started: ['Alford'],
  })
  const clients = Array.from({ length: 3000 }, (_, index) => `c${index}`)
  await herd.converse('Alford', clients.map((client) => `IAMAT ${client} +1+1 1479413884\n`).join(''))
  await herd.startServer('Ball')
  await herd.report('Alford', 'meanwhile')
  await waitUntil(async () => (await herd.status('Ball')).clients === 3001, 'Ball knows every client')
  await herd.agree(servers, ['c0', 'c1499', 'c2999', 'meanwhile'])
})

test('a neighbor that reads nothing is owed each client once, and gets the newest', async (t) => {
  const servers = ['Alford', 'Ball']
  // It is not given up meanwhile.
  const link = { ...QUICK_LINK, silenceMsMax: 120_000 }
  const logs = { level: 'events' }
  const herd = await LiveHerd.start(t, { servers, links: chainOf(servers), settings: { link, logs } })
  await herd.linked()
  // Connections that crossed are settled.
  await oneLinkPerPair(herd, servers, 1)
  const lostBefore = await herd.count('Alford', 'linksLost')
  herd.signal('Ball', 'SIGSTOP')
  // Long names, so that little of it fits into the system's own buffers.
  const clients = Array.from({ length: 200 }, (_, index) => `${index}`.padStart(30_000, 'x'))
  const before = await herd.memoryMib('Alford')
  let time = 1_479_413_884
  let queued = 0
  for (let round = 0; queued === 0 && round < 50; round++) {
    time++
    await herd.converse('Alford', clients.map((client) => `IAMAT ${client} +1+1 ${time}\n`).join(''))
    queued = (await herd.status('Alford')).links[0]?.queued ?? 0
  }
  assert.ok(queued > 0)
  await herd.converse('Alford', clients.map((client) => `IAMAT ${client} +1+1 ${++time}\n`).join(''))
  queued = (await herd.status('Alford')).links[0]?.queued ?? 0
  assert.ok(queued <= clients.length, `${queued} are owed`)
  const grownMib = (await herd.memoryMib('Alford')) - before
  assert.ok(grownMib < 128, `${grownMib} MiB`)
  herd.signal('Ball', 'SIGCONT')
  const lines = await herd.agree(servers, clients)
  assert.match(lines.at(-1) ?? '', new RegExp(` [+]1[+]1 ${time}$`))
  assert.equal(await herd.count('Alford', 'linksLost'), lostBefore)
})

/** Of the connections that all servers have accepted, one for each pair is a link; the rest are our questions. */
async function oneLinkPerPair(herd: LiveHerd, servers: readonly string[], pairs: number): Promise<void> {
  let seen = ''
  await waitUntil(
    async () => {
      const statuses = await Promise.all(servers.map((name) => herd.status(name)))
      const accepted = statuses.reduce((sum, status) => sum + status.connections - 1, 0)
      seen = JSON.stringify({ accepted, links: statuses.map(({ server, links }) => ({ server, links })) })
      const isBalanced = statuses.every((status) => {
        const open = countOf(status, 'linksOpened') - countOf(status, 'linksLost')
        return open === status.links.length && status.links.every((link) => link.open)
      })
      return accepted === pairs && isBalanced
    },
    () => `there are ${pairs} links; there is ${seen}`,
  )
}
