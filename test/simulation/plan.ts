import type { DiskPlan } from './disk.ts'
import { DISKS_SEED, Random } from './random.ts'
import type { SimLimits } from './server.ts'
import type { PathLimits } from './wire.ts'

/** The shape of a herd. */
export type Shape = 'tree' | 'ring' | 'grid' | 'random' | 'star'

/** What kinds of faults may happen. */
export type FaultKind =
  | 'cut'
  | 'stall'
  | 'partition'
  | 'slow'
  | 'crash'
  | 'race'
  | 'clock'
  | 'join'
  | 'leave'
  | 'ackCrash'
  | 'rot'
  | 'full'

/** All that a seed decides before time begins. */
export interface Plan {
  readonly seed: number
  readonly shape: Shape
  readonly servers: readonly string[]
  /** Pairs of indexes. */
  readonly edges: readonly (readonly [number, number])[]
  /** Servers of the old kind, and the indexes of their neighbors. */
  readonly classics: readonly (readonly number[])[]
  /** A server whose table has room for few clients, and its neighbors; or none. */
  readonly small: readonly number[] | null
  readonly smallClientsMax: number
  readonly clients: number
  readonly hotClients: number
  readonly reportsPerSecond: number
  readonly reportingMs: number
  /** Whether some reports carry attributes. */
  readonly hasAttributes: boolean
  /** How often a client waits until so many neighbors hold what it reported. */
  readonly waitsPart: number
  /** Disks; `null`: no server has one. */
  readonly disk: DiskPlan | null
  readonly faultsPerSecond: number
  readonly faults: readonly FaultKind[]
  readonly limits: SimLimits
  readonly path: PathLimits
}

/** What the caller fixes. */
export interface PlanOptions {
  /** Servers at most. */
  readonly serversMax: number
  /** Exactly so many servers, and no faults. */
  readonly isCalm: boolean
}

const KINDS: readonly FaultKind[] = [
  ...(['cut', 'stall', 'partition', 'slow', 'crash', 'race', 'clock', 'join', 'leave', 'ackCrash'] as const),
]
/** A seed of so many has a table that changes by itself, and no other faults of memory. */
const ROT_PART = 0.08

/** Makes the plan of a seed. */
export function makePlan(seed: number, options: PlanOptions): Plan {
  const random = new Random(seed)
  const { serversMax, isCalm } = options
  const spread = random.next()
  const count = isCalm ? serversMax : 2 + Math.floor((serversMax - 1) * spread * spread)
  const shape = random.pick(['tree', 'ring', 'grid', 'random'] as const)
  const servers = Array.from({ length: count }, (_, index) => `S${index}`)
  const hasFaults = !isCalm && random.chance(0.9)
  const isRotten = hasFaults && random.chance(ROT_PART)
  const clients = 1 + Math.floor(60 * random.next() ** 2)
  const neighbors = (most: number): number[] => {
    const all = servers.map((_, index) => index)
    return Array.from({ length: Math.min(1 + random.below(most), count) }, () => {
      return all.splice(random.below(all.length), 1)[0] as number
    })
  }
  const extras = hasFaults && !isRotten
  const classics = extras && random.chance(0.25) ? [neighbors(3)] : []
  const small = extras && random.chance(0.2) ? neighbors(2) : null
  const disks = new Random(seed ^ DISKS_SEED)
  const disk = isCalm || isRotten ? null : makeDisk(disks)
  const full = disk !== null && disks.chance(0.6) ? (['full'] as const) : []
  return {
    ...{ seed, shape, servers, clients, classics, small, disk },
    edges: makeEdges(shape, count, random),
    smallClientsMax: 1 + random.below(clients),
    hotClients: Math.ceil(clients / 8),
    reportsPerSecond: isCalm ? 5 : Math.min(60, 400 / count) * random.between(0.3, 1.5),
    reportingMs: isCalm ? 4000 : random.between(5000, 14_000),
    hasAttributes: random.chance(0.3),
    waitsPart: random.chance(0.6) ? random.between(0.02, 0.4) : 0,
    faultsPerSecond: hasFaults ? random.between(0.3, 4) : 0,
    faults: hasFaults
      ? isRotten
        ? ['rot', 'cut']
        : [...KINDS.filter(() => random.chance(0.6)), ...full]
      : [],
    limits: makeLimits(random, isRotten),
    path: makePath(random, isCalm),
  }
}

/** Half of all herds have disks. */
function makeDisk(random: Random): DiskPlan | null {
  if (random.chance(0.5)) return null
  return {
    part: random.pick([0.3, 0.7, 1]),
    latencyMs: random.pick([0.1, 10, 10, 100, 1000]),
    everyMs: random.pick([5, 100, 1000]),
    batchBytesMax: random.pick([150, 1000, 65_536]),
    compactBytesMin: random.pick([300, 2000, 20_000]),
    retryMs: random.pick([100, 1000]),
    lostPart: random.pick([0, 0.1, 0.4]),
    waitsPart: random.pick([0, 0.05, 0.3]),
  }
}

function makeLimits(random: Random, isRotten: boolean): SimLimits {
  return {
    heartbeatMs: random.pick([300, 1000]),
    silenceMsMax: 3000,
    progressMsMax: 5000,
    handshakeMsMax: 2000,
    redialMsMin: 200,
    redialMsMax: 4000,
    batchBytesMax: random.pick([150, 400, 1500, 65_536]),
    batchMs: random.pick([0, 0, 0, 5, 50]),
    claimMs: random.pick([1, 20, 100, 100, 500]),
    auditMs: random.pick([2000, 5000]),
    lineBytesMax: 65_536,
    // With fewer runs than servers vectors are never even, and nobody audits.
    runsMax: random.chance(0.15) && !isRotten ? 8 : 1024,
  }
}

function makePath(random: Random, isCalm: boolean): PathLimits {
  const isSlow = !isCalm && random.chance(0.2)
  return {
    latencyMs: isCalm ? 20 : random.pick([0.1, 1, 20, 100]),
    jitterMs: random.chance(0.5) ? random.pick([0.5, 5, 50]) : 0,
    bytesPerMs: isSlow ? random.between(2, 50) : Number.POSITIVE_INFINITY,
    windowBytes: random.pick([0, 500, 20_000]),
    chunkBytesMax: random.pick([60, 300, 1460, 65_536, 65_536]),
  }
}

/** Makes a connected graph. @returns pairs of indexes below `count`, each once, the lower first. */
export function makeEdges(shape: Shape, count: number, random: Random): [number, number][] {
  const edges = new Map<string, [number, number]>()
  const add = (a: number, b: number): void => {
    const edge: [number, number] = [Math.min(a, b), Math.max(a, b)]
    if (a !== b) edges.set(edge.join('-'), edge)
  }
  const width = Math.ceil(Math.sqrt(count))
  for (let server = 1; server < count; server++) {
    if (shape === 'ring') add(server - 1, server)
    else if (shape === 'grid') {
      if (server % width !== 0) add(server - 1, server)
      if (server >= width) add(server - width, server)
    } else if (shape === 'star') add(0, server)
    else add(server, shape === 'tree' ? (server - 1) >> 1 : random.below(server))
  }
  if (shape === 'ring') add(0, count - 1)
  if (shape === 'random')
    for (let more = random.below(count + 1); more > 0; more--) add(random.below(count), random.below(count))
  return [...edges.values()]
}
