import { ClassicServer } from './classic.ts'
import { Clients } from './clients.ts'
import { Faults } from './faults.ts'
import type { Mutant } from './mutants.ts'
import { makePlan, type Plan, type PlanOptions } from './plan.ts'
import { Random } from './random.ts'
import { SimServer } from './server.ts'
import { Violation } from './violation.ts'
import { Watch } from './watch.ts'
import { World } from './world.ts'

/** How one seed went. */
export interface Outcome {
  readonly seed: number
  /** Hash of all that happened: the same for the same seed. */
  readonly trace: string
  /** The invariant that didn't hold (0: something was thrown), or `null`. */
  readonly failure: {
    readonly invariant: number
    readonly message: string
    readonly story: readonly string[]
  } | null
  readonly servers: number
  readonly events: number
  readonly checks: number
  readonly updates: number
  readonly linesOut: number
  readonly acknowledged: number
  readonly audits: number
  /** Restarts from a disk with something on it. */
  readonly loads: number
  readonly faults: number
  readonly virtualMs: number
}

/** Virtual time in which a healed herd must be even and quiet. */
const QUIET_MS_MAX = 60_000
/** Where tables are repaired, each audit repairs one link. */
const REPAIR_MS_MAX = 300_000
const AUDIT_ROUNDS_MAX = 30
const LOOK_EVERY_MS = 250
/** Links come up before the first client reports when nothing breaks. */
const CALM_START_MS = 3000
const NO_ROOM_MAX = 1_000_000

/** Runs a seed from its start to a quiet end. @param mutant a variant known to be wrong. */
export function simulate(seed: number, options: PlanOptions, mutant: Mutant | null = null): Outcome {
  const plan = makePlan(seed, options)
  const random = new Random(~seed)
  const world = new World(plan, random.fork(), mutant)
  const watch = new Watch(world)
  world.watch = watch
  const makeServer = (name: string): SimServer => new SimServer(world, name, plan.limits, NO_ROOM_MAX)
  const faults = new Faults(world, random.fork(), makeServer)
  const clients = new Clients(world, random.fork())
  let failure: Outcome['failure'] = null
  try {
    build(world, makeServer)
    run(world, faults, clients)
  } catch (error) {
    failure = readFailure(error, world)
  }
  return {
    ...{
      seed,
      failure,
      acknowledged: watch.acknowledgements.count,
      trace: world.trace.end(),
      servers: world.servers.size,
    },
    loads: watch.loads,
    ...{ events: world.agenda.events, virtualMs: world.agenda.nowMs },
    ...{ checks: watch.checks, updates: watch.updates, linesOut: watch.sent.lines },
    audits: [...world.servers.values()].reduce((sum, server) => sum + server.counters.audits, watch.audits),
    faults: Object.values(faults.counts).reduce((sum, count) => sum + count, 0),
  }
}

/** A violation, or anything else that was thrown, as invariant 0. */
function readFailure(error: unknown, { trace }: World): NonNullable<Outcome['failure']> {
  if (error instanceof Violation)
    return { invariant: error.invariant, message: error.message, story: trace.story(error.client) }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { invariant: 0, message: `it threw: ${text}`, story: trace.story('') }
}

/** Makes and starts all servers of a plan. */
export function build(world: World, makeServer: (name: string) => SimServer): void {
  const { plan } = world
  for (const name of plan.servers) world.servers.set(name, makeServer(name))
  for (const [a, b] of plan.edges) {
    const [one, other] = [plan.servers[a] as string, plan.servers[b] as string]
    world.servers.get(one)?.addNeighbor(other, false)
    world.servers.get(other)?.addNeighbor(one, false)
    world.edges.push([one, other])
  }
  const names = (indexes: readonly number[]): string[] =>
    indexes.map((index) => plan.servers[index] as string)
  for (const [index, neighbors] of plan.classics.entries())
    world.addServer(new ClassicServer(world, `classic${index}`), names(neighbors))
  if (plan.small !== null)
    world.addServer(new SimServer(world, 'small', plan.limits, plan.smallClientsMax), names(plan.small))
  for (const server of world.servers.values()) server.start()
  for (const server of world.classics.values()) server.start()
}

