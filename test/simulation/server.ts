import { type Counters, makeCounters } from '../../src/counters.ts'
import type { HashKey } from '../../src/locations/index.ts'
import { CommandParser, type Nanotime, OutputBuffer } from '../../src/protocol/index.ts'
import { Acks } from '../../src/replication/acks.ts'
import { AtReader } from '../../src/replication/at-reader.ts'
import { receiveAt } from '../../src/replication/link-reader.ts'
import type { LinkLimits, SessionContext } from '../../src/replication/link-session.ts'
import { Members } from '../../src/replication/members.ts'
import type { RedialLimits } from '../../src/replication/redial.ts'
import { FROM_CLIENT, Replica, type ReplicaLimits } from '../../src/replication/replica.ts'
import { WIDE_LIMITS } from '../support/fixes.ts'
import { type DiskPlan, SimDisk } from './disk.ts'
import { SimJournal } from './journal.ts'
import { LineSplitter } from './lines.ts'
import { answerGreeting, SimNeighbor } from './neighbor.ts'
import type { End, Life } from './wire.ts'
import type { World } from './world.ts'

/** Bounds of a server in the simulator. */
export interface SimLimits extends LinkLimits, RedialLimits {
  readonly handshakeMsMax: number
  readonly runsMax: number
}

/** What a client says. */
export interface Report {
  readonly client: string
  /** Its time, in microseconds. */
  readonly timeMicros: number
  readonly positionText: string
  /** As they follow an AT line: empty, or a space and JSON. */
  readonly attributesText: string
  /** How many neighbors must hold it before it is acknowledged; 0: none. */
  readonly peers: number
  /** Whether it must be on the disk as well, if the server has one. */
  readonly disk: boolean
}

/** A client waits for so long until its level is reached. */
const WAIT_MS_MAX = 5000
/** Rows about servers that one keeps at most. */
const MEMBERS_MAX = 4096
const NO_LOG = { traffic: false, lineIn: () => undefined, event: () => undefined }

/** A server without sockets: the real replica and the real sessions, in virtual time. */
export class SimServer {
  readonly world: World
  readonly name: string
  readonly limits: SimLimits
  readonly clientsMax: number
  readonly neighbors: Map<string, SimNeighbor> = new Map()
  readonly output: OutputBuffer = new OutputBuffer()
  /** Whose clock is so far ahead of the true time, in milliseconds … */
  clockAheadMs = 0
  /** … and goes faster by this. */
  clockDrift = 0
  isUp = false
  /** What outlasts its memory, if anything does. */
  disk: SimDisk | null
  replica!: Replica
  counters: Counters = makeCounters()
  sessions!: SessionContext
  life!: Life
  #parser = new CommandParser()
  #reader!: AtReader
  members!: Members
  #acks!: Acks
  #journal: SimJournal | null = null
  #disks = 0
  #starts = 0
  readonly #neighborNames: Map<string, boolean> = new Map()
  /** Connections that came in: all of them end with the process. */
  #incoming: End[] = []

  /** @param clientsMax how many clients its table has room for. */
  constructor(world: World, name: string, limits: SimLimits, clientsMax: number) {
    this.world = world
    this.name = name
    this.limits = limits
    this.clientsMax = clientsMax
    const { disks, plan } = world
    this.disk = plan.disk !== null && disks.chance(plan.disk.part) ? this.#newDisk(plan.disk) : null
  }

  /** This run's ID. */
  get runId(): string {
    return this.life.runId
  }

  /** How many records its disk may lack; 0 if it has none. */
  get owedToDisk(): number {
    return this.#journal?.owed.length ?? 0
  }

  /** Gives it a neighbor, from now on. */
  addNeighbor(name: string, classic: boolean): void {
    this.#neighborNames.set(name, classic)
    if (this.isUp) this.neighbors.set(name, new SimNeighbor(this, name, classic))
  }

  /** Takes a neighbor from it, for good. */
  removeNeighbor(name: string): void {
    this.#neighborNames.delete(name)
    const neighbor = this.neighbors.get(name)
    neighbor?.link?.session.close()
    neighbor?.abandon(false)
    if (this.neighbors.delete(name)) this.announceLinks()
  }

