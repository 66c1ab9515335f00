import type { Counters } from '../counters.ts'
import type { HashKey } from '../locations/index.ts'
import { ATTRIBUTES_BYTES_MAX, LineFramer, type Nanotime, type OutputBuffer } from '../protocol/index.ts'
import { Auditor } from './auditor.ts'
import type { Floods, LinkFlood } from './flooded-rows.ts'
import { Heartbeat, type HeartbeatLimits } from './heartbeat.ts'
import { type LinkReaderContext, receiveAt, receiveWord } from './link-reader.ts'
import { appendVector, appendWord } from './link-words.ts'
import {
  MEMBER_LINE_BYTES_MAX,
  type MemberSeen,
  type Members,
  makeTellsMembers,
  type TellsMembers,
} from './members.ts'
import type { Owed } from './owed.ts'
import { VersionVector } from './version-vector.ts'

/** Bounds of an open link. */
export interface LinkLimits extends HeartbeatLimits {
  /** Bytes of AT lines handed over at a time. */
  readonly batchBytesMax: number
  /** What is new waits for so long for more, and then goes out in one batch. */
  readonly batchMs: number
  /** At most so often is said what is held, unless somebody waits for it. */
  readonly claimMs: number
  /** How often two servers that hold the same look whether they do. */
  readonly auditMs: number
  /** The longest line a client may send; a link's lines are longer by what AT adds. */
  readonly lineBytesMax: number
}

/** What all sessions of a server share. */
export interface SessionContext extends LinkReaderContext {
  readonly counters: Counters
  readonly limits: LinkLimits
  readonly forgetAfterSeconds: number
  /** A clock that only goes on, the wall clock, and chance. */
  readonly world: {
    readonly nowMs: () => number
    readonly readClock: (time: Nanotime) => void
    readonly randomKey: () => HashKey
  }
  readonly log: LinkReaderContext['log'] & {
    readonly traffic: boolean
    lineIn(connection: number, buffer: Buffer, start: number, end: number): void
  }
  readonly members: Members
  /** Budgets of calls. */
  readonly budgets?: Floods | undefined
  /** How each server is. */
  readonly health?: Floods | undefined
  /** Whether clients wait until neighbors hold what they reported. */
  readonly isWaitedFor: () => boolean
}

/** Which link it is. */
export interface SessionOptions {
  readonly classic: boolean
  /** Its number in the log. */
  readonly connection: number
  /** Whether it is this side that begins to compare. */
  readonly audits: boolean
  /** Who is at the other end, where that is known. */
  readonly peer?: MemberSeen
}

/** After a batch of so many lines the link is busy … */
const BUSY_LINES = 32
/** … and gathers the next one for so long: fewer, larger writes cost less. An idle link never waits. */
const BUSY_MS = 1
/** So early a timer may come. */
const EARLY_MS = 0.25
/** About as long is an AT line: a link that owes a full batch doesn't wait for more. */
const LINE_BYTES = 100

/** AT, the origin's name, the difference and a stamp come on top of what the client sent; so do attributes. */
const AT_BYTES_MORE = 1024

/**
 * All that one open link says and hears, without its socket: bytes in by `receive`, bytes out by `pull`, whenever the
 * other end can take more. Nobody pushes, so a neighbor that doesn't read costs one batch and a queue of record numbers.
 *
 * Both sides first say what they hold; then what the other lacks, mixed with what is new; and behind it what they now
 * claim to hold. docs/replication.md tells why that is enough.
 */
export class LinkSession {
  readonly owed: Owed
  readonly heartbeat: Heartbeat
  /** AT lines that came, and that were sent. */
  linesIn = 0
  linesOut = 0
  readonly #context: SessionContext
  readonly #options: SessionOptions
  readonly #framer: LineFramer
  readonly #auditor: Auditor
  readonly #tellsMembers: TellsMembers
  readonly #budgets: LinkFlood | undefined
  readonly #health: LinkFlood | undefined
  #hasGreeted = false
  #lastBatchMs = Number.NEGATIVE_INFINITY
  #isBusy = false
  #lastClaimMs = Number.NEGATIVE_INFINITY
  #claimAsked = false
  /** What came may let others go on: who waits for claims, and links that have something to pass on. */
  #hasNews = false

