import assert from 'node:assert/strict'
import { test } from 'node:test'
import { castOf } from './cast.ts'
import { Phone, type Turn } from './phone.ts'
import { NotTaken, type Protocol, type Reporter, type ServerAddress } from './reporters.ts'

const SERVERS = ['A', 'B', 'C'].map((name, index) => ({ name, host: 'here', port: index }))

/** A phone whose servers are as the test says, with a clock that it moves. */
function phoneOf(protocol: Protocol, first = 0) {
  const world = {
    nowMs: 0,
    down: new Set<string>(),
    refused: new Set<Protocol>(),
    open: 0,
    opened: [] as string[],
  }
  const openFor =
    (spoken: Protocol) =>
    async (server: ServerAddress): Promise<Reporter> => {
      if (world.down.has(server.name)) throw new Error('ECONNREFUSED')
      world.open++
      world.opened.push(`${spoken} ${server.name}`)
      return {
        report: async () => {
          if (world.down.has(server.name)) throw new Error('gone')
          if (world.refused.has(spoken)) throw new NotTaken('404')
        },
        close: () => {
          world.open--
        },
      }
    }
  const protocols = ['line', 'http', 'websocket', 'mqtt', 'owntracks', 'owntracks-mqtt', 'osmand'] as const
  const open = Object.fromEntries(protocols.map((each) => [each, openFor(each)])) as ConstructorParameters<
    typeof Phone
  >[0]['open']
  const [actor] = castOf(1, 1)
  assert.ok(actor)
  const nowMs = (): number => world.nowMs
  const phone = new Phone({
    actor,
    protocol,
    servers: SERVERS,
    first,
    open,
    wallMs: nowMs,
    nowMs,
    random: () => 0,
  })
  const turn = async (): Promise<Turn> => {
    world.nowMs += 1000
    return phone.report(world.nowMs / 1000)
  }
  return { world, phone, turn }
}

function told(turn: Turn): string {
  return turn.outcome === 'waits' ? 'waits' : `${turn.outcome} ${turn.server} ${turn.protocol}`
}

test('a phone keeps its server and its connection', async () => {
  const { world, turn } = phoneOf('http', 4)
  for (let count = 0; count < 3; count++) assert.equal(told(await turn()), 'reported B http')
  assert.deepEqual([world.opened, world.open], [['http B'], 1])
})

test('a server that is gone: the next one, at once; and home again when it is back', async () => {
  const { world, turn } = phoneOf('http')
  await turn()
  world.down.add('A')
  assert.deepEqual([told(await turn()), told(await turn())], ['failed A http', 'reported B http'])
  world.down.delete('A')
  const later: string[] = []
  for (let second = 0; second < 25; second++) later.push(told(await turn()))
  assert.deepEqual([later[0], later.at(-1)], ['reported B http', 'reported A http'])
  assert.equal(world.open, 1, 'what it left is closed')
})

test('a protocol that nobody takes: line commands for a while', async () => {
  const { world, turn } = phoneOf('osmand')
  world.refused.add('osmand')
  const said: string[] = []
  for (let second = 0; second < 4; second++) said.push(told(await turn()))
  assert.deepEqual(said, ['failed A osmand', 'failed B osmand', 'reported C line', 'reported C line'])
  world.refused.delete('osmand')
  for (let second = 0; second < 90; second++) said.push(told(await turn()))
  assert.match(said.at(-1) ?? '', /^reported . osmand$/)
})

test('all servers are gone: a phone tries ever more seldom, and never stops', async () => {
  const { world, turn } = phoneOf('line')
  for (const { name } of SERVERS) world.down.add(name)
  const said: string[] = []
  for (let second = 0; second < 60; second++) said.push(told(await turn()))
  const tries = said.filter((each) => each !== 'waits').length
  assert.ok(tries >= 10 && tries < 40, `${tries} tries in a minute`)
  world.down.clear()
  for (let second = 0; second < 6; second++) said.push(told(await turn()))
  assert.match(said.at(-1) ?? '', /^reported/)
})
