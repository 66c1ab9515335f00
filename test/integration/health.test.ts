/** How each server is, as all others hear it: real processes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HerdView } from '../../src/replication/herd-view.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

const SERVERS = ['Alford', 'Ball', 'Hamilton']
const LINKS = [
  ['Alford', 'Ball'],
  ['Ball', 'Hamilton'],
] as const

async function viewOf(herd: LiveHerd, server: string): Promise<HerdView> {
  const { view } = await herd.status(server)
  assert.ok(view !== undefined)
  return view
}

/** Waits until a server's view of the herd is as it should be. */
async function seen(herd: LiveHerd, server: string, isSo: (view: HerdView) => boolean): Promise<HerdView> {
  let view: HerdView = await viewOf(herd, server)
  await waitUntil(
    async () => {
      view = await viewOf(herd, server)
      return isSo(view)
    },
    () => `${server} sees it; it sees ${JSON.stringify(view, null, 1)}`,
  )
  return view
}

test('each server hears how all others are, also those that it has no link with', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS })
  await herd.linked()
  for (const [index, client] of ['kiwi', 'emu', 'rhea'].entries()) {
    await herd.report(SERVERS[index] ?? '', client)
  }
  for (const server of SERVERS) {
    const view = await seen(herd, server, ({ agree, servers }) => {
      return agree === true && servers.every(({ health }) => health?.clients === 3)
    })
    assert.equal(view.server, server)
    assert.deepEqual(
      view.servers.map(({ name, reachable, health }) => [name, reachable, health?.readiness]),
      SERVERS.map((name) => [name, true, 'ready']),
    )
    const ball = view.servers.find(({ name }) => name === 'Ball')?.health
    assert.deepEqual(
      ball?.links.map(({ neighbor, open }) => [neighbor, open]),
      [
        ['Alford', true],
        ['Hamilton', true],
      ],
    )
    assert.equal(new Set(view.servers.map(({ health }) => health?.table)).size, 1)
  }
})

test('a server that is killed is told of no more; when it is back, it is', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS })
  await herd.linked()
  const healthOf = ({ servers }: HerdView) => servers.find(({ name }) => name === 'Hamilton')?.health
  const before = healthOf(await seen(herd, 'Alford', (view) => healthOf(view) !== undefined))
  await herd.kill('Hamilton')
  const gone = await seen(herd, 'Alford', (view) => healthOf(view) === undefined)
  assert.equal(gone.servers.find(({ name }) => name === 'Hamilton')?.reachable, false)
  await seen(herd, 'Alford', ({ agree }) => agree === true)
  await herd.startServer('Hamilton')
  const after = healthOf(await seen(herd, 'Alford', (view) => healthOf(view)?.readiness === 'ready'))
  assert.notEqual(after?.run, before?.run)
})

test('rates are those of the last seconds', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS })
  await herd.linked()
  const client = await herd.connect('Alford')
  let isOver = false
  const reporting = (async () => {
    for (let second = 0; !isOver; second++) {
      assert.match(await client.ask(`IAMAT kiwi +34.068930-118.445127 ${1_479_413_884 + second}`), /^AT/)
    }
  })()
  const busy = await seen(herd, 'Hamilton', ({ servers }) => {
    return servers.every(({ health }) => (health?.fixes_per_s ?? 0) > 0)
  })
  isOver = true
  await reporting
  const accepted = busy.servers.map(({ health }) => (health?.accepted_per_s ?? 0) > 0)
  assert.deepEqual(accepted, [true, false, false], 'only one has clients that report')
  const [toBall] = busy.servers[0]?.health?.links ?? []
  assert.ok(toBall !== undefined && toBall.out_per_s > 0)
  await seen(herd, 'Hamilton', ({ servers }) => servers.every(({ health }) => health?.fixes_per_s === 0))
})