  constructor(context: SessionContext, options: SessionOptions) {
    this.#context = context
    this.#options = options
    const lineBytesMax = Math.max(context.limits.lineBytesMax, MEMBER_LINE_BYTES_MAX)
    this.#framer = new LineFramer(lineBytesMax + AT_BYTES_MORE + ATTRIBUTES_BYTES_MAX)
    this.#tellsMembers = makeTellsMembers(options.peer)
    this.#budgets = context.budgets?.openFor()
    this.#health = context.health?.openFor()
    this.owed = context.replica.connect(options.classic ? 'classic' : 'neighbor')
    this.heartbeat = new Heartbeat(context.limits, context.world)
    this.#auditor = new Auditor(context, this.owed, options.audits)
  }

  /** The link is lost. */
  close(): void {
    this.#context.replica.disconnect(this.owed)
  }

  /** Takes bytes from the other end. @returns why the link must be closed, or `null`. */
  receive(chunk: Buffer): string | null {
    this.heartbeat.heard()
    this.#framer.push(chunk)
    let trouble: string | null = null
    for (let framed = this.#framer.next(); framed !== 'need-more'; framed = this.#framer.next()) {
      if (framed === 'too-long') trouble = 'it sent a line that is too long'
      else this.#line(this.#framer.buffer, this.#framer.start, this.#framer.end)
      if (trouble !== null) break
    }
    if (this.#hasNews) {
      this.#hasNews = false
      this.#context.replica.claimsHeard()
    }
    return trouble
  }

  /** Whether fixes are waiting to be sent: cheap, for every fix. */
  get hasMore(): boolean {
    return this.owed.hasMore
  }

