/** A herd that asks every provider that needs a key: whatever these do, no key shows anywhere. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { makePlaceTable } from '../../src/places/providers/postgis-sql.ts'
import { assertNoCanary, CANARY, CANARY_WORD, tracesIn, tracesUnder } from '../support/canary.ts'
import { GoogleNewStandIn } from '../support/google-new-stand-in.ts'
import { GoogleStandIn } from '../support/google-stand-in.ts'
import type { LineClient } from '../support/live-client.ts'
import { runCommand } from '../support/live-command.ts'
import { LiveHerd } from '../support/live-herd.ts'
import type { Behaviour, PlacesStandIn } from '../support/places-stand-in.ts'
import { Postgres, whyNoPostgres } from '../support/postgres.ts'
import { XStandIn } from '../support/x-stand-in.ts'

const SERVERS = ['Alford', 'Ball', 'Holiday'] as const
const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
const POSTGRES = await whyNoPostgres()

/** As one finds it in URLs, forms, JSON, HTML, headers. */
const SPELLINGS: readonly string[] = [
  CANARY,
  encodeURIComponent(CANARY),
  new URLSearchParams({ key: CANARY }).toString(),
  JSON.stringify(CANARY).slice(1, -1),
  CANARY.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;'),
  `Bearer ${CANARY}`,
  encodeURI(CANARY),
]
const BEHAVIOURS: readonly Behaviour[] = [
  ...(['request-denied', 'over-query-limit', 'invalid-request', 'unknown-error', 'zero-results'] as const),
  ...(['hang', 'hang-in-body', 'malformed', 'truncated', 'huge', 'reset', 'ok'] as const),
  ...[400, 401, 403, 404, 429, 500, 503].map((httpStatus) => ({ httpStatus })),
  { httpStatus: 302, location: `http://127.0.0.1:9/?key=${encodeURIComponent(CANARY)}` },
  { httpStatus: 429, retryAfter: encodeURIComponent(CANARY) },
  ...SPELLINGS.map((spelling) => ({ body: JSON.stringify({ error_message: spelling }) })),
  ...SPELLINGS.map((spelling) => ({ body: `${spelling}{` })),
]
/** The longest wait of a provider that never answers, milliseconds. */
const TRY_MS = 150

/** What else a server is given. */
interface Asking {
  readonly providers: readonly string[]
  readonly settings?: Readonly<Record<string, object>>
  readonly key?: string
  readonly stateFolder?: string
  readonly tryMs?: number
}

/** A herd in a chain that asks with canaries, as often as it likes. */
function startHerd(
  t: TestContext,
  { providers, settings = {}, key = CANARY, tryMs = TRY_MS }: Asking,
): Promise<LiveHerd> {
  const limits = {
    ...{ tryMsMax: tryMs, totalMsMax: 3 * tryMs, retriesMax: 0, bodyBytesMax: 65_536 },
    ...{ callsPerSecondMax: 0, callsPerSecondPerAddressMax: 0 },
    ...{ breakerFailuresMax: 1000, breakerOpenMs: 10, breakerDeniedMs: 10 },
  }
  return LiveHerd.start(t, {
    servers: SERVERS,
    links: [
      ['Alford', 'Ball'],
      ['Ball', 'Holiday'],
    ],
    settings: { logs: { level: 'traffic' }, places: { providers, limits, ...settings } },
    env: { GOOGLE_PLACES_API_KEY: key, X_BEARER_TOKEN: key, PGPASSWORD: key },
  })
}

/** Everything that a herd says by itself: each server's status, as programs and as people get it, and its logs. */
async function everythingOf(t: TestContext, herd: LiveHerd): Promise<string[]> {
  const texts: string[] = []
  const place = { folder: herd.folder, env: { HERD_SECRET: herd.secret } }
  for (const more of [['--json'], ['--links'], []]) {
    const { out, err } = await runCommand(t, place, [
      ...['status', '--herd', `${herd.folder}/Alford.yaml`],
      ...more,
    ])
    assert.match(out, /google|x|postgis/)
    texts.push(out, err)
  }
  for (const name of SERVERS) texts.push(JSON.stringify(await herd.status(name)))
  for (const name of SERVERS) await herd.kill(name, 'SIGTERM')
  for (const name of SERVERS) texts.push(await herd.logText(name))
  return [...texts, herd.output]
}

