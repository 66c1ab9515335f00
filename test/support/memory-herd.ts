/**
 * A herd without sockets: replicas whose links are byte streams that the test moves along, in any order and in any
 * pieces. What is sent goes the way that it goes in a server: session, framer, parser, reader, replica.
 */
import { type Counters, makeCounters } from '../../src/counters.ts'
import { SearchTurns } from '../../src/gateways/calls/search-turns.ts'
import { LineCommands } from '../../src/gateways/line/line-commands.ts'
import { Whosat, type WhosatContext, type WhosatKind } from '../../src/gateways/line/whosat.ts'
import { BudgetLedger } from '../../src/places/budget/budget-ledger.ts'
import { CommandParser, type Nanotime, OutputBuffer } from '../../src/protocol/index.ts'
import { AtReader } from '../../src/replication/at-reader.ts'
import { HealthRows } from '../../src/replication/health-rows.ts'
import { type LinkLimits, LinkSession, type SessionContext } from '../../src/replication/link-session.ts'
import { Members } from '../../src/replication/members.ts'
import type { Owed } from '../../src/replication/owed.ts'
import { FROM_CLIENT, Replica, type ReplicaLimits } from '../../src/replication/replica.ts'
import { TEST_KEY, tableLines, WIDE_LIMITS } from './fixes.ts'

const EVERYTHING = Number.MAX_SAFE_INTEGER

/** A log that nobody reads. */
const NO_LOG = { traffic: false, lineIn: () => undefined, linesOut: () => undefined, event: () => undefined }

/** The day that budgets are of. */
export const MEMORY_WALL_MS: number = Date.UTC(2026, 10, 21, 12)

/** The only clock of a herd in memory; it stands still until it is moved. */
export const memoryClock = { ms: 0 }

/** One server: what it knows, and what its clients' commands do. */
export class MemoryServer {
  readonly name: string
  readonly replica: Replica
  readonly parser: CommandParser = new CommandParser()
  readonly reader: AtReader
  readonly output: OutputBuffer = new OutputBuffer()
  readonly counters: Counters = makeCounters()
  /** The time that its clock shows; set it before a command. */
  readonly now: Nanotime = { seconds: 0, nanoseconds: 0 }
  readonly commands: LineCommands
  readonly whosat: Whosat
  /** Bounds of its links: the size of a batch is set for each. */
  readonly linkLimits: { -readonly [Name in keyof LinkLimits]: LinkLimits[Name] } = {
    heartbeatMs: 1000,
    silenceMsMax: 5000,
    progressMsMax: 10_000,
    batchBytesMax: EVERYTHING,
    batchMs: 0,
    claimMs: 1,
    auditMs: 60_000,
    lineBytesMax: 1 << 20,
  }
  readonly budgets: BudgetLedger = new BudgetLedger(() => MEMORY_WALL_MS)
  readonly health: HealthRows
  readonly session: SessionContext

  /** @param life tells its runs apart, if it starts more than once. */
  constructor(name: string, limits: Partial<ReplicaLimits & WhosatContext['limits']> = {}, life: number = 0) {
    this.name = name
    const all = {
      serverNamesMax: 100,
      runsMax: 100,
      forgetAfterSeconds: Number.POSITIVE_INFINITY,
      whosatItemsMax: 10_000,
      whosatBytesMax: 4 << 20,
      ...WIDE_LIMITS,
      ...limits,
    }
    this.replica = new Replica(all, TEST_KEY, { server: name, id: String(life) })
    this.reader = new AtReader(this.parser, this.replica.names)
    const bytes = Buffer.from(name)
    const server = this.replica.names.indexOf(bytes, 0, bytes.length)
    const { replica, parser, output, counters, now } = this
    const clock = { clockOffMs: null }
    const context = { clock, replica, parser, output, counters, now, server, log: NO_LOG, limits: all }
    this.commands = new LineCommands(context)
    this.whosat = new Whosat({ searchTurns: new SearchTurns(), ...context, table: replica.table })
    this.health = new HealthRows({ name, run: `${life}`, rowsMax: 100, nowMs: () => memoryClock.ms })
    this.session = {
      ...{ replica, parser, counters, log: NO_LOG, reader: this.reader, limits: this.linkLimits },
      forgetAfterSeconds: all.forgetAfterSeconds,
      isWaitedFor: () => false,
      budgets: this.budgets.flood,
      health: this.health.flood,
      members: new Members({ name, host: '127.0.0.1', port: 1, version: 1 }, 100),
      world: {
        nowMs: () => memoryClock.ms,
        readClock: (time) => Object.assign(time, this.now),
        randomKey: () => TEST_KEY,
      },
    }
  }

  /** Answers a WHOSAT that the parser has just read; `false` when there is nobody to ask about. */
  answerWhosat(kind: WhosatKind, buffer: Buffer): boolean {
    const search = this.whosat.begin(kind, buffer)
    if (search === null) return false
    while (!search.step());
    this.whosat.append(search)
    return true
  }

