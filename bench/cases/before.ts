import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { checkOut, whyNoOtherCheckout } from '../servers/other-checkout.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { readCpu } from '../support/cpu-time.ts'
import { readMemory, readSettledMemory } from '../support/memory.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Candidate, Contender, Shape } from './contender.ts'
import { measureWithNodeLoad } from './node-load.ts'
import { formatShapeRounds, type RatioPair } from './rates.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'
import { measureShapeRounds, toShapeData } from './shape-rounds.ts'

const SHAPES: readonly Shape[] = [
  { connections: 50, inFlight: 64 },
  { connections: 50, inFlight: 1 },
]

/** A server that has just begun to listen, and then does nothing. */
interface StartSample {
  /** From its being started until it accepts a connection. */
  readonly startMs: number
  /** CPU of all its threads until then. */
  readonly startCpuMs: number | undefined
  readonly idleBytes: number
  /** Share of a core that it keeps busy while nobody asks. */
  readonly idleCpu: number
}

type Version = Contender & { readonly start: Measurable<StartSample> }

const now = version(
  'herd',
  'herd',
  () => undefined,
  async () => undefined,
)
const then = version('herd-before', 'herd, the commit before', whyNoOtherCheckout, (context) =>
  checkOut(context.before, context),
)
const VERSIONS = [now, then]
const RATIOS: readonly RatioPair[] = [[now, then]]

/** What the other gateways cost a server whose clients speak lines: its rate, its start and its memory, beside an earlier commit. */
export const before: Benchmark = { name: 'before', contenders: VERSIONS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = ({ startMs, idleBytes }: StartSample): string =>
    `up after ${Math.round(startMs)} ms, ${Math.round(idleBytes / 1e6)} MB`
  const starts = await measureRounds(
    before.name,
    VERSIONS.map(({ start }) => start),
    context.rounds,
    context,
    tell,
  )
  const { results, notes } = await measureShapeRounds(before.name, SHAPES, VERSIONS, context)
  const tables = results.map((one) => `IAMAT over TCP, all gateways on, ${formatShapeRounds(one, RATIOS)}`)
  return {
    text: [...tables, formatStarts(starts), ...notes].join('\n\n'),
    data: { before: context.before, ...toShapeData(results, RATIOS, notes), starts: toData(starts) },
  }
}

function version(
  name: string,
  title: string,
  missing: () => string | undefined,
  commandOf: (context: BenchContext) => Promise<string | undefined>,
): Version {
  const optionsOf = async (context: BenchContext) => {
    const command = await commandOf(context)
    return { logLevel: 'events', ...(command !== undefined && { command }) } as const
  }
  const candidate = { name, title, missing: () => whyNoHerd() ?? missing() }
  return {
    ...candidate,
    measure: async (shape, context) =>
      measureAndStop(await startHerd(name, await optionsOf(context), context), (running) =>
        measureWithNodeLoad(running, shape, context),
      ),
    start: {
      ...candidate,
      missing: () =>
        candidate.missing() ??
        (readMemory(process.pid) === undefined
          ? 'the system does not tell the memory of a process'
          : undefined),
      measure: async (context) => {
        const options = await optionsOf(context)
        const startedMs = performance.now()
        const running = await startHerd(name, options, context)
        const startMs = performance.now() - startedMs
        const { pid } = running.server
        const up = readCpu(pid)
        return measureAndStop(running, async () => {
          const { residentBytes: idleBytes } = await readSettledMemory(pid)
          const from = readCpu(pid)
          await readSettledMemory(pid)
          const to = readCpu(pid)
          return {
            startMs,
            startCpuMs: up === undefined ? undefined : up.cpuSeconds * 1000,
            idleBytes,
            idleCpu:
              from === undefined || to === undefined
                ? Number.NaN
                : (to.cpuSeconds - from.cpuSeconds) / ((to.atMs - from.atMs) / 1000),
          }
        })
      },
    },
  }
}

const FIGURES: readonly [string, (sample: StartSample) => number | undefined, decimals: number][] = [
  ['until it listens, ms', ({ startMs }) => startMs, 0],
  ['CPU until then, ms', ({ startCpuMs }) => startCpuMs, 0],
  ['memory when idle, MB', ({ idleBytes }) => idleBytes / 1e6, 1],
  ['CPU when idle, % of a core', ({ idleCpu }) => idleCpu * 100, 2],
]

function formatStarts(rounds: Rounds<StartSample>): string {
  const [ours, theirs] = VERSIONS.map(({ start }) => start)
  const columns: Column[] = [
    { title: 'a server without clients', align: 'left' },
    ...[...rounds.samples.keys()].flatMap(({ title }): Column[] => [
      { title, align: 'right' },
      { title: 'min – max', align: 'right' },
    ]),
    { title: 'ratio', align: 'right' },
    { title: 'min – max', align: 'right' },
  ]
  const rows = FIGURES.map(([title, figure, decimals]) => [
    title,
    ...[...rounds.samples.values()].flatMap((samples) =>
      formatSpread(summarize(present(samples.map(figure))), decimals),
    ),
    ...formatSpread(ratioOf(rounds, ours, theirs, figure), 2),
  ])
  return formatTable(columns, rows)
}

function ratioOf(
  rounds: Rounds<StartSample>,
  of: Candidate | undefined,
  to: Candidate | undefined,
  figure: (sample: StartSample) => number | undefined,
): ReturnType<typeof compare> {
  return of === undefined || to === undefined ? undefined : compare(rounds, of, to, figure)
}
