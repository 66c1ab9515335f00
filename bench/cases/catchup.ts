import { setTimeout as sleep } from 'node:timers/promises'
import type { Quantiles } from '../load/arrivals.ts'
import type { ProbeResult } from '../load/probe-result.ts'
import { type Encryption, formatTargets } from '../load/targets.ts'
import { CountingProxy } from '../servers/counting-proxy.ts'
import { type HerdCluster, withCluster } from '../servers/herd-cluster.ts'
import {
  countOf,
  linesUnderWay,
  readStatuses,
  type Statuses,
  waitForStatuses,
} from '../servers/herd-status.ts'
import { waitForSuccess } from '../support/children.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { herdWithLinks } from './encrypted.ts'
import { tellFleet } from './fleet-load.ts'
import { startLoad } from './load-process.ts'
import { formatSpread, measureRounds, type Rounds, toData } from './rounds.ts'

/** The one that misses something, its neighbor, and one that stands by. */
const [LATE, NEIGHBOR, THIRD] = ['Late', 'Neighbor', 'Third'] as const
const CUT_MS = 10_000
const CHANGED = 1000
/** A million clients take a few seconds, ten million a minute. */
const CAUGHT_UP_MS_MAX = 300_000
const PROBE_MS = 2000
const PROBE_READY_MS = 1000
const PROBE_END_MS_MAX = 10_000
const POLL_MS = 5
const ROUNDS_MAX = 3

/** How one catch-up went, from the first byte of the new link. */
interface Exchange {
  /** Until the late server knew all. */
  readonly knownMs: number
  /** Until nothing more was owed either way. */
  readonly quietMs: number
  /** Both ways, until then. */
  readonly bytes: number
}

interface CatchupSample {
  readonly clients: number
  readonly cut: Exchange
  /** A server without anything, through the same proxy. */
  readonly empty: Exchange
  /** The same without the proxy and from when it listens, while the other servers are asked how quick they are. */
  readonly direct: Omit<Exchange, 'bytes'>
  /** Answers to reports before that, and while it went on, by server. */
  readonly before: Readonly<Record<string, Quantiles>>
  readonly meanwhile: Readonly<Record<string, Quantiles>>
}

const CONTENDERS = [herdWithLinks('psk', measureHerd), herdWithLinks('none', measureHerd)]

/** What it costs to catch up: after a link was cut, and with an empty server. */
export const catchup: Benchmark = { name: 'catchup', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const tell = ({ cut, empty, direct }: CatchupSample): string =>
    `${formatCount(cut.bytes)} bytes after a cut, ${formatCount(empty.bytes)} for an empty server, ` +
    `which takes ${(direct.knownMs / 1000).toFixed(1)} s`
  const rounds = await measureRounds('catchup', CONTENDERS, count, context, tell)
  return { text: formatReport(rounds, context.clients, count), data: toData(rounds) }
}

async function measureHerd(encryption: Encryption, context: BenchContext): Promise<CatchupSample> {
  const { cut, empty } = await measureBytes(encryption, context)
  return { clients: context.clients, cut, empty, ...(await measureDirect(encryption, context)) }
}

