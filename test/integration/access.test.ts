/** Who may do what: protected mode, client tokens, their scopes, and their end, by lines and by HTTP. */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeToken } from '../../src/gateways/access/tokens.ts'
import { LiveCommand } from '../support/live-command.ts'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'
import { setTokens, tokensFile } from '../support/live-tokens.ts'

const PAIR = ['Alford', 'Ball']
const CANARY = makeToken()
const [ANNA, BEN, MAP] = [makeToken(), makeToken(), makeToken()]
const WANTS = '? this herd wants a client token (herd token create)'
const WRONG = '? that client token is none of this herd'
const PROTECTED = /^\? this server takes commands from its own machine only, until it has client tokens/

const TOKENS = {
  anna: { token: ANNA, report: ['anna/*'], read: ['anna/*', 'bus'] },
  ben: { token: BEN, report: ['ben'] },
  map: { token: MAP, read: ['*'] },
}

function pair(t: TestContext, settings: object = {}): Promise<LiveHerd> {
  return LiveHerd.start(t, {
    ...{ servers: PAIR, links: chainOf(PAIR) },
    settings: { link: QUICK_LINK, logs: { level: 'traffic' }, ...settings },
  })
}

function http(
  herd: LiveHerd,
  path: string,
  token: string | null,
  init: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` }
  return fetch(`http://127.0.0.1:${herd.port('Alford')}${path}`, {
    ...init,
    headers: { ...headers, ...init.headers },
  })
}

function post(herd: LiveHerd, client: string, token: string | null): Promise<Response> {
  const body = JSON.stringify({ client, lat: 1, lon: 1 })
  return http(herd, '/v1/fixes', token, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
}

test('lines: without a token nothing, with one what it is for, and searches find only what may be read', async (t) => {
  const herd = await pair(t)
  await setTokens(herd, 'Alford', TOKENS)
  const [time, stranger] = [timeNow(), await herd.connect('Alford')]
  for (const line of [
    `IAMAT x +1+1 ${time}`,
    'WHATSAT x 1 1',
    'WHOSAT x 1 1',
    'WHOSAT NEAR +1+1 1 1',
    'WATCH *',
    'WATCH x',
  ])
    assert.equal(await stranger.ask(line), WANTS)
  assert.equal(await stranger.ask('nonsense'), '? nonsense')
  assert.equal(await stranger.ask(`TOKEN ${makeToken()}`), WRONG)
  assert.equal(await stranger.ask(`WHATSAT x 1 1`), WANTS)
  const anna = await herd.connect('Alford')
  assert.equal(await anna.ask(`TOKEN ${ANNA}`), 'TOKEN anna')
  const at = await anna.ask(`IAMAT anna/phone +1+1 ${time}`)
  assert.match(at, /^AT Alford \S+ anna\/phone /)
  assert.equal(await anna.ask(`IAMAT ben +1+1 ${time}`), '? anna may not report as that client')
  assert.equal(await anna.ask('WHATSAT ben 1 1'), '? anna may not read that client')
  assert.equal(await anna.ask('WHOSAT nobody 1 1'), '? anna may not read that client')
  assert.equal(await anna.ask('WATCH ben'), '? anna may not read that client')
  // A wrong one leaves the one before; another takes its place.
  assert.equal(await anna.ask('TOKEN wrong'), WRONG)
  assert.equal(await anna.ask(`IAMAT anna/phone +1+1 ${time}`).then((line) => line.slice(0, 3)), 'AT ')
  const other = await herd.connect('Alford')
  assert.equal(await other.ask(`TOKEN ${BEN}`), 'TOKEN ben')
  for (let number = 0; number < 30; number++)
    assert.match(await other.ask(`IAMAT ben +1+1 ${timeNow()}`), /^AT /)
  assert.equal(await other.ask('WHATSAT ben 1 1'), '? ben may not read that client')
  // Of the nearest it gets the nearest that it may read, however many are nearer.
  await setTokens(herd, 'Alford', { ...TOKENS, all: { token: CANARY, report: ['*'], read: ['*'] } })
  const all = await herd.connect('Alford')
  assert.equal(await all.ask(`TOKEN ${CANARY}`), 'TOKEN all')
  for (let number = 0; number < 40; number++) await all.ask(`IAMAT crowd${number} +1+1 ${time}`)
  const bus = await all.ask(`IAMAT bus +1.01+1 ${time}`)
  await anna.send('WHOSAT NEAR +1+1 50 2\nWHOSAT IN +0+0 +2+2 *\nWHOSAT anna/phone 50 1\n')
  const found = await anna.lines(8)
  assert.deepEqual(found, [found[0], bus, '', found[3], bus, '', bus, ''])
  assert.match(found[0] ?? '', / anna\/phone /)
  assert.match(found[3] ?? '', / anna\/phone /)
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'tokensWrong'), 2)
  assert.equal(countOf(status, 'tokensMissing'), 7)
  assert.equal(countOf(status, 'notAllowed'), 5)
})