  /** In how many milliseconds `pull` will have something; infinity when something has to happen first. */
  get waitMs(): number {
    const { limits, replica, world, members } = this.#context
    if (this.#options.classic) {
      return this.owed.hasMore ? this.#batchWaitMs(world.nowMs()) : Number.POSITIVE_INFINITY
    }
    if (!this.#hasGreeted || this.heartbeat.hasMore || this.#auditor.hasMore || this.owed.isClaimDue) return 0
    if (members.owes(this.#tellsMembers) || this.#budgets?.owes || this.#health?.owes) return 0
    const nowMs = world.nowMs()
    if (this.owed.hasMore) return this.#batchWaitMs(nowMs)
    if (!this.owed.hasClaim(replica.vector) || !this.owed.maySend) return Number.POSITIVE_INFINITY
    return this.#isHurried ? 0 : Math.max(0, this.#lastClaimMs + limits.claimMs - nowMs)
  }

  /** Appends what is to be said next: at most a batch. Whether there is more, `waitMs` says. @returns how many AT lines. */
  pull(output: OutputBuffer): number {
    const { replica, limits, counters, world } = this.#context
    if (!this.#options.classic) this.#pullWords(output)
    const nowMs = world.nowMs()
    if (!this.#options.classic && (this.#isHurried || nowMs >= this.#lastClaimMs + limits.claimMs)) {
      this.owed.setMarker(replica.vector)
    }
    let lines = 0
    if (this.#batchWaitMs(nowMs) === 0) {
      lines = replica.nextBatch(this.owed, output, limits.batchBytesMax)
      counters.linkLinesOut += lines
      this.linesOut += lines
      if (lines > 0) {
        counters.linkBatchesOut++
        this.#lastBatchMs = nowMs
        this.#isBusy = lines >= BUSY_LINES
      }
    }
    if (this.owed.isClaimDue) this.#claim(output, nowMs)
    return lines
  }

  /** A heartbeat. @returns why the link must be closed, or `null`. */
  beat(): string | null {
    if (this.#options.classic) return null
    const trouble = this.heartbeat.beat()
    if (trouble === null) this.#auditor.beat()
    return trouble
  }

  /** Whether it owes as much as goes into a batch. */
  get isFull(): boolean {
    return this.owed.length * LINE_BYTES >= this.#context.limits.batchBytesMax
  }

  #batchWaitMs(nowMs: number): number {
    if (this.isFull) return 0
    const pauseMs = Math.max(this.#context.limits.batchMs, this.#isBusy ? BUSY_MS : 0)
    const waitMs = this.#lastBatchMs + pauseMs - nowMs
    // Timers may come a little early.
    return waitMs < EARLY_MS ? 0 : waitMs
  }

  /** Somebody waits for what we claim, here or at the other end: then it is said at once. */
  get #isHurried(): boolean {
    return this.#claimAsked || this.#context.isWaitedFor()
  }

  #pullWords(output: OutputBuffer): void {
    const { replica } = this.#context
    if (!this.#hasGreeted) {
      this.#hasGreeted = true
      const introduce = (run: number): void => replica.introduce(this.owed, run, output)
      appendVector(output, 'vector', replica.vector, new VersionVector(), introduce)
      appendWord(output, 'live')
    }
    this.#context.members.pull(this.#tellsMembers, output)
    this.#budgets?.pull(output)
    this.#health?.pull(output)
    this.heartbeat.pull(output)
    this.#auditor.pull(output)
  }

  #claim(output: OutputBuffer, nowMs: number): void {
    const { replica, isWaitedFor } = this.#context
    this.#lastClaimMs = nowMs
    this.#claimAsked = false
    const introduce = (run: number): void => replica.introduce(this.owed, run, output)
    this.owed.takeClaim((vector, said) => appendVector(output, 'claim', vector, said, introduce))
    if (isWaitedFor()) appendWord(output, 'ask')
  }

  #line(buffer: Buffer, start: number, end: number): void {
    const { log, parser, counters } = this.#context
    const { classic, connection } = this.#options
    const kind = parser.parse(buffer, start, end)
    // Heartbeats are HERD lines: they would be most of a quiet herd's log, and say nothing.
    if (log.traffic && kind !== 'herd') log.lineIn(connection, buffer, start, end)
    if (kind === 'at') {
      this.linesIn++
      receiveAt(this.#context, buffer, this.owed)
    } else if (kind === 'herd' && !classic) this.#word(buffer.toString('latin1', start, end))
    // What a classic server chats back is nobody's mistake.
    else if (!classic) {
      counters.linkLinesBad++
      // It may have been a fix: what its sender claims from here on, it may not have told us.
      this.owed.isLossy = true
    }
  }

  #word(line: string): void {
    const word = receiveWord(this.#context, line, this.owed)
    switch (word.word) {
      case 'live':
        this.owed.vectorCame()
        this.#hasNews = true
        return
      case 'claim':
        this.owed.isCaughtUp = true
        this.#hasNews = true
        return
      case 'ask':
        this.#claimAsked = true
        this.#hasNews = true
        return
      case 'ping':
        this.heartbeat.pingHeard(word.number)
        return
      case 'pong':
        this.heartbeat.pongHeard(word.number, word.clock)
        return
      case 'audit':
      case 'repair':
        this.#auditor.heard(word)
        return
      case 'member':
        if (this.#context.members.hear(word.row, this.#tellsMembers)) this.#hasNews = true
        return
      case 'budget':
        this.#budgets?.hear(word.row)
        return
      case 'health':
        this.#health?.hear(word.row)
        return
      case 'malformed':
        this.#context.counters.linkLinesBad++
        return
      // These are the reader's business; unknown words are a later version's.
      case 'run':
      case 'vector':
      case 'unknown':
    }
  }
}