function run(world: World, faults: Faults, clients: Clients): void {
  const { agenda, plan, watch } = world
  const isFaultless = plan.faults.length === 0
  if (isFaultless) agenda.runUntil(CALM_START_MS)
  const linesBefore = watch.sent.lines
  clients.start()
  faults.start()
  agenda.runUntil(agenda.nowMs + plan.reportingMs)
  faults.heal()
  clients.stop()
  const quietBy = agenda.nowMs + (plan.faults.includes('rot') ? REPAIR_MS_MAX : QUIET_MS_MAX)
  while (!isQuiet(world) && agenda.nowMs < quietBy) agenda.runUntil(agenda.nowMs + LOOK_EVERY_MS)
  // Then every link compares its ends. What dead runs have left is adopted first, at one server after the other.
  const round = plan.limits.auditMs + 2 * plan.limits.heartbeatMs
  for (let rounds = 0; rounds < 2 || (rounds < AUDIT_ROUNDS_MAX && !haveAudited(world)); rounds++)
    agenda.runUntil(agenda.nowMs + round)
  checkEnd(world)
  if (!isFaultless) return
  const most = watch.updates * updateLinesMax(plan)
  const lines = watch.sent.lines - linesBefore
  if (lines > most) throw new Violation(5, '', `${lines} AT lines were sent, of ${most} at most`)
}

/** 2E − n + 1: over each edge once or, when both ends tell each other, twice; never back where it was news from. */
export function updateLinesMax({ edges, servers }: Pick<Plan, 'edges' | 'servers'>): number {
  return 2 * edges.length - servers.length + 1
}

/** Whether all links are open, nothing is owed, and everybody holds the same. */
function isQuiet(world: World): boolean {
  const { best } = world.watch
  for (const server of world.servers.values()) {
    for (const { link } of server.neighbors.values())
      if (link === null || link.session.owed.length > 0) return false
    if (server.owedToDisk > 0) return false
    if (server.name === 'small') continue
    const held = world.watch.held(server)
    if (held.size !== best.size) return false
    for (const [client, fix] of best) if (held.get(client) !== fix) return false
  }
  return true
}

function checkEnd(world: World): void {
  const { watch } = world
  watch.checkAcknowledgements()
  watch.checkAllAudits()
  checkTables(world)
  checkMembers(world)
  for (const server of world.servers.values()) {
    for (const { link, name } of server.neighbors.values())
      if (link === null) throw new Violation(1, '', `${server.name} has no link to ${name} in the end`)
  }
  if (!haveAudited(world)) throw new Violation(1, '', 'not every server has compared its table with others')
  checkDisks(world)
}

/** In the end all is on every disk: whoever starts from one knows all that the herd knows. */
function checkDisks({ watch, servers }: World): void {
  const wanted = [...watch.best]
  for (const server of servers.values()) {
    if (server.disk === null || server.name === 'small') continue
    server.crash(true)
    server.start()
    const held = watch.held(server)
    for (const [client, fix] of wanted) {
      if (held.get(client) === fix) continue
      throw new Violation(8, client, `the disk of ${server.name} lacks ${fix.line} in the end`)
    }
  }
}

/** Whether every server that can has compared its table with another's. */
function haveAudited({ plan, servers }: World): boolean {
  // With less room somewhere, or fewer runs than servers, two servers seldom claim the same.
  if (plan.limits.runsMax < 100 || plan.small !== null) return true
  return [...servers.values()].every(({ neighbors, counters }) => {
    return counters.audits > 0 || [...neighbors.values()].every(({ classic }) => classic)
  })
}

/** From the rows about servers everybody sees everybody, but for those of the old kind, which say nothing of themselves. */
function checkMembers(world: World): void {
  const all = [...world.servers.keys()].toSorted().join(' ')
  for (const server of world.servers.values()) {
    const reached = [...server.members.reachable()]
      .filter((name) => !world.classics.has(name))
      .toSorted()
      .join(' ')
    if (reached !== all) throw new Violation(12, '', `${server.name} reaches ${reached} of ${all}`)
  }
}

/** All tables are equal, byte for byte, to what the herd should know. */
function checkTables(world: World): void {
  const { best } = world.watch
  const wanted = [...best.values()].map((fix) => fix.line).toSorted()
  for (const server of world.servers.values()) {
    if (server.name === 'small') continue
    const { table } = server.replica
    const lines: string[] = []
    for (let record = 0; record < table.recordsEnd; record++)
      if (table.isLive(record)) lines.push(world.watch.line(table, record))
    lines.sort()
    const at = lines.findIndex((line, index) => line !== wanted[index])
    const differs = lines.length === wanted.length ? at : Math.max(at, 0)
    if (differs === -1) continue
    const line = wanted[differs] ?? lines[differs] ?? ''
    const text = `${server.name} holds ${lines[differs]} in the end; the herd has ${wanted[differs]}`
    throw new Violation(1, world.watch.history.fix(line).client, text)
  }
  for (const classic of world.classics.values()) {
    for (const { client, naive, line } of best.values()) {
      const { server, skewText, positionText, timeText } = naive
      const bare = `AT ${server} ${skewText} ${client} ${positionText} ${timeText}`
      if (classic.table.apply(bare)) throw new Violation(1, client, `${classic.name} was never told ${line}`)
    }
  }
}