test('HTTP: 401 without a token or with a wrong one, 403 for what it is not for', async (t) => {
  const herd = await pair(t)
  await setTokens(herd, 'Alford', TOKENS)
  for (const token of [null, makeToken()]) {
    const refused = await post(herd, 'anna/phone', token)
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="herd"')
    assert.match(await refused.text(), token === null ? /wants a client token/ : /none of this herd/)
  }
  assert.equal((await post(herd, 'anna/phone', ANNA)).status, 200)
  assert.equal((await post(herd, 'ben', ANNA)).status, 403)
  assert.equal((await http(herd, '/v1/clients/anna%2Fphone', ANNA)).status, 200)
  assert.equal((await http(herd, '/v1/clients/anna%2Fphone', BEN)).status, 403)
  assert.equal((await http(herd, '/v1/clients/nobody', BEN)).status, 403)
  assert.equal((await http(herd, '/v1/clients/nobody', MAP)).status, 404)
})

test('a token that is removed is worth nothing within seconds: commands, watches and requests', async (t) => {
  const herd = await pair(t)
  await setTokens(herd, 'Alford', TOKENS)
  const [anna, half, map] = await Promise.all([
    herd.connect('Alford'),
    herd.connect('Alford'),
    herd.connect('Alford'),
  ])
  assert.equal(await map.ask(`TOKEN ${MAP}`), 'TOKEN map')
  assert.equal(await map.ask('WATCH *'), 'WATCH *')
  assert.equal(await anna.ask(`TOKEN ${ANNA}`), 'TOKEN anna')
  assert.equal(await anna.ask('WATCH *'), 'WATCH *')
  const at = await anna.ask(`IAMAT anna/phone +1+1 ${timeNow()}`)
  assert.equal(await anna.line(), at)
  assert.equal(await map.line(), at)
  await half.send(`TOKEN ${ANNA}\nWATCH anna/phone\n`)
  half.halfClose()
  assert.deepEqual(await half.lines(3), ['TOKEN anna', 'WATCH anna/phone', at])
  // What stays as it is goes on; what is changed ends like what is removed.
  await setTokens(herd, 'Alford', { map: TOKENS.map, ben: { ...TOKENS.ben, read: ['ben'] } })
  assert.equal(await anna.line(), '? WATCH * has ended: it is allowed no more')
  assert.equal(await anna.ask(`IAMAT anna/phone +1+1 ${timeNow()}`), WANTS)
  // There is nothing left to say to one that has closed its side.
  assert.equal(await half.rest(), '? WATCH anna/phone has ended: it is allowed no more\n')
  assert.equal((await post(herd, 'anna/phone', ANNA)).status, 401)
  assert.equal((await post(herd, 'ben', BEN)).status, 200)
  assert.match(await map.line(), / ben /)
  // The same connection may show another.
  assert.equal(await anna.ask(`TOKEN ${BEN}`), 'TOKEN ben')
})