/** All links of the late server lead through a proxy. */
async function measureBytes(
  encryption: Encryption,
  context: BenchContext,
): Promise<Pick<CatchupSample, 'cut' | 'empty'>> {
  const [there, back] = [await CountingProxy.start(), await CountingProxy.start()]
  const proxies = [there, back]
  const routes = [
    { from: LATE, to: NEIGHBOR, proxy: there },
    { from: NEIGHBOR, to: LATE, proxy: back },
  ]
  try {
    return await withCluster({ ...planOf(encryption, context), routes }, context, async (cluster) => {
      await fill(cluster, context)
      for (const proxy of proxies) proxy.cut()
      const cutAtMs = performance.now()
      // Half-way through the table, so that going through all of it is neither lucky nor unlucky.
      const first = Math.floor(context.clients / 2)
      const changed = { feed: 'fill', first, end: first + CHANGED } as const
      await tellFleet(cluster.running(NEIGHBOR), 'herd', changed, context)
      const late = cluster.target(LATE)
      const [before] = await readStatuses([late])
      if (before === undefined) throw new Error(`${LATE} has no status`)
      const known = countOf(before.counters, 'fixesNew') + CHANGED
      await sleep(CUT_MS - (performance.now() - cutAtMs))
      const cut = await exchange(cluster, proxies, ([status]) => fixesNew(status) >= known)

      await cluster.stopServer(LATE)
      for (const proxy of proxies) proxy.cut()
      await cluster.startServer(LATE)
      const empty = await exchange(cluster, proxies, ([status]) => (status?.clients ?? 0) >= context.clients)
      return { cut, empty }
    })
  } finally {
    for (const proxy of proxies) proxy.close()
  }
}

/** Heals the link, and waits until the late server knows all and no link owes anything. */
async function exchange(
  cluster: HerdCluster,
  proxies: readonly CountingProxy[],
  isKnown: (statuses: Statuses) => boolean,
): Promise<Exchange> {
  const countBytes = (): number => proxies.reduce((sum, { bytes }) => sum + bytes, 0)
  const bytesBefore = countBytes()
  for (const proxy of proxies) proxy.heal()
  while (proxies.every(({ firstByteMs }) => firstByteMs === 0)) await sleep(POLL_MS)
  const startMs = Math.min(...proxies.map(({ firstByteMs }) => firstByteMs || Number.POSITIVE_INFINITY))
  await waitForStatuses([cluster.target(LATE)], isKnown, 'the late server knows all', CAUGHT_UP_MS_MAX)
  const knownMs = performance.now() - startMs
  await whenNothingOwed(cluster)
  return { knownMs, quietMs: performance.now() - startMs, bytes: countBytes() - bytesBefore }
}

async function measureDirect(
  encryption: Encryption,
  context: BenchContext,
): Promise<Pick<CatchupSample, 'direct' | 'before' | 'meanwhile'>> {
  return withCluster(planOf(encryption, context), context, async (cluster) => {
    await fill(cluster, context)
    await cluster.stopServer(LATE)
    const asked = [cluster.target(NEIGHBOR), cluster.target(THIRD)]
    const targets = formatTargets(asked)
    // The probes have clients of their own, one at each server.
    const clients = context.clients + asked.length
    const probe = await startLoad('probe-load.ts', { targets, 'first-client': context.clients }, context)
    await sleep(PROBE_READY_MS)
    process.kill(probe.pid, 'SIGUSR2')
    await sleep(PROBE_MS)
    await cluster.startServer(LATE)
    // It listens, and dials at once.
    process.kill(probe.pid, 'SIGUSR2')
    const startMs = performance.now()
    const isKnown = ([status]: Statuses): boolean => (status?.clients ?? 0) >= clients
    await waitForStatuses([cluster.target(LATE)], isKnown, 'the late server knows all', CAUGHT_UP_MS_MAX)
    const knownMs = performance.now() - startMs
    process.kill(probe.pid, 'SIGTERM')
    await whenNothingOwed(cluster)
    const quietMs = performance.now() - startMs
    const [, before = {}, meanwhile = {}] = JSON.parse(
      (await waitForSuccess(probe, PROBE_END_MS_MAX)).stdout,
    ) as ProbeResult
    return { direct: { knownMs, quietMs }, before, meanwhile }
  })
}

function planOf(encryption: Encryption, context: BenchContext): Parameters<typeof withCluster>[0] {
  return {
    names: [LATE, NEIGHBOR, THIRD],
    encryption,
    links: [
      [LATE, NEIGHBOR],
      [NEIGHBOR, THIRD],
    ],
    settings: {
      limits: { clientsMax: context.clients + CHANGED },
      // What is measured begins with the link, not with the delay before it is dialed again.
      link: { redialMsMin: 100, redialMsMax: 500 },
    },
  }
}

