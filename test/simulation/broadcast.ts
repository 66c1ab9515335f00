/**
 * What an update costs, and how soon all know it, as the broadcast workload of Maelstrom asks: 25 servers, 100 ms on every
 * link, 100 updates a second. Nothing breaks.
 */
import { makeEdges, makePlan, type Plan, type Shape } from './plan.ts'
import { Random } from './random.ts'
import { SimServer } from './server.ts'
import { build, updateLinesMax } from './simulation.ts'
import { Watch } from './watch.ts'
import { World } from './world.ts'

const UPDATES_PER_SECOND = 100
const SECONDS = 20
/** Links come up, and the last updates arrive, in so long. */
const SETTLE_MS = 5000

/** What is varied. */
interface Scenario {
  readonly shape: Shape
  readonly servers: number
  readonly batchMs: number
}

/** What came out. */
export interface Broadcast extends Scenario {
  /** All per update. */
  readonly lines: number
  readonly linesMax: number
  readonly batches: number
  readonly words: number
  readonly bytes: number
  /** From the report until a server has it, of all servers and updates. */
  readonly eachP50Ms: number
  /** From the report until the last server has it. */
  readonly p50Ms: number
  readonly maxMs: number
}

const SCENARIOS: readonly Scenario[] = [
  { shape: 'grid', servers: 25, batchMs: 0 },
  { shape: 'grid', servers: 25, batchMs: 50 },
  { shape: 'tree', servers: 25, batchMs: 0 },
  { shape: 'tree', servers: 25, batchMs: 50 },
  { shape: 'star', servers: 25, batchMs: 0 },
  { shape: 'star', servers: 25, batchMs: 50 },
  { shape: 'ring', servers: 5, batchMs: 0 },
]

/** Runs one. */
export function broadcast(scenario: Scenario): Broadcast {
  const { world, watch } = makeWorld(scenario)
  const { agenda } = world
  const reported = new Map<string, { readonly atMs: number; left: number }>()
  const latencies: number[] = []
  const deliveries: number[] = []
  watch.onNews = (_, fix) => {
    const update = reported.get(fix.client)
    if (update === undefined) return
    deliveries.push(agenda.nowMs - update.atMs)
    if (--update.left > 0) return
    latencies.push(agenda.nowMs - update.atMs)
  }
  agenda.runUntil(SETTLE_MS)
  const before = { ...watch.sent }
  const random = new Random(1)
  const servers = [...world.servers.values()]
  for (let update = 0; update < UPDATES_PER_SECOND * SECONDS; update++) {
    agenda.runUntil(SETTLE_MS + (update * 1000) / UPDATES_PER_SECOND)
    const client = `client${update}`
    reported.set(client, { atMs: agenda.nowMs, left: servers.length })
    const timeMicros = world.epochMicros + Math.round(agenda.nowMs * 1000)
    random.pick(servers).report({
      client,
      timeMicros,
      positionText: '+34.068930-118.445127',
      attributesText: '',
      ...{ peers: 0, disk: false },
    })
  }
  agenda.runUntil(agenda.nowMs + SETTLE_MS)
  if (latencies.length !== reported.size) throw new Error('not all updates came everywhere')
  latencies.sort((a, b) => a - b)
  deliveries.sort((a, b) => a - b)
  const each = (name: keyof typeof before): number => (watch.sent[name] - before[name]) / reported.size
  return {
    ...scenario,
    ...{ lines: each('lines'), batches: each('batches'), words: each('words'), bytes: each('bytes') },
    linesMax: updateLinesMax(world.plan),
    eachP50Ms: deliveries[deliveries.length >> 1] ?? 0,
    p50Ms: latencies[latencies.length >> 1] ?? 0,
    maxMs: latencies.at(-1) ?? 0,
  }
}

/** All scenarios, as a table. */
export function broadcastTable(): string {
  const rows = SCENARIOS.map(broadcast).map((row) => {
    const { shape, servers, batchMs, lines, linesMax, batches, words, bytes, eachP50Ms, p50Ms, maxMs } = row
    const counts = [lines, batches, words].map((count) => count.toFixed(1)).join(' | ')
    const ms = [eachP50Ms, p50Ms, maxMs].map((time) => time.toFixed(0)).join(' | ')
    return `| ${shape} of ${servers} | ${batchMs} | ${counts} | ${linesMax} | ${bytes.toFixed(0)} | ${ms} |`
  })
  const head =
    '| herd | batchMs | AT lines | batches | words | 2E − n + 1 | bytes | p50 each ms | p50 all ms | max ms |'
  return [head, '|---|---|---|---|---|---|---|---|---|---|', ...rows].join('\n')
}

function makeWorld({ shape, servers, batchMs }: Scenario): { world: World; watch: Watch } {
  const calm = makePlan(1, { serversMax: servers, isCalm: true })
  const path = { latencyMs: 100, jitterMs: 0, bytesPerMs: Number.POSITIVE_INFINITY }
  const plan: Plan = {
    ...calm,
    shape,
    edges: makeEdges(shape, servers, new Random(1)),
    // As a herd file has them by default.
    limits: {
      ...calm.limits,
      heartbeatMs: 1000,
      batchBytesMax: 65_536,
      batchMs,
      claimMs: 100,
      auditMs: 60_000,
    },
    path: { ...path, windowBytes: 20_000, chunkBytesMax: 65_536 },
  }
  const world = new World(plan, new Random(2), null)
  const watch = new Watch(world)
  world.watch = watch
  build(world, (name) => new SimServer(world, name, plan.limits, 1_000_000))
  return { world, watch }
}
