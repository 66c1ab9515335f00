import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nearestSql } from '../../src/places/providers/postgis-sql.ts'
import { type Postgres, whyNoPostgres } from '../../test/support/postgres.ts'
import { parseFigures } from '../load/figures.ts'
import { clientPosition, readPlacePositions } from '../load/places-clients.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { assertCalled } from '../servers/inventory.ts'
import { startPlacesDatabase } from '../servers/places-database.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { waitForSuccess } from '../support/children.ts'
import { isInstalled } from '../support/machine.ts'
import { parsePsqlTimes, psqlScript } from '../support/psql-timing.ts'
import { type Summary, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { runLoad } from './load-process.ts'
import { formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const RADIUS_KM = 10
const ITEMS = 20
/** Each is asked about once, so that no answer comes out of a cache. */
const CLIENTS = 40_000
/** As few as there may be: a second guard of the same. */
const CACHE_ENTRIES = 1
/** psql is told a number of statements, not a time: a few seconds of them. */
const [PSQL_WARM_UP, PSQL_STATEMENTS] = [500, 2000] as const
const PSQL_MS_MAX = 120_000
const MORE_MS = 20_000

interface PostgisSample {
  readonly queries: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** The nearest places out of PostGIS: through a server of herd, and by the same SQL without one. */
export const postgis: Benchmark = {
  name: 'postgis',
  contenders: ['herd', 'pg', 'psql'].map((name) => ({ name, title: name, missing: () => undefined })),
  run,
}

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const reason = await whyNoPostgres()
  if (reason !== undefined) return { text: `postgis: not measured, ${reason}`, data: { notes: [reason] } }
  context.progress('postgis: the places are put into a database')
  const postgres = await startPlacesDatabase(context)
  try {
    const [herd, pg, psql] = [herdWith(postgres), pgWith(postgres), psqlWith(postgres)]
    const tell = ({ p50Ms, queries }: PostgisSample): string =>
      `p50 ${p50Ms.toFixed(3)} ms of ${queries} asks`
    const rounds = await measureRounds('postgis', [herd, pg, psql], context.rounds, context, tell)
    const overheads = [pg, psql].map((base) => ({ base, summary: overhead(rounds, herd, base) }))
    const text = formatReport(rounds, overheads)
    const data = Object.fromEntries(overheads.map(({ base, summary }) => [`herd - ${base.name}`, summary]))
    return { text, data: { ...toData(rounds), overheadMsP50: data } }
  } finally {
    await postgres.close()
  }
}

function herdWith(postgres: Postgres): Measurable<PostgisSample> {
  return {
    name: 'herd',
    title: 'WHATSAT over TCP',
    missing: whyNoHerd,
    measure: async (context) => {
      const places = {
        providers: ['postgis'],
        rank: 'distance',
        postgis: { url: postgres.url },
        limits: {
          callsPerSecondMax: 0,
          callsPerSecondPerAddressMax: 0,
          asksInFlightMax: CACHE_ENTRIES,
          cacheEntriesMax: CACHE_ENTRIES,
        },
      }
      const env = { PGPASSWORD: postgres.password }
      const running = await startHerd('herd', { logLevel: 'events', places, env }, context)
      return measureAndStop(running, async ({ port, server }) => {
        const options = {
          port,
          dialect: 'herd',
          clients: CLIENTS,
          order: 'once',
          'radius-km': RADIUS_KM,
          items: ITEMS,
          expected: 'nearest',
          connections: 1,
          'in-flight': 1,
          'warm-up-seconds': context.warmUpSeconds,
          seconds: context.seconds,
          'server-pid': server.pid,
        }
        const sample = parseSample(await runLoad('places-load.ts', options, msOf(context), context))
        await assertCalled(running, 'postgis')
        return sample
      })
    },
  }
}

function pgWith(postgres: Postgres): Measurable<PostgisSample> {
  return {
    name: 'pg',
    title: 'the same SQL, client of Node (pg)',
    missing: () => undefined,
    measure: async (context) => {
      const { username, pathname } = new URL(postgres.url)
      const options = {
        port: postgres.port,
        user: username,
        database: pathname.slice(1),
        clients: CLIENTS,
        'radius-km': RADIUS_KM,
        'warm-up-seconds': context.warmUpSeconds,
        seconds: context.seconds,
      }
      const env = { PGPASSWORD: postgres.password }
      return parseSample(await runLoad('sql-load.ts', options, msOf(context), context, 'load', env))
    },
  }
}

function psqlWith(postgres: Postgres): Measurable<PostgisSample> {
  return {
    name: 'psql',
    title: 'the same SQL, psql (\\timing)',
    missing: () => (isInstalled('psql') ? undefined : 'psql is not installed: npm run setup'),
    measure: async (context) => {
      const places = readPlacePositions()
      const clients = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, number) => clientPosition(from + number, places))
      const script = psqlScript({
        sql: nearestSql('place'),
        metres: RADIUS_KM * 1000,
        warmUp: clients(0, PSQL_WARM_UP),
        measured: clients(PSQL_WARM_UP, PSQL_WARM_UP + PSQL_STATEMENTS),
      })
      const file = join(context.folder, 'nearest.sql')
      await writeFile(file, script)
      const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', file, postgres.url]
      const command = context.pinning.wrap('load', 'psql', args)
      const child = await context.children.start('psql', ...command, { PGPASSWORD: postgres.password })
      const { stdout } = await waitForSuccess(child, PSQL_MS_MAX)
      return sampleOf(parsePsqlTimes(stdout))
    },
  }
}

