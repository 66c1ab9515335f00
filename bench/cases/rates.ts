/** Tables and ratios of what several contenders did in the same rounds. Pure. */
import { present, ratiosPerRound, type Summary, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatShare, formatTable } from '../support/table.ts'
import type { Contender, Sample, Shape } from './contender.ts'

/** All rounds of one shape, by contender. */
export interface ShapeRounds {
  readonly shape: Shape
  readonly rounds: ReadonlyMap<Named, readonly Sample[]>
}

/** What of a contender its figures need. */
export type Named = Pick<Contender, 'name' | 'title'>

/** Whose rate is divided by whose. */
export type RatioPair = readonly [of: Named, to: Named]

/** One pair, round by round. Above 1 the first of the pair is the better one, in both figures. */
export interface Ratio {
  readonly name: string
  readonly rate: RoundRatios
  /**
   * Messages per CPU second of the server, missing where the system does not tell. It compares the servers
   * also where the load is what is at its limit, and hides how much more they could take.
   */
  readonly perCpuSecond: RoundRatios | undefined
}

export interface RoundRatios extends Summary {
  readonly rounds: readonly number[]
}

const COLUMNS: readonly Column[] = [
  { title: 'server', align: 'left' },
  { title: 'msg/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'server CPU', align: 'right' },
  { title: 'load CPU', align: 'right' },
  { title: 'server µs/msg', align: 'right' },
  { title: 'batch p50 µs', align: 'right' },
  { title: 'p99 µs', align: 'right' },
]

const RATIO_COLUMNS: readonly Column[] = [
  { title: 'ratio, round by round', align: 'left' },
  { title: 'msg/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'msg per server CPU second', align: 'right' },
  { title: 'min – max', align: 'right' },
]

/** Below this share of a core neither side was at its limit, so something else had the cores. */
const SATURATED_SHARE = 0.85

/** One table of rates and one of ratios, as far as there are any. */
export function formatShapeRounds(
  { shape, rounds }: ShapeRounds,
  pairs: readonly RatioPair[],
  /** What the servers wait for: where it is the disk, cores are idle in an undisturbed run too. */
  limit: 'cores' | 'disk' = 'cores',
): string {
  const rows = [...rounds].map(([contender, samples]) => formatRow(contender, samples))
  const ratios = listRatios(rounds, pairs).map(({ name, rate, perCpuSecond }) => [
    name,
    ...formatRatio(rate),
    ...formatRatio(perCpuSecond),
  ])
  return [
    `${describeShape(shape)} (medians)`,
    formatTable(COLUMNS, rows),
    ...(ratios.length === 0 ? [] : [formatTable(RATIO_COLUMNS, ratios)]),
    ...(limit === 'disk' ? [] : warnOfOthers([...rounds.values()].flat())),
  ].join('\n\n')
}

/** The pairs of which both were measured. */
export function listRatios(rounds: ShapeRounds['rounds'], pairs: readonly RatioPair[]): Ratio[] {
  return pairs.flatMap(([of, to]) => {
    const compare = (figure: (sample: Sample) => number | undefined): RoundRatios | undefined => {
      const ratios = ratiosPerRound(rounds.get(of)?.map(figure) ?? [], rounds.get(to)?.map(figure) ?? [])
      const summary = summarize(ratios)
      return summary === undefined ? undefined : { ...summary, rounds: ratios }
    }
    const rate = compare((sample) => sample.messagesPerSecond)
    if (rate === undefined) return []
    return [{ name: `${of.name} / ${to.name}`, rate, perCpuSecond: compare(messagesPerCpuSecond) }]
  })
}

export function describeShape(shape: Shape): string {
  return `${shape.connections} connections × ${shape.inFlight} in flight`
}

/** A warning, where it is due, that figures by the clock are those of a disturbed run. */
export function warnOfOthers(samples: readonly Pick<Sample, 'serverCpu' | 'loadCpu'>[]): string[] {
  const disturbed = samples.filter(
    ({ serverCpu, loadCpu }) =>
      serverCpu !== undefined && loadCpu !== undefined && Math.max(serverCpu, loadCpu) < SATURATED_SHARE,
  )
  if (disturbed.length === 0) return []
  return [
    `In ${disturbed.length} of ${samples.length} measurements neither server nor load filled its core: ` +
      'other processes ran, and only the figures per CPU time hold.',
  ]
}

function formatRow(contender: Named, samples: readonly Sample[]): string[] {
  const rate = summarize(samples.map((sample) => sample.messagesPerSecond))
  const perCpuSecond = medianOf(samples, messagesPerCpuSecond)
  return [
    contender.title,
    rate === undefined ? '–' : formatCount(rate.median),
    rate === undefined ? '–' : `${formatCount(rate.min)} – ${formatCount(rate.max)}`,
    formatShare(medianOf(samples, (sample) => sample.serverCpu)),
    formatShare(medianOf(samples, (sample) => sample.loadCpu)),
    formatDecimal(perCpuSecond === undefined ? undefined : 1_000_000 / perCpuSecond, 2),
    formatDecimal(
      medianOf(samples, (sample) => sample.batchP50Us),
      0,
    ),
    formatDecimal(
      medianOf(samples, (sample) => sample.batchP99Us),
      0,
    ),
  ]
}

function formatRatio(ratios: Summary | undefined): [median: string, spread: string] {
  if (ratios === undefined) return ['–', '–']
  return [
    formatDecimal(ratios.median, 2),
    `${formatDecimal(ratios.min, 2)} – ${formatDecimal(ratios.max, 2)}`,
  ]
}

function medianOf(
  samples: readonly Sample[],
  figure: (sample: Sample) => number | undefined,
): number | undefined {
  return summarize(present(samples.map(figure)))?.median
}

function messagesPerCpuSecond({ messagesPerSecond, serverCpu }: Sample): number | undefined {
  return serverCpu === undefined || serverCpu === 0 ? undefined : messagesPerSecond / serverCpu
}
