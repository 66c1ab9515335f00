/** Simulated phones against real servers. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashOf, makeToken } from '../../src/gateways/access/tokens.ts'
import { changeTokens } from '../../src/token-file.ts'
import { LiveCommand } from '../support/live-command.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { setTokens, tokensFile } from '../support/live-tokens.ts'

const SERVERS = ['Alford', 'Ball', 'Hamilton']
const LINKS = [
  ['Alford', 'Ball'],
  ['Ball', 'Hamilton'],
  ['Alford', 'Hamilton'],
] as const
const PROTOCOLS = ['http', 'line', 'mqtt', 'osmand', 'owntracks', 'owntracks-mqtt', 'websocket']
const CLIENTS = ['bus-1', 'walker-1', 'plane-1', 'ship-1', 'mia/phone', 'train-1', 'cyclist-1', 'joe/phone']

/** Waits until a server knows all of these clients by lines that are not among those before. */
async function allNew(herd: LiveHerd, server: string, before: readonly string[]): Promise<string[]> {
  const old = new Set(before)
  let lines: string[] = []
  await waitUntil(
    async () => {
      lines = await herd.table(server, CLIENTS)
      return lines.every((line) => line.startsWith('AT ') && !old.has(line))
    },
    () => `all clients report; ${server} knows ${lines.join('\n')}`,
  )
  return lines
}

test('phones of a demo appear on every server, and go on when their server is killed', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS })
  await herd.linked()
  const file = join(herd.folder, 'Alford.yaml')
  const place = { folder: herd.folder }
  const demo = new LiveCommand(t, place, ['demo', file, '--clients', String(CLIENTS.length), '--rate', '2'])
  for (const server of SERVERS) await allNew(herd, server, [])
  const known = await herd.table('Ball', CLIENTS)
  const origins = new Set(known.map((line) => line.split(' ')[1]))
  assert.equal(origins.size, SERVERS.length, 'each server has phones of its own')
  await herd.kill('Hamilton')
  const before = await allNew(herd, 'Ball', known)
  await allNew(herd, 'Ball', before)
  const { code, out } = await demo.kill('SIGINT')
  assert.equal(code, 0)
  assert.match(out, /^a demo: 8 simulated phones report 2 times a second/)
})

test('herd up --demo: says that it is one, where to look, and ends with the herd', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS, started: [] })
  const place = { folder: herd.folder, env: { HERD_SECRET: herd.secret } }
  const file = join(herd.folder, 'Alford.yaml')
  const up = new LiveCommand(t, place, ['up', file, '--demo', '--demo-clients', '8', '--json'])
  const pid = Number(await up.printed(/"event":"demo",.*"pid":(\d+)/))
  assert.match(up.output, new RegExp(`"map":"http://127.0.0.1:${herd.port('Alford')}/"`))
  await allNew(herd, 'Hamilton', [])
  const { code } = await up.kill('SIGINT')
  assert.equal(code, 0)
  assert.throws(() => process.kill(pid, 0), /ESRCH/, 'nobody reports any more')
})

test('in a herd with tokens: phones show one by every protocol, and without one it is said what to do', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS })
  await herd.linked()
  const token = makeToken()
  const scopes = { all: { token, report: ['*'] } }
  await setTokens(herd, 'Alford', scopes)
  const file = join(herd.folder, 'Alford.yaml')
  const asked = ['demo', file, '--clients', '40', '--rate', '2']
  const without = new LiveCommand(t, { folder: herd.folder }, asked)
  await without.printed(/phones may not report: .*HERD_TOKEN or --token/)
  const { out: refused } = await without.kill('SIGINT')
  assert.doesNotMatch(refused, /reports taken|use line commands/)

  const place = { folder: herd.folder, env: { HERD_TOKEN: token } }
  const demo = new LiveCommand(t, place, asked)
  const summary = await demo.printed(/(\d+ reports taken by 3 servers: .*)/)
  const protocols = summary.match(/(?<= by )[a-z-]+/g) ?? []
  assert.deepEqual(protocols.toSorted(), PROTOCOLS)
  const { code, out } = await demo.kill('SIGINT')
  assert.equal(code, 0)
  assert.doesNotMatch(out, /may not report|not taken/)
  assert.ok(!`${out}${refused}${herd.output}`.includes(token), 'the token is told to nobody')
})

test('herd up --demo takes HERD_TOKEN to its phones', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS, started: [] })
  const token = makeToken()
  await changeTokens(tokensFile(herd), () => [
    { name: 'all', sha256: hashOf(token), report: ['*'], read: [] },
  ])
  const place = { folder: herd.folder, env: { HERD_SECRET: herd.secret, HERD_TOKEN: token } }
  const file = join(herd.folder, 'Alford.yaml')
  const up = new LiveCommand(t, place, ['up', file, '--demo', '--demo-clients', '8', '--json'])
  await up.printed(/"event":"demo-event",.*"\d+ reports taken by 3 servers/)
  const { code, out } = await up.kill('SIGINT')
  assert.equal(code, 0)
  assert.doesNotMatch(out, /may not report/)
})

test('a demo that can’t be', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS, started: [] })
  for (const [option, value, text] of [
    ['--clients', '0', /whole number from 1 to 20000/],
    ['--rate', 'often', /number from 0\.01 to 100/],
  ] as const) {
    const { code, err } = await new LiveCommand(t, { folder: herd.folder }, ['demo', option, value]).ended()
    assert.equal(code, 2)
    assert.match(err, text)
  }
})