test('the first token ends what was open to all; damage, and a file that is gone, change nothing', async (t) => {
  const herd = await pair(t)
  const early = await herd.connect('Alford')
  assert.equal(await early.ask('TOKEN anything'), 'TOKEN everybody')
  assert.equal(await early.ask('WATCH *'), 'WATCH *')
  await setTokens(herd, 'Alford', TOKENS)
  assert.equal(await early.line(), '? WATCH * has ended: it is allowed no more')
  assert.equal(await early.ask('WHATSAT x 1 1'), WANTS)
  await waitUntil(() => herd.output.includes('every client must show a client token'), 'the server says so')
  await writeFile(tokensFile(herd), '{"tokens":[')
  await waitUntil(
    () => herd.output.includes('the tokens before it still hold'),
    'the server says what is wrong',
  )
  assert.equal(await early.ask('WHATSAT x 1 1'), WANTS)
  assert.equal(await early.ask(`TOKEN ${ANNA}`), 'TOKEN anna')
  // The links don't care, nor does an operator.
  await herd.linked()
  assert.equal((await herd.status('Ball')).server, 'Ball')
})

test('the token is in no log, no reply and no file, whatever is wrong with its line', async (t) => {
  const herd = await pair(t)
  const client = await herd.connect('Alford')
  await setTokens(herd, 'Alford', { canary: { token: CANARY, report: ['*'], read: ['*'] } })
  const misplaced = '? TOKEN, in capital letters, takes one token and nothing else, in a whole line'
  assert.equal(await client.ask(`TOKEN ${CANARY}`), 'TOKEN canary')
  for (const line of [`TOKEN ${CANARY} more`, `token ${CANARY}`, `\t TOKEN\v${CANARY}\f${CANARY}`])
    assert.equal(await client.ask(line), misplaced)
  assert.equal(await client.ask(`TOKEN ${CANARY}x`), WRONG)
  assert.equal((await post(herd, 'kiwi', CANARY)).status, 200)
  assert.equal((await post(herd, 'kiwi', `${CANARY}x`)).status, 401)
  const cut = await herd.connect('Alford')
  await cut.send(`TOKEN ${CANARY}`)
  cut.halfClose()
  assert.equal(await cut.rest(), `${misplaced}\n`)
  const command = new LiveCommand(t, { folder: herd.folder, env: { HERD_TOKEN: CANARY } }, [
    ...['whatsat', 'kiwi', '1', '0', '--server', `127.0.0.1:${herd.port('Alford')}`],
  ])
  const { code, out, err } = await command.ended()
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^AT Alford \S+ kiwi /)
  const status = JSON.stringify(await herd.status('Alford'))
  await herd.kill('Alford', 'SIGTERM')
  const log = await herd.logText('Alford')
  assert.match(log, /TOKEN \(not logged\)/)
  const state = join(herd.folder, '.herd')
  const files = await readdir(state, { recursive: true, withFileTypes: true })
  const texts = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
  )
  for (const text of [status, log, herd.output, out, ...texts]) assert.ok(!text.includes(CANARY.slice(5)))
})

test('beyond loopback: protected until there are tokens, or clients.open', async (t) => {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((known) => known?.family === 'IPv4' && !known.internal)?.address
  if (address === undefined) {
    t.skip('this machine has no address but loopback')
    return
  }
  const options = { servers: ['Alford'], host: address }
  const herd = await LiveHerd.start(t, options)
  assert.match(herd.output, /"level":"warning".*no client tokens: only clients on this machine are answered/)
  const client = await herd.connect('Alford')
  assert.match(await client.ask(`IAMAT kiwi +1+1 ${timeNow()}`), PROTECTED)
  const response = await fetch(`http://${address}:${herd.port('Alford')}/v1/clients/kiwi`)
  assert.equal(response.status, 403)
  await setTokens(herd, 'Alford', TOKENS)
  assert.equal(await client.ask('WHATSAT kiwi 1 1'), WANTS)
  assert.equal(await client.ask(`TOKEN ${MAP}`), 'TOKEN map')
  assert.equal(await client.ask('WHATSAT kiwi 1 1'), '? WHATSAT kiwi 1 1')
  const open = await LiveHerd.start(t, { ...options, settings: { clients: { open: true } } })
  assert.match(open.output, /"level":"warning".*whoever reaches this server may report as any client/)
  assert.match(await open.report('Alford', 'kiwi'), /^AT Alford /)
})