  /** Starts it with an empty memory, and what is on its disk. */
  start(): void {
    const { world, name, limits } = this
    this.#starts++
    this.life = {
      server: name,
      runId: world.mutant?.runId?.() ?? this.#starts.toString(16).padStart(2, '0'),
      isOver: false,
    }
    const replicaLimits: ReplicaLimits = {
      ...{ serverNamesMax: 4096, runsMax: limits.runsMax, forgetAfterSeconds: Number.POSITIVE_INFINITY },
      ...{ ...WIDE_LIMITS, clientsMax: this.clientsMax },
    }
    const randomKey = (): HashKey => [world.random.word(), world.random.word(), world.random.word()]
    this.replica = new Replica(replicaLimits, randomKey(), {
      server: name,
      id: this.runId,
    })
    this.counters = makeCounters()
    this.#acks = new Acks(this.replica)
    const version = Math.floor(this.#clockMicros / 1000)
    this.members = new Members({ name, host: '127.0.0.1', port: 1, version, run: this.runId }, MEMBERS_MAX)
    this.#parser = new CommandParser()
    this.#reader = new AtReader(this.#parser, this.replica.names)
    this.sessions = {
      ...{ replica: this.replica, parser: this.#parser, reader: this.#reader, counters: this.counters },
      members: this.members,
      ...{ limits, log: NO_LOG, forgetAfterSeconds: Number.POSITIVE_INFINITY },
      isWaitedFor: () => this.#acks.isForPeers,
      world: {
        nowMs: () => world.agenda.nowMs,
        readClock: (time) => this.#readClock(time),
        randomKey,
      },
    }
    world.mutant?.replica?.(this.replica)
    world.watch.started(this)
    this.replica.listen({ owed: () => this.#wake(), claimed: () => this.#acks.advance() })
    if (this.disk !== null) {
      this.#journal = new SimJournal(this, this.disk, () => this.#acks.isForDisk)
      world.watch.loaded(this, this.disk)
    }
    this.isUp = true
    for (const [neighbor, classic] of this.#neighborNames)
      this.neighbors.set(neighbor, new SimNeighbor(this, neighbor, classic))
  }

  /** Ends it, and its memory. @param isSilent its connections aren't closed: the power is gone. */
  crash(isSilent: boolean): void {
    if (!this.isUp) return
    this.isUp = false
    this.life.isOver = true
    for (const neighbor of this.neighbors.values()) neighbor.abandon(isSilent)
    this.neighbors.clear()
    for (const end of this.#incoming) {
      if (isSilent) end.vanish()
      else end.destroy()
    }
    this.#incoming = []
    this.replica.listen({ owed: () => {}, claimed: () => {} })
    this.#journal?.crash()
    this.#journal = null
    this.world.watch.ended(this)
  }

  /** What is on its disk is lost; it is down. @param isReplaced whether it has an empty one from now on. */
  loseDisk(isReplaced: boolean): void {
    if (this.disk === null) return
    this.disk.isLost = true
    this.disk = isReplaced ? this.#newDisk(this.disk.plan) : null
  }

  #newDisk(plan: DiskPlan): SimDisk {
    return new SimDisk(this.world, `${this.name}.${++this.#disks}`, plan)
  }

  /** Somebody connects. @param isClassic whether from the address of a classic neighbor. */
  incoming(end: End, from: string, isClassic: boolean): void {
    this.#incoming = this.#incoming.filter((known) => !known.isClosed)
    this.#incoming.push(end)
    if (isClassic) this.#takeClassic(end, from)
    else answerGreeting(this, end)
  }

  /** A link was made or lost: all others are to know. */
  announceLinks(): void {
    const open = [...this.neighbors.values()].filter(({ link }) => link !== null)
    this.members.announce({ links: open.map(({ name }) => name) })
    this.#wake()
  }

  /** A client reports. */
  report({ client, timeMicros, positionText, attributesText, peers, disk }: Report): void {
    const skew = microsText(this.#clockMicros - timeMicros)
    const time = microsText(timeMicros).slice(1)
    const line = `AT ${this.name} ${skew} ${client} ${positionText} ${time}${attributesText}`
    const level = { disk: disk && this.disk !== null, peers }
    if (this.takeAt(line) < 0 || (peers === 0 && !level.disk)) return
    const end = this.#acks.wait(level, this.replica.ownStamp, () => {
      cancel()
      this.world.watch.acknowledged(this, line, level)
    })
    const cancel = this.world.agenda.after(WAIT_MS_MAX, end)
    this.#wake()
  }

  /** Takes an AT line as if its client had just reported here. */
  takeAt(line: string): number {
    const buffer = Buffer.from(line, 'latin1')
    if (this.#parser.parse(buffer, 0, buffer.length) !== 'at') throw new Error(`not an AT line: ${line}`)
    const fix = this.#reader.read(this.#parser, buffer)
    if (fix === null) throw new Error('too many server names')
    return this.replica.accept(fix, FROM_CLIENT)
  }

  #takeClassic(end: End, from: string): void {
    const splitter = new LineSplitter()
    end.socket = {
      onOpen: () => {},
      onClose: () => {},
      onData: (chunk) => {
        for (const line of splitter.push(chunk)) {
          const buffer = Buffer.from(line, 'latin1')
          if (!this.isUp || this.#parser.parse(buffer, 0, buffer.length) !== 'at') continue
          receiveAt(this.sessions, buffer, this.neighbors.get(from)?.link?.session.owed ?? null)
        }
      },
    }
  }

  #wake(): void {
    for (const neighbor of this.neighbors.values()) neighbor.link?.wake()
    this.#journal?.wake()
  }

  get #clockMicros(): number {
    const { agenda, epochMicros } = this.world
    return Math.round(epochMicros + (agenda.nowMs * (1 + this.clockDrift) + this.clockAheadMs) * 1000)
  }

  #readClock(time: Nanotime): void {
    const micros = this.#clockMicros
    time.seconds = Math.floor(micros / 1e6)
    time.nanoseconds = (micros % 1e6) * 1000
  }
}

/** Microseconds as an AT line's skew: a sign, seconds, nine digits. */
function microsText(micros: number): string {
  const size = Math.abs(micros)
  const fraction = String(size % 1e6).padStart(6, '0')
  return `${micros < 0 ? '-' : '+'}${Math.floor(size / 1e6)}.${fraction}000`
}