function assertClean(herd: LiveHerd, texts: readonly string[]): void {
  for (const text of texts) assertNoCanary({ text })
  assertNoCanary({ folder: herd.folder })
  // Or there would be nothing to find.
  assert.ok(texts.join('').length > 10_000)
  assert.ok(tracesUnder(herd.folder).bytes > 10_000)
}

test('the keys of Google and X show nowhere', async (t) => {
  const google = await GoogleNewStandIn.start({ key: CANARY })
  const legacy = await GoogleStandIn.start({ key: CANARY })
  const x = await XStandIn.start({ token: CANARY })
  const standIns: readonly PlacesStandIn[] = [google, legacy, x]
  t.after(() => Promise.all(standIns.map((standIn) => standIn.close())))
  const anyNumber = { callsPerDayMax: 0, callsPerMonthMax: 0 }
  const herd = await startHerd(t, {
    providers: ['google', 'google-legacy', 'x'],
    settings: {
      google: { baseUrl: google.url, legacyBaseUrl: legacy.url, ...anyNumber },
      x: { baseUrl: x.url, ...anyNumber },
    },
  })
  await herd.linked()
  const clients = await Promise.all(SERVERS.map((name) => herd.connect(name)))
  await clients[0]?.ask(REPORT)
  await herd.agree(SERVERS, ['kiwi'])
  const texts: string[] = []
  let question = 0
  for (const tested of standIns.keys()) {
    for (const behaviour of BEHAVIOURS) {
      for (const [index, standIn] of standIns.entries()) {
        standIn.behave(index < tested ? 'reset' : index === tested ? behaviour : 'ok')
      }
      // Each server in turn: a stand-in behaves the same to all.
      const client = clients[question % clients.length]
      texts.push((await client?.whatsat('kiwi', ++question / 10, 20))?.text ?? '')
    }
  }
  // All were asked with it. A breaker may have kept a few away.
  for (const { requests } of standIns) {
    assert.ok(requests.length > BEHAVIOURS.length / 2)
    const seen = requests
      .map(({ query, headers }) => `${query.toString()} ${JSON.stringify(headers)}`)
      .join('')
    assert.notEqual(tracesIn(seen, 'a request').length, 0)
  }
  texts.push(...(await everythingOf(t, herd)))
  const logs = texts.join('')
  for (const name of ['google', 'google-legacy', 'x']) {
    assert.ok(logs.includes(`"event":"places failed","level":"warning","provider":"${name}"`), name)
  }
  assert.match(logs, /"event":"places left alone"/)
  assertClean(herd, texts)
})

test('the password of PostGIS shows nowhere', { skip: POSTGRES ?? false }, async (t) => {
  const postgres = await Postgres.start(CANARY)
  t.after(() => postgres.close())
  const client = await postgres.connect()
  await makePlaceTable(client)
  await client.query(`INSERT INTO place (id, name, types, geog)
    VALUES ('t:1', 'Powell Library', '{library}', ST_MakePoint(-118.445, 34.069)::geography)`)
  await client.end()
  const settings = { postgis: { url: postgres.url } }
  // A real database takes what time it takes.
  const herd = await startHerd(t, { providers: ['postgis'], settings, tryMs: 10_000 })
  const texts: string[] = []
  const ask = async (connection: LineClient, radius: number): Promise<string> => {
    const { text, body } = await connection.whatsat('kiwi', radius, 20)
    texts.push(text)
    return `${body.status} ${body.error_message ?? ''}`
  }
  const connection = await herd.connect('Alford')
  await connection.ask(REPORT)
  const cases: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [() => Promise.resolve(), /^OK /],
    [
      () =>
        postgres.run(`ALTER USER herd PASSWORD 'another'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`),
      /^REQUEST_DENIED .*password/,
    ],
    [() => postgres.stop(), /^UNKNOWN_ERROR /],
  ]
  for (const [radius, [prepare, expected]] of cases.entries()) {
    await prepare()
    assert.match(await ask(connection, radius + 1), expected)
  }
  texts.push(...(await everythingOf(t, herd)))
  assertClean(herd, texts)
})

test('a key that can’t be one is refused without being shown', async (t) => {
  const key = `${CANARY_WORD} ${CANARY_WORD}`
  await assert.rejects(startHerd(t, { providers: ['google'], key }), (error) => {
    assert.ok(error instanceof Error)
    assertNoCanary({ text: error.message })
    assert.match(error.message, /the key in GOOGLE_PLACES_API_KEY is not 1 to 256 visible ASCII characters/)
    return true
  })
})