  /** Takes an AT line (Latin-1, no line end) as if its client had just reported here; `accept`'s answer. */
  takeAt(line: string, from: Owed | null = FROM_CLIENT): number {
    const buffer = Buffer.from(line, 'latin1')
    if (this.parser.parse(buffer, 0, buffer.length) !== 'at') throw new Error('not an AT line')
    const fix = this.reader.read(this.parser, buffer)
    if (fix === null) throw new Error('too many server names')
    return this.replica.accept(fix, from)
  }

  /** All that it knows, as sorted AT lines. */
  get lines(): string[] {
    return tableLines(this.replica.table)
  }
}

/** One direction of a link that is up. */
export class MemoryPipe {
  readonly from: MemoryServer
  readonly to: MemoryServer
  readonly session: LinkSession
  /** AT lines sent so far. */
  sent = 0
  /** Lines that were news where they arrived. */
  news = 0
  /** The pipe of the other direction. */
  back: MemoryPipe | null = null
  #wire = Buffer.alloc(0)

  constructor(from: MemoryServer, to: MemoryServer) {
    this.from = from
    this.to = to
    this.session = new LinkSession(from.session, {
      classic: false,
      connection: 0,
      audits: from.name < to.name,
    })
  }

  /** What `from` owes. */
  get queue(): Owed {
    return this.session.owed
  }

  get isQuiet(): boolean {
    return this.session.waitMs > 0 && this.#wire.length === 0
  }

  /** Nothing will be said, however long it is waited for. */
  get isDone(): boolean {
    return this.session.waitMs === Number.POSITIVE_INFINITY && this.#wire.length === 0
  }

  /** Lets the sender put its next batch on the wire. */
  send(bytesMax: number): void {
    const { output, linkLimits } = this.from
    linkLimits.batchBytesMax = bytesMax
    this.sent += this.session.pull(output)
    this.#wire = Buffer.concat([this.#wire, output.take()])
  }

  /** Lets some bytes arrive. */
  arrive(bytes: number): void {
    const chunk = Buffer.from(this.#wire.subarray(0, bytes))
    this.#wire = this.#wire.subarray(chunk.length)
    if (this.back === null) return
    const before = this.to.counters.fixesNew
    const trouble = this.back.session.receive(chunk)
    if (trouble !== null) throw new Error(trouble)
    this.news += this.to.counters.fixesNew - before
  }

  /** Whether nothing is on its way. */
  get isEmpty(): boolean {
    return this.#wire.length === 0
  }

  /** The AT lines on the wire, without their stamps. */
  get wire(): string[] {
    const lines = this.#wire.toString('latin1').split('\n').slice(0, -1)
    return lines.filter((line) => line.startsWith('AT ')).map((line) => line.replace(/ @[^ ]*$/, ''))
  }
}

/** Servers and the links between them. */
export class MemoryHerd {
  readonly servers: readonly MemoryServer[]
  readonly edges: readonly (readonly [number, number])[]
  readonly #links: (readonly [MemoryPipe, MemoryPipe] | null)[]

  /** All links are down at first. */
  constructor(
    names: readonly string[],
    edges: readonly (readonly [number, number])[],
    limits: ConstructorParameters<typeof MemoryServer>[1] = {},
  ) {
    this.servers = names.map((name) => new MemoryServer(name, limits))
    this.edges = edges
    this.#links = edges.map(() => null)
  }

  /** Both directions of every link that is up, the ends of which have told each other what they hold. */
  get pipes(): MemoryPipe[] {
    return this.#links.flatMap((link) => link ?? [])
  }

  server(index: number): MemoryServer {
    const server = this.servers[index]
    if (server === undefined) throw new Error(`no server ${index}`)
    return server
  }

  named(name: string): MemoryServer {
    return this.server(this.servers.findIndex((server) => server.name === name))
  }

  up(edge: number): void {
    const ends = this.edges[edge]
    if (ends === undefined || this.#links[edge] !== null) return
    const [a, b] = [this.server(ends[0]), this.server(ends[1])]
    const there = new MemoryPipe(a, b)
    const back = new MemoryPipe(b, a)
    there.back = back
    back.back = there
    this.#links[edge] = [there, back]
    for (const pipe of [there, back]) pipe.send(EVERYTHING)
    for (const pipe of [there, back]) pipe.arrive(EVERYTHING)
  }

  /** The link is lost, with all that was on its way. */
  down(edge: number): void {
    for (const pipe of this.#links[edge] ?? []) pipe.session.close()
    if (edge < this.#links.length) this.#links[edge] = null
  }

  upAll(): void {
    for (let edge = 0; edge < this.edges.length; edge++) this.up(edge)
  }

  /** Moves everything, and the clock, until nothing is owed or on its way. */
  settle(): void {
    for (let pipes = this.pipes; pipes.some((pipe) => !pipe.isDone); memoryClock.ms++) {
      for (const pipe of pipes) {
        pipe.send(EVERYTHING)
        pipe.arrive(EVERYTHING)
      }
    }
  }
}