/** All servers know all clients, and owe nothing. */
async function fill(cluster: HerdCluster, context: BenchContext): Promise<void> {
  await tellFleet(
    cluster.running(NEIGHBOR),
    'herd',
    { feed: 'fill', first: 0, end: context.clients },
    context,
  )
  const allKnow = (statuses: Statuses): boolean => statuses.every(({ clients }) => clients >= context.clients)
  await waitForStatuses(cluster.targets, allKnow, 'all servers know all clients', CAUGHT_UP_MS_MAX)
  await whenNothingOwed(cluster)
}

/** No link owes anything, and no line came in between two looks. */
async function whenNothingOwed(cluster: HerdCluster): Promise<void> {
  let linesBefore = Number.NaN
  const isQuiet = (statuses: Statuses): boolean => {
    const owed = statuses.some(({ links }) => links.some(({ queued }) => queued > 0))
    const lines = linesUnderWay(statuses)
    const same = lines === linesBefore
    linesBefore = lines
    return same && !owed
  }
  await waitForStatuses(cluster.targets, isQuiet, 'no link owes anything', CAUGHT_UP_MS_MAX)
}

function fixesNew(status: Statuses[number] | undefined): number {
  return status === undefined ? 0 : countOf(status.counters, 'fixesNew')
}

const ROWS: readonly (readonly [
  title: string,
  figure: (sample: CatchupSample) => number | undefined,
  format: number | ((value: number) => string),
])[] = [
  [`cut of ${CUT_MS / 1000} s: bytes`, ({ cut }) => cut.bytes, formatCount],
  ['ms until the changed were known', ({ cut }) => cut.knownMs, 0],
  ['ms until nothing was owed', ({ cut }) => cut.quietMs, 0],
  ['empty server: bytes', ({ empty }) => empty.bytes, formatCount],
  ['bytes, cut / empty', ({ cut, empty }) => cut.bytes / empty.bytes, 4],
  ['seconds until all were known', ({ direct }) => direct.knownMs / 1000, 1],
  ['MB/s', ({ direct, empty }) => empty.bytes / direct.knownMs / 1000, 0],
  ['IAMAT at its neighbor before, p99 ms', ({ before }) => before[NEIGHBOR]?.p99Ms, 2],
  ['meanwhile, p99 ms', ({ meanwhile }) => meanwhile[NEIGHBOR]?.p99Ms, 2],
  ['meanwhile, longest ms', ({ meanwhile }) => meanwhile[NEIGHBOR]?.maxMs, 1],
  ['IAMAT at the third before, p99 ms', ({ before }) => before[THIRD]?.p99Ms, 2],
  ['meanwhile, p99 ms', ({ meanwhile }) => meanwhile[THIRD]?.p99Ms, 2],
  ['meanwhile, longest ms', ({ meanwhile }) => meanwhile[THIRD]?.maxMs, 1],
]

function formatReport(rounds: Rounds<CatchupSample>, clients: number, count: number): string {
  const measured = [...rounds.samples]
  const columns: Column[] = [
    { title: '', align: 'left' },
    ...measured.flatMap(([{ title }]): Column[] => [
      { title, align: 'right' },
      { title: 'min – max', align: 'right' },
    ]),
  ]
  const rows = ROWS.map(([title, figure, format]) => [
    title,
    ...measured.flatMap(([, samples]) => formatSpread(summarize(present(samples.map(figure))), format)),
  ])
  return [
    `Catching up with ${formatCount(clients)} clients, of which ${formatCount(CHANGED)} changed while a link was cut ` +
      `(medians of ${count} rounds; servers and loads share all cores)`,
    ...(measured.length === 0 ? [] : [formatTable(columns, rows)]),
    ...rounds.notes,
  ].join('\n\n')
}
