import { parseFigures } from '../load/figures.ts'
import type { Expected } from '../load/places-truth.ts'
import { type ExerciseFramework, startExercise, whyNoExercise } from '../servers/exercise-server.ts'
import { startGoogle } from '../servers/google-server.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { assertCalled } from '../servers/inventory.ts'
import { startRedis, whyNoRedis } from '../servers/redis-server.ts'
import { measureAndStop, type RunningServer } from '../servers/running-server.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatShare, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Candidate } from './contender.ts'
import { runLoad } from './load-process.ts'
import { warnOfOthers } from './rates.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const ITEMS = 20
const CONNECTIONS = 10
const IN_FLIGHT = 4
const CLIENTS = 10_000
/** Fewer than clients by far, so that hardly any ask is answered out of the cache; and room for all in flight. */
const CACHE_ENTRIES = 64
/** Telling 10,000 clients or 176,284 places, and looking at all places for each answer that is checked. */
const MORE_MS = 20_000

/** What is asked; `rank` only of who knows it. */
interface Question {
  readonly radiusKm: number
  readonly rank?: 'prominence' | 'distance'
}

const RADII_KM = [10, 50] as const
/** What the exercise's own servers are asked. */
const CLASSIC: Question = { radiusKm: 10 }
const HERD_QUESTIONS: readonly Question[] = RADII_KM.flatMap((radiusKm) => [
  { radiusKm, rank: 'distance' } as const,
  { radiusKm, rank: 'prominence' } as const,
])

interface QuestionSample extends Question {
  readonly queries: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly answersChecked: number
  /** Cores kept busy. */
  readonly serverCpu: number | undefined
  readonly loadCpu: number | undefined
}

interface WhatsatSample {
  readonly questions: readonly QuestionSample[]
}

const herd: Measurable<WhatsatSample> = {
  name: 'herd',
  title: 'herd, embedded places',
  missing: whyNoHerd,
  measure: async (context) => {
    const places = { providers: ['embedded'] }
    const running = await startHerd('herd', { logLevel: 'events', places }, context)
    return measureAndStop(running, () =>
      askAll(
        running,
        'herd',
        HERD_QUESTIONS,
        ({ rank }) => (rank === 'distance' ? 'nearest' : 'inside'),
        context,
      ),
    )
  },
}

const redis: Measurable<WhatsatSample> = {
  name: 'redis',
  title: 'Redis GEOSEARCH',
  missing: whyNoRedis,
  measure: async (context) => {
    const questions = RADII_KM.map((radiusKm) => ({ radiusKm }))
    return measureAndStop(await startRedis('redis', context), (running) =>
      askAll(running, 'redis', questions, () => 'nearest', context),
    )
  },
}

/** The same work as the exercise's servers do: a call of Google for each ask. */
const herdGoogle: Measurable<WhatsatSample> = {
  name: 'herd-google',
  title: 'herd, the stand-in for Google',
  missing: whyNoHerd,
  measure: async (context) => {
    const google = await startGoogle(context)
    const places = {
      providers: ['google-legacy'],
      google: { legacyBaseUrl: `http://127.0.0.1:${google.port}`, callsPerDayMax: 0, callsPerMonthMax: 0 },
      limits: {
        callsPerSecondMax: 0,
        callsPerSecondPerAddressMax: 0,
        asksInFlightMax: CACHE_ENTRIES,
        cacheEntriesMax: CACHE_ENTRIES,
      },
    }
    const env = { GOOGLE_PLACES_API_KEY: 'AIzaBench-0123456789_abcdefghijklmnopqr' }
    const running = await startHerd('herd-google', { logLevel: 'events', places, env }, context)
    try {
      return await measureAndStop(running, async () => {
        const sample = await askAll(running, 'herd', [CLASSIC], () => 'items', context)
        await assertCalled(running, 'google-legacy')
        return sample
      })
    } finally {
      await google.stop()
    }
  },
}

const [asyncio, twisted] = [exercise('asyncio'), exercise('twisted')]

function exercise(framework: ExerciseFramework): Measurable<WhatsatSample> {
  return {
    name: framework,
    title: `the exercise in ${framework}`,
    missing: () => whyNoExercise(framework),
    measure: async (context) =>
      measureAndStop(await startExercise(framework, context), (running) =>
        askAll(running, 'herd', [CLASSIC], () => 'items', context),
      ),
  }
}

const CONTENDERS = [herd, redis, herdGoogle, asyncio, twisted]

/** Places near clients all over the world, beside Redis that knows the same places and servers of the exercise. */
export const whatsat: Benchmark = { name: 'whatsat', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = ({ questions }: WhatsatSample): string =>
    questions.map((one) => `${Math.round(rateOf(one))}/s ${describe(one)}`).join(', ')
  const rounds = await measureRounds('whatsat', CONTENDERS, context.rounds, context, tell)
  const ratios = PAIRS.map((pair) => ({ name: nameOf(pair), ...ratioOf(rounds, pair, rateOf) }))
  return { text: formatReport(rounds), data: { ...toData(rounds), ratios } }
}

