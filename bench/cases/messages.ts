import { setTimeout as sleep } from 'node:timers/promises'
import type { PulseResult } from '../load/pulse-result.ts'
import { formatTargets } from '../load/targets.ts'
import { CountingProxy } from '../servers/counting-proxy.ts'
import { floodMessagesMax, type Graph, gridGraph, RING_OF_FIVE } from '../servers/graphs.ts'
import { type HerdCluster, withCluster } from '../servers/herd-cluster.ts'
import { whyNoHerd } from '../servers/herd-server.ts'
import { linesUnderWay, readStatuses, sumOf, whenQuiet } from '../servers/herd-status.ts'
import { summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { runLoad } from './load-process.ts'
import { formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

/** It hardly varies, and 25 servers take their time to start. */
const ROUNDS_MAX = 3
const SECONDS = 4
const IDLE_MS = 4000
const SETTLE_MS_MAX = 20_000
const MORE_MS_MAX = 25_000

/** What one herd says between its servers. */
interface MessagesSample {
  readonly updates: number
  /** AT lines sent over all links. */
  readonly lines: number
  /** What a flood without conflation needs at most. */
  readonly linesMax: number
  /** Over all links, both ways, while updates were sent and until all was quiet. */
  readonly bytes: number
  /** Over all links in a second in which nothing happens. */
  readonly idleBytesPerSecond: number
}

const ring = contender('ring', 'ring of 5', RING_OF_FIVE, 500)
const grid = contender('grid', 'grid of 5 × 5', gridGraph(5, 5), 100)
const CONTENDERS = [ring, grid]

/** AT lines and bytes that servers send each other for an update, when there is no hurry. */
export const messages: Benchmark = { name: 'messages', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = (sample: MessagesSample): string =>
    `${linesPerUpdate(sample).toFixed(2)} lines and ${Math.round(bytesPerUpdate(sample))} bytes an update`
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const rounds = await measureRounds('messages', CONTENDERS, count, context, tell)
  return { text: formatReport(rounds, count), data: toData(rounds) }
}

function contender(
  name: string,
  title: string,
  graph: Graph,
  updatesPerSecond: number,
): Measurable<MessagesSample> {
  return {
    name,
    title,
    missing: whyNoHerd,
    measure: async (context) => {
      // Whichever side dials, its link leads through a proxy.
      const ways = graph.links.flatMap(
        ([one, other]) =>
          [
            [one, other],
            [other, one],
          ] as const,
      )
      const routes = await Promise.all(
        ways.map(async ([from, to]) => ({ from, to, proxy: await CountingProxy.start() })),
      )
      const proxies = routes.map(({ proxy }) => proxy)
      try {
        return await withCluster({ ...graph, encryption: 'none', routes }, context, (cluster) =>
          measure(cluster, graph, updatesPerSecond, proxies, context),
        )
      } finally {
        for (const proxy of proxies) proxy.close()
      }
    },
  }
}

async function measure(
  { targets }: HerdCluster,
  graph: Graph,
  updatesPerSecond: number,
  proxies: readonly CountingProxy[],
  context: BenchContext,
): Promise<MessagesSample> {
  const countBytes = (): number => proxies.reduce((sum, { bytes }) => sum + bytes, 0)
  const idleBefore = countBytes()
  await sleep(IDLE_MS)
  const idleBytesPerSecond = ((countBytes() - idleBefore) / IDLE_MS) * 1000

  const before = await readStatuses(targets)
  const bytesBefore = countBytes()
  const options = {
    dialect: 'herd',
    targets: formatTargets(targets),
    rate: updatesPerSecond,
    'warm-up-seconds': 0,
    seconds: SECONDS,
  }
  const stdout = await runLoad('pulse-load.ts', options, SECONDS * 1000 + MORE_MS_MAX, context, 'any')
  const { updatesInAll: updates } = JSON.parse(stdout) as PulseResult
  const { statuses: after } = await whenQuiet(targets, linesUnderWay(before), SETTLE_MS_MAX)
  const bytes = countBytes() - bytesBefore
  const lines = sumOf(after, 'linkLinesOut') - sumOf(before, 'linkLinesOut')
  const applied = sumOf(after, 'fixesNew') - sumOf(before, 'fixesNew')
  if (applied < updates * targets.length * (1 - CONFLATED_MAX)) {
    throw new Error(`${applied} updates were applied, of ${updates} at ${targets.length} servers`)
  }
  return { updates, lines, linesMax: floodMessagesMax(graph), bytes, idleBytesPerSecond }
}

/** More would make the lines for an update look few. */
const CONFLATED_MAX = 0.001

function linesPerUpdate({ lines, updates }: MessagesSample): number {
  return lines / updates
}

function bytesPerUpdate({ bytes, updates }: MessagesSample): number {
  return bytes / updates
}

const COLUMNS: readonly Column[] = [
  { title: 'herd', align: 'left' },
  { title: 'AT lines an update', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: '2E − n + 1', align: 'right' },
  { title: 'bytes an update', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'idle bytes/s', align: 'right' },
]

function formatReport(rounds: Rounds<MessagesSample>, count: number): string {
  const rows = [...rounds.samples].map(([{ title }, samples]) => [
    title,
    ...formatSpread(summarize(samples.map(linesPerUpdate)), 2),
    String(samples[0]?.linesMax ?? '–'),
    ...formatSpread(summarize(samples.map(bytesPerUpdate)), formatCount),
    formatSpread(summarize(samples.map((sample) => sample.idleBytesPerSecond)), formatCount)[0],
  ])
  return [
    `What servers say to each other for an update at a low rate, links plain (medians of ${count} rounds)`,
    formatTable(COLUMNS, rows),
    ...rounds.notes,
  ].join('\n\n')
}