function msOf({ warmUpSeconds, seconds }: BenchContext): number {
  return (warmUpSeconds + seconds) * 1000 + MORE_MS
}

function parseSample(text: string): PostgisSample {
  return parseFigures(text, ['queries', 'p50Ms', 'p99Ms', 'maxMs'])
}

function sampleOf(times: readonly number[]): PostgisSample {
  const sorted = times.toSorted((a, b) => a - b)
  const [p50Ms = Number.NaN, p99Ms = Number.NaN, maxMs = Number.NaN] = [0.5, 0.99, 1].map(
    (share) => sorted[Math.ceil(sorted.length * share) - 1],
  )
  return { queries: times.length, p50Ms, p99Ms, maxMs }
}

/** By how many milliseconds the p50 of one is above that of another, round by round. */
function overhead(
  { samples }: Rounds<PostgisSample>,
  of: Measurable<PostgisSample>,
  base: Measurable<PostgisSample>,
): Summary | undefined {
  const bases = samples.get(base) ?? []
  return summarize(
    (samples.get(of) ?? []).flatMap(({ p50Ms }, round) => {
      const other = bases[round]
      return other === undefined ? [] : [p50Ms - other.p50Ms]
    }),
  )
}

const COLUMNS: readonly Column[] = [
  { title: 'asked by', align: 'left' },
  { title: 'p50 ms', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'p99 ms', align: 'right' },
  { title: 'longest ms', align: 'right' },
  { title: 'asks a round', align: 'right' },
]

function formatReport(
  rounds: Rounds<PostgisSample>,
  overheads: readonly { base: Measurable<PostgisSample>; summary: Summary | undefined }[],
): string {
  const rows = Array.from(rounds.samples, ([{ title }, samples]) => {
    const median = (figure: (sample: PostgisSample) => number) => summarize(samples.map(figure))?.median
    return [
      title,
      ...formatSpread(summarize(samples.map(({ p50Ms }) => p50Ms)), 3),
      formatDecimal(
        median(({ p99Ms }) => p99Ms),
        2,
      ),
      formatDecimal(
        median(({ maxMs }) => maxMs),
        1,
      ),
      formatCount(median(({ queries }) => queries) ?? 0),
    ]
  })
  const lines = overheads.flatMap(({ base, summary }) => {
    if (summary === undefined) return []
    const [median, spread] = formatSpread(summary, 3)
    return [`${base.title}: Herd's p50 is ${median} ms above it (${spread})`]
  })
  return [
    `The nearest ${ITEMS} within ${RADIUS_KM} km out of PostGIS, one ask at a time, each of another client (medians)`,
    formatTable(COLUMNS, rows),
    lines.join('\n'),
    ...rounds.notes,
  ].join('\n\n')
}
