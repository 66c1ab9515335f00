/** Servers that die, freeze or lose each other: the rest answer, and afterwards everybody knows everything. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { askStatus, StatusUnavailable } from '../../src/replication/status-client.ts'
import { chainOf, QUICK_LINK, UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { LiveProxy } from '../support/live-proxy.ts'

const settings = { link: QUICK_LINK }

test('two servers are killed: the others answer, and when they are back they know everything', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS, settings })
  await herd.linked()
  for (const name of UCLA) await herd.report(name, `before-${name}`)
  await herd.agree(
    UCLA,
    UCLA.map((name) => `before-${name}`),
  )

  await Promise.all([herd.kill('Hamilton'), herd.kill('Welsh')])
  // Alford has no neighbor left, Ball and Holiday have each other.
  const left = ['Alford', 'Ball', 'Holiday'] as const
  for (const name of left) await herd.report(name, `meanwhile-${name}`)
  const alone = await herd.connect('Alford')
  assert.match((await alone.whatsat('before-Welsh')).at, /^AT Welsh /)
  await herd.agree(['Ball', 'Holiday'], ['meanwhile-Ball', 'meanwhile-Holiday', 'before-Hamilton'])
  assert.deepEqual(await herd.table('Alford', ['meanwhile-Ball']), ['? WHATSAT meanwhile-Ball 1 0'])

  await Promise.all([herd.startServer('Hamilton'), herd.startServer('Welsh')])
  await herd.agree(UCLA, [
    ...UCLA.map((name) => `before-${name}`),
    ...left.map((name) => `meanwhile-${name}`),
  ])
})

test('a chain that breaks in two places heals', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: chainOf(UCLA), settings })
  await herd.linked()
  await herd.report('Alford', 'before')
  await herd.agree(UCLA, ['before'])
  await Promise.all([herd.kill('Ball'), herd.kill('Holiday')])
  const islands = ['Alford', 'Hamilton', 'Welsh']
  for (const name of islands) await herd.report(name, `on-${name}`)
  await Promise.all([herd.startServer('Ball'), herd.startServer('Holiday')])
  await herd.agree(UCLA, ['before', ...islands.map((name) => `on-${name}`)])
})

test('every process is replaced, one after the other, and nothing is forgotten', async (t) => {
  const logs = { level: 'events' }
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS, settings: { ...settings, logs } })
  await herd.linked()
  const clients = Array.from({ length: 3000 }, (_, index) => `c${index}`)
  await herd.converse('Ball', clients.map((client) => `IAMAT ${client} +1+1 1479413884\n`).join(''))
  await allKnow(herd, clients.length)
  const before = await herd.table('Welsh', clients)
  for (const name of UCLA) {
    await herd.restart(name)
    await allKnow(herd, clients.length)
  }
  assert.deepEqual(await herd.agree(UCLA, clients), before)
})

test('a server that is frozen while others hear reports has caught up when it thaws', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS, settings })
  await herd.linked()
  const others = UCLA.filter((name) => name !== 'Ball')
  herd.signal('Ball', 'SIGSTOP')
  for (const name of others) await herd.report(name, `frozen-${name}`)
  await waitUntil(async () => {
    const statuses = await Promise.all(['Holiday', 'Welsh'].map((name) => herd.status(name)))
    return statuses.every(({ links }) => links.every((link) => link.neighbor !== 'Ball' || !link.open))
  }, "Ball's neighbors notice its silence")
  for (const name of others) await herd.report(name, `silent-${name}`)
  const clients = others.flatMap((name) => [`frozen-${name}`, `silent-${name}`])
  await herd.agree(others, clients)
  herd.signal('Ball', 'SIGCONT')
  await herd.agree(UCLA, clients)
  await herd.linked()
})

test('a frozen server is said to be so, in the time given', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'] })
  herd.signal('Alford', 'SIGSTOP')
  const secret = Buffer.from(herd.secret)
  const where = { host: '127.0.0.1', port: herd.port('Alford'), name: 'Alford', herd: herd.name }
  await assert.rejects(askStatus({ ...where, secret, timeoutMs: 300 }), /no answer within 300 ms/)
  herd.signal('Alford', 'SIGCONT')
  assert.equal((await herd.status('Alford')).server, 'Alford')
})

test('a server that resets the connection while it is asked how it is: said so too', async (t) => {
  const rude = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
  rude.listen(0, '127.0.0.1')
  await once(rude, 'listening')
  t.after(() => rude.close())
  const { port } = rude.address() as AddressInfo
  const target = { host: '127.0.0.1', port, name: 'Rude', herd: 'live', secret: Buffer.alloc(32) }
  await assert.rejects(askStatus({ ...target, timeoutMs: 5000 }), StatusUnavailable)
})

for (const fault of ['cut', 'held'] as const) {
  test(`a wire that is ${fault} while both sides hear reports: afterwards their tables are equal`, async (t) => {
    const [up, down] = await Promise.all([LiveProxy.start(t), LiveProxy.start(t)])
    const servers = ['Alford', 'Ball', 'Holiday', 'Welsh']
    // Both sides dial: each direction has its own wire.
    const routes = [
      { from: 'Ball', to: 'Holiday', proxy: up },
      { from: 'Holiday', to: 'Ball', proxy: down },
    ]
    const herd = await LiveHerd.start(t, { servers, links: chainOf(servers), settings, routes })
    await herd.linked()
    await herd.report('Alford', 'contested', '+1+1', '1479413884')
    await herd.agree(servers, ['contested'])

    for (const proxy of [up, down])
      if (fault === 'cut') proxy.cut()
      else proxy.hold()
    await waitUntil(async () => {
      const statuses = await Promise.all([herd.status('Ball'), herd.status('Holiday')])
      return statuses.every(({ links }) => links.some((link) => !link.open))
    }, 'both sides notice that the wire is dead')
    await herd.report('Alford', 'contested', '+2+2', '1479413885')
    await herd.report('Welsh', 'contested', '+3+3', '1479413886')
    await herd.report('Welsh', 'contested', '+4+4', '1479413884.5')
    for (const name of servers) await herd.report(name, `side-${name}`)
    assert.deepEqual(await herd.table('Alford', ['side-Welsh']), ['? WHATSAT side-Welsh 1 0'])

    for (const proxy of [up, down]) proxy.heal()
    const lines = await herd.agree(servers, ['contested', ...servers.map((name) => `side-${name}`)])
    assert.match(lines[0] ?? '', /^AT Welsh .* contested \+3\+3 1479413886$/)
  })
}

test('a neighbor that was away for many redials is found when it is back', async (t) => {
  const proxy = await LiveProxy.start(t)
  const servers = ['Alford', 'Ball']
  // Ball can't reach Alford: only the redials of Alford make the link.
  const nowhere = await LiveProxy.start(t)
  nowhere.cut()
  const routes = [
    { from: 'Alford', to: 'Ball', proxy },
    { from: 'Ball', to: 'Alford', proxy: nowhere },
  ]
  const herd = await LiveHerd.start(t, { servers, links: chainOf(servers), settings, routes })
  await herd.linked()
  proxy.cut()
  const { attempts } = proxy
  await waitUntil(() => proxy.attempts >= attempts + 15, 'Alford dials again and again')
  await herd.report('Ball', 'patient')
  proxy.heal()
  await herd.agree(servers, ['patient'])
})

async function allKnow(herd: LiveHerd, clients: number): Promise<void> {
  await waitUntil(async () => {
    const statuses = await Promise.all(UCLA.map((name) => herd.status(name)))
    return statuses.every((status) => status.clients === clients)
  }, `every server knows ${clients} clients`)
}