async function askAll(
  running: RunningServer,
  dialect: 'herd' | 'redis',
  questions: readonly Question[],
  expected: (question: Question) => Expected,
  context: BenchContext,
): Promise<WhatsatSample> {
  const samples: QuestionSample[] = []
  // All questions together are warmed up as long as any other benchmark.
  const warmUpSeconds = context.warmUpSeconds / questions.length
  for (const question of questions) {
    const options = {
      port: running.port,
      dialect,
      clients: CLIENTS,
      rank: question.rank,
      'radius-km': question.radiusKm,
      items: ITEMS,
      expected: expected(question),
      connections: CONNECTIONS,
      'in-flight': IN_FLIGHT,
      'warm-up-seconds': warmUpSeconds,
      seconds: context.seconds,
      'server-pid': running.server.pid,
    }
    const msMax = (warmUpSeconds + context.seconds) * 1000 + MORE_MS
    const stdout = await runLoad('places-load.ts', options, msMax, context)
    const names = ['queries', 'seconds', 'p50Ms', 'p99Ms', 'maxMs', 'answersChecked'] as const
    const { serverCpu, loadCpu } = JSON.parse(stdout) as { serverCpu?: number; loadCpu?: number }
    samples.push({ ...question, ...parseFigures(stdout, names), serverCpu, loadCpu })
  }
  return { questions: samples }
}

function rateOf({ queries, seconds }: QuestionSample): number {
  return queries / seconds
}

/** Asks in a second of the server's CPU. */
function ratePerCpu(sample: QuestionSample): number | undefined {
  return sample.serverCpu === undefined || sample.serverCpu === 0
    ? undefined
    : rateOf(sample) / sample.serverCpu
}

function describe({ radiusKm, rank }: Question): string {
  return `${radiusKm} km${rank === undefined ? '' : `, ${rank}`}`
}

/** A question to one contender beside a question to another. */
type Pair = readonly [of: Candidate & { question: Question }, to: Candidate & { question: Question }]

const PAIRS: readonly Pair[] = [
  ...HERD_QUESTIONS.map(
    (question): Pair => [
      { ...herd, question },
      { ...redis, question: { radiusKm: question.radiusKm } },
    ],
  ),
  ...[asyncio, twisted].flatMap((theirs): Pair[] => [
    [
      { ...herdGoogle, question: CLASSIC },
      { ...theirs, question: CLASSIC },
    ],
    [
      { ...herd, question: { radiusKm: CLASSIC.radiusKm, rank: 'prominence' } },
      { ...theirs, question: CLASSIC },
    ],
  ]),
]

function nameOf([of, to]: Pair): string {
  return `${of.name} / ${to.name}, ${describe(of.question)}`
}

function ratioOf(
  rounds: Rounds<WhatsatSample>,
  [of, to]: Pair,
  figure: (sample: QuestionSample) => number | undefined,
): ReturnType<typeof compare> {
  // Each round's two questions beside each other: as one contender's sample each.
  const of1 = roundsOf(rounds, of, figure)
  const to1 = roundsOf(rounds, to, figure)
  const samples = new Map<Candidate, readonly (number | undefined)[]>([
    [of, of1],
    [to, to1],
  ])
  return compare({ samples, notes: [] }, of, to, (value) => value)
}

function roundsOf(
  { samples }: Rounds<WhatsatSample>,
  { name, question }: Pair[number],
  figure: (sample: QuestionSample) => number | undefined,
): (number | undefined)[] {
  const own = [...samples].find(([candidate]) => candidate.name === name)?.[1] ?? []
  return own.map(({ questions }) => {
    const sample = questions.find((one) => describe(one) === describe(question))
    return sample === undefined ? undefined : figure(sample)
  })
}

const COLUMNS: readonly Column[] = [
  { title: 'server', align: 'left' },
  { title: 'within, rank', align: 'left' },
  { title: 'asks/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'p50 ms', align: 'right' },
  { title: 'p99 ms', align: 'right' },
  { title: 'server CPU', align: 'right' },
  { title: 'load CPU', align: 'right' },
  { title: 'server ms/ask', align: 'right' },
]

const RATIO_COLUMNS: readonly Column[] = [
  { title: 'ratio, round by round', align: 'left' },
  { title: 'asks/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'asks per server CPU second', align: 'right' },
  { title: 'min – max', align: 'right' },
]

function formatReport(rounds: Rounds<WhatsatSample>): string {
  const rows = Array.from(rounds.samples, ([{ title }, samples]) =>
    (samples[0]?.questions ?? []).map((_, index) => {
      const all = present(samples.map(({ questions }) => questions[index]))
      return formatRow(title, all)
    }),
  ).flat()
  const ratios = PAIRS.map((pair): string[] => [
    nameOf(pair),
    ...formatSpread(ratioOf(rounds, pair, rateOf), 2),
    ...formatSpread(ratioOf(rounds, pair, ratePerCpu), 2),
  ])
  return [
    `${ITEMS} places near one of ${formatCount(CLIENTS)} clients, ${CONNECTIONS} connections × ${IN_FLIGHT} in flight (medians)`,
    formatTable(COLUMNS, rows),
    formatTable(
      RATIO_COLUMNS,
      ratios.filter(([, median]) => median !== '–'),
    ),
    ...warnOfOthers([...rounds.samples.values()].flat().flatMap(({ questions }) => questions)),
    ...rounds.notes,
  ].join('\n\n')
}

function formatRow(title: string, samples: readonly QuestionSample[]): string[] {
  const median = (figure: (sample: QuestionSample) => number | undefined): number | undefined =>
    summarize(present(samples.map(figure)))?.median
  const perCpu = median(ratePerCpu)
  const [first] = samples
  return [
    title,
    first === undefined ? '–' : describe(first),
    ...formatSpread(summarize(samples.map(rateOf)), formatCount),
    formatDecimal(
      median(({ p50Ms }) => p50Ms),
      2,
    ),
    formatDecimal(
      median(({ p99Ms }) => p99Ms),
      2,
    ),
    formatShare(median(({ serverCpu }) => serverCpu)),
    formatShare(median(({ loadCpu }) => loadCpu)),
    formatDecimal(perCpu === undefined ? undefined : 1000 / perCpu, 3),
  ]
}
