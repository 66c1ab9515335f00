/**
 * A herd without sockets: replicas whose links are byte streams that the test moves along, in any order and in any
 * pieces. What is sent goes the way that it goes in a server: `nextBatch`, framer, parser, reader, `apply`.
 */
import { type Counters, makeCounters } from '../../src/counters.ts'
import { LineCommands } from '../../src/gateways/line-commands.ts'
import { Whosat, type WhosatContext, type WhosatKind } from '../../src/gateways/whosat.ts'
import { CommandParser, LineFramer, type Nanotime, OutputBuffer } from '../../src/protocol/index.ts'
import { AtReader } from '../../src/replication/at-reader.ts'
import type { DirtyQueue } from '../../src/replication/dirty-queue.ts'
import { FROM_CLIENT, Replica, type ReplicaLimits } from '../../src/replication/replica.ts'
import { TEST_KEY, tableLines, WIDE_LIMITS } from './fixes.ts'

const LINE_BYTES_MAX = 1 << 20
const EVERYTHING = Number.MAX_SAFE_INTEGER

/** A log that nobody reads. */
const NO_LOG = { traffic: false, lineIn: () => undefined, linesOut: () => undefined, event: () => undefined }

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

  constructor(name: string, limits: Partial<ReplicaLimits & WhosatContext['limits']> = {}) {
    this.name = name
    const all = {
      serverNamesMax: 100,
      forgetAfterSeconds: Number.POSITIVE_INFINITY,
      whosatItemsMax: 10_000,
      whosatBytesMax: 4 << 20,
      ...WIDE_LIMITS,
      ...limits,
    }
    this.replica = new Replica(all, TEST_KEY)
    this.reader = new AtReader(this.parser, this.replica.names)
    const bytes = Buffer.from(name)
    const server = this.replica.names.indexOf(bytes, 0, bytes.length)
    const { replica, parser, output, counters, now } = this
    const context = { replica, parser, output, counters, now, server, log: NO_LOG, limits: all }
    this.commands = new LineCommands(context)
    this.whosat = new Whosat({ ...context, table: replica.table })
  }

  /** Answers a WHOSAT that the parser has just read; `false` when there is nobody to ask about. */
  answerWhosat(kind: WhosatKind, buffer: Buffer): boolean {
    const search = this.whosat.begin(kind, buffer)
    if (search === null) return false
    while (!search.step());
    this.whosat.append(search)
    return true
  }

  /** Takes an AT line (Latin-1, no line end) as if its client had just reported here; `apply`'s answer. */
  takeAt(line: string, from: DirtyQueue | null = FROM_CLIENT): number {
    const buffer = Buffer.from(line, 'latin1')
    return this.#take(buffer, 0, buffer.length, from)
  }

  /** Takes bytes that came over a link; says of each AT line whether it was news. */
  receive(framer: LineFramer, chunk: Buffer, from: DirtyQueue): boolean[] {
    const news: boolean[] = []
    framer.push(chunk)
    while (framer.next() === 'line') {
      news.push(this.#take(framer.buffer, framer.start, framer.end, from) >= 0)
    }
    return news
  }

  /** All that it knows, as sorted AT lines. */
  get lines(): string[] {
    return tableLines(this.replica.table)
  }

  #take(buffer: Buffer, start: number, end: number, from: DirtyQueue | null): number {
    if (this.parser.parse(buffer, start, end) !== 'at') throw new Error('not an AT line')
    const fix = this.reader.read(this.parser, buffer)
    if (fix === null) throw new Error('too many server names')
    return this.replica.apply(fix, from)
  }
}

/** One direction of a link that is up. */
export class MemoryPipe {
  readonly from: MemoryServer
  readonly to: MemoryServer
  /** What `from` owes. */
  readonly queue: DirtyQueue
  /** Lines sent so far. */
  sent = 0
  /** Lines that were news where they arrived. */
  news = 0
  /** The pipe of the other direction. */
  back: MemoryPipe | null = null
  readonly #framer = new LineFramer(LINE_BYTES_MAX)
  #wire = Buffer.alloc(0)

  constructor(from: MemoryServer, to: MemoryServer) {
    this.from = from
    this.to = to
    this.queue = from.replica.connect()
  }

  get isQuiet(): boolean {
    return this.queue.length === 0 && this.#wire.length === 0
  }

  /** Lets the sender put its next batch on the wire. */
  send(bytesMax: number): void {
    const { replica, output } = this.from
    this.sent += replica.nextBatch(this.queue, output, bytesMax, true)
    this.#wire = Buffer.concat([this.#wire, output.take()])
  }

  /** Lets some bytes arrive. */
  arrive(bytes: number): void {
    const chunk = Buffer.from(this.#wire.subarray(0, bytes))
    this.#wire = this.#wire.subarray(chunk.length)
    if (this.back === null) return
    this.news += this.to.receive(this.#framer, chunk, this.back.queue).filter(Boolean).length
  }

  /** What is on the wire, as lines. */
  get wire(): string[] {
    return this.#wire.toString('latin1').split('\n').slice(0, -1)
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

  /** Both directions of every link that is up. */
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
  }

  /** The link is lost, with all that was on its way. */
  down(edge: number): void {
    for (const pipe of this.#links[edge] ?? []) pipe.from.replica.disconnect(pipe.queue)
    if (edge < this.#links.length) this.#links[edge] = null
  }

  upAll(): void {
    for (let edge = 0; edge < this.edges.length; edge++) this.up(edge)
  }

  /** Moves everything until nothing is owed or on its way. */
  settle(): void {
    for (let pipes = this.pipes; pipes.some((pipe) => !pipe.isQuiet); ) {
      for (const pipe of pipes) {
        pipe.send(EVERYTHING)
        pipe.arrive(EVERYTHING)
      }
    }
  }
}
