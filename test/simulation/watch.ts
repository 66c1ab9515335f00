import { type LiveTable, NOT_NEWER } from '../../src/locations/index.ts'
import { type AckLevel, OutputBuffer } from '../../src/protocol/index.ts'
import { ackText } from '../../src/replication/acks.ts'
import type { Replica } from '../../src/replication/replica.ts'
import { runOf, type Stamp, seqOf } from '../../src/replication/stamps.ts'
import type { VersionVector } from '../../src/replication/version-vector.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { readBatch } from './batch.ts'
import type { SimDisk } from './disk.ts'
import { compareKnown, History, type KnownFix } from './history.ts'
import type { LinkEvents, SimLink } from './link.ts'
import type { SimServer } from './server.ts'
import { watchTurns } from './turns.ts'
import { Violation } from './violation.ts'
import type { Life } from './wire.ts'
import type { World } from './world.ts'

/** What is known of one life. */
interface Memory {
  readonly life: Life
  /** What it holds, by client. */
  readonly held: Map<string, KnownFix>
  /** How far its claims were found sound, by run. */
  readonly sound: Map<string, number>
  vectorChanges: number
}

/** Bytes of words besides AT lines in one output: a fixed part, a part for each run, and one for each server. */
const WORDS_BYTES_MAX = 4000
const WORDS_BYTES_MAX_PER_RUN = 120
const WORDS_BYTES_MAX_PER_SERVER = 250
/** Servers that have left are remembered; so many at most. */
const GONE_MAX = 30

/** Looks on at everything, and throws a `Violation` as soon as an invariant doesn't hold. docs/simulation.md has them. */
export class Watch implements LinkEvents {
  readonly history: History = new History()
  /** What the herd as a whole holds: of each client, the newest that some memory has. */
  readonly best: Map<string, KnownFix> = new Map()
  readonly acknowledgements: Acknowledgements = new Acknowledgements()
  /** How many checks were made. */
  checks = 0
  updates = 0
  /** AT lines, outputs that held some, other lines, and bytes. */
  readonly sent: { lines: number; batches: number; words: number; bytes: number } = {
    ...{ lines: 0, batches: 0, words: 0, bytes: 0 },
  }
  audits = 0
  /** Restarts from a disk with something on it. */
  loads = 0
  /** Told of each fix that was new to a server. */
  onNews: (server: SimServer, fix: KnownFix) => void = () => {}
  /** Told of each acknowledgement. */
  onAcknowledged: (server: SimServer, holders: readonly Life[], onDisk: boolean) => void = () => {}
  readonly #world: World
  readonly #memories = new Map<Life, Memory>()
  readonly #links = new WeakMap<SimLink, { sound: Map<string, number>; changes: number }>()
  readonly #output = new OutputBuffer()
  /** Clients that some server has lost by a fault of its memory: no claim about them counts. */
  readonly #rotten = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  /** A server has started: its replica is watched from now on. */
  started(server: SimServer): void {
    const { replica, life } = server
    this.#memories.set(life, { life, held: new Map(), sound: new Map(), vectorChanges: -1 })
    this.#tell('', `${server.name} starts as run ${life.runId}`)
    const accept = replica.accept.bind(replica)
    const receive = replica.receive.bind(replica)
    const adopt = replica.adopt.bind(replica)
    const adoptUncovered = replica.adoptUncovered.bind(replica)
    const watchAdopting = (records: readonly number[], happen: () => void): void => {
      const before = records.map((record) => replica.stampOf(record))
      happen()
      for (const [index, record] of records.entries())
        if (replica.stampOf(record) !== before[index]) this.#adopted(server, record)
    }
    replica.adopt = (records) => watchAdopting(records, () => adopt(records))
    replica.adoptUncovered = () =>
      watchAdopting(
        Array.from({ length: replica.table.recordsEnd }, (_, record) => record),
        adoptUncovered,
      )
    replica.accept = (fix, from) => {
      const marks = marksOf(replica)
      const record = accept(fix, from)
      this.#applied(server, record, marks, true, from === null ? 'a client' : 'a classic server')
      return record
    }
    replica.receive = (fix, stamp, from) => {
      const marks = marksOf(replica)
      const record = receive(fix, stamp, from)
      this.#applied(server, record, marks, false, 'a neighbor')
      return record
    }
  }

  /** A server has read its disk: it has what it believed to be there, and what clients were told is there. */
  loaded(server: SimServer, disk: SimDisk): void {
    const memory = this.#memory(server.life)
    if (memory.held.size > 0) this.loads++
    this.#tell('', `${server.name} has ${memory.held.size} clients from its disk`)
    for (const [run, seq] of disk.promised) {
      for (let change = 1; change <= seq; change++) {
        for (const fix of this.history.changes(run, change))
          this.#mustHold(memory, fix, () => `the disk of ${server.name} held change ${change} of ${run}`, 8)
      }
    }
    for (const fix of this.acknowledgements.on(disk))
      this.#mustHold(memory, fix, () => `a client was told what the disk of ${server.name} holds`, 4)
    this.checkVector(server)
  }

  /** A server has lost its memory. */
  ended(server: SimServer): void {
    const lost = this.#memory(server.life)
    this.audits += server.counters.audits
    this.#checkAudits(server)
    this.#tell('', `${server.name} loses its memory`)
    this.#memories.delete(server.life)
    for (const [client, fix] of lost.held) if (this.best.get(client) === fix) this.#findBest(client)
    this.checkAcknowledgements()
  }

  /** What a server holds, by client. */
  held(server: SimServer): ReadonlyMap<string, KnownFix> {
    return this.#memory(server.life).held
  }

  /** By a fault of its memory, a server holds this client no more. */
  rotted(server: SimServer, client: string): void {
    this.#tell(client, `${server.name} loses ${client} by a fault of its memory`)
    this.#rotten.add(client)
    this.#memory(server.life).held.delete(client)
    this.#findBest(client)
  }

  opened(link: SimLink): void {
    this.#links.set(link, { sound: new Map(), changes: -1 })
    this.#tell('', `${link.server.name} has a link to ${link.neighbor}`)
    const name = `${link.server.name} to ${link.neighbor}`
    watchTurns(link.session.owed.queue, (record) => {
      throw new Violation(11, '', `${name}: record ${record} waits longer than its turn`)
    })
  }

  pulled(link: SimLink, batch: Buffer, lines: number): void {
    const { replica, limits } = link.server
    const { text, count, bytes, longest, words } = readBatch(batch)
    this.sent.lines += lines
    this.sent.words += words
    this.sent.bytes += batch.length
    if (lines > 0) this.sent.batches++
    this.#world.trace.note(`${this.#now} ${link.server.name}>${link.neighbor} ${text}`)
    this.#must(count === lines, 6, '', () => `${count} AT lines were sent, ${lines} counted`)
    this.#must(bytes <= limits.batchBytesMax + longest, 6, '', () => `a batch of ${bytes} bytes`)
    const wordBytesMax =
      WORDS_BYTES_MAX +
      WORDS_BYTES_MAX_PER_RUN * replica.runs.end +
      WORDS_BYTES_MAX_PER_SERVER * (this.#world.servers.size + GONE_MAX)
    const wordBytes = batch.length - bytes
    this.#must(wordBytes <= wordBytesMax, 6, '', () => `${wordBytes} bytes of words`)
    // A repair sweeps over what may be marked as well.
    const queuedMax = replica.table.recordsEnd * (this.#world.plan.faults.includes('rot') ? 2 : 1)
    const queued = link.session.owed.length
    this.#must(queued <= queuedMax, 6, '', () => `${queued} records are owed of ${queuedMax}`)
  }

  receiving(): void {}

  received(link: SimLink): void {
    const { server } = link
    if (server.life.isOver || link.classic) return
    this.checkVector(server)
    const state = this.#links.get(link)
    const { peer } = link.session.owed
    const other = link.end.other?.life ?? null
    if (state === undefined || other === null || state.changes === peer.changes) return
    state.changes = peer.changes
    const memory = this.#memories.get(other)
    if (memory === undefined) return
    const who = `${server.name} believes that ${other.server} holds`
    this.#checkClaims(server.replica, peer, memory, state.sound, who)
  }

  /** Checks that a server's vector has only grown, and covers nothing that it lacks. */
  checkVector(server: SimServer): void {
    const memory = this.#memory(server.life)
    const { vector } = server.replica
    if (memory.vectorChanges === vector.changes) return
    memory.vectorChanges = vector.changes
    this.#checkClaims(server.replica, vector, memory, memory.sound, `${server.name} claims to hold`)
  }

  /** A client was told that so many neighbors hold what it reported. */
  acknowledged(server: SimServer, line: string, level: AckLevel): void {
    const { peers } = level
    const fix = this.history.fix(line)
    const holders: Life[] = []
    for (const { link } of server.neighbors.values()) {
      const life = link?.end.other?.life
      if (life && !link.classic && this.#hasHeld(life, fix)) holders.push(life)
    }
    const names = holders.map((life) => life.server).join(' ')
    this.#tell(fix.client, `${server.name} acknowledges that ${ackText(level)} hold ${line}: ${names}`)
    const text = (): string => `${line} was acknowledged as held by ${peers} neighbors; held by: ${names}`
    this.#must(holders.length >= peers, 4, fix.client, text)
    const disk = level.disk ? server.disk : null
    this.acknowledgements.add({ fix, holders: [server.life, ...holders], disk })
    this.onAcknowledged(server, holders, level.disk)
  }

  /** Whether a life holds a fix or something newer; of one that is over, nobody can say that it didn't. */
  #hasHeld(life: Life, fix: KnownFix): boolean {
    const held = this.#memories.get(life)?.held.get(fix.client)
    return life.isOver || this.#rotten.has(fix.client) || (held !== undefined && compareKnown(held, fix) >= 0)
  }

  /** While one of those lives goes on that were said to hold a fix, or the disk's server is up, the herd has it or something newer. */
  checkAcknowledgements(): void {
    const up = [...this.#world.servers.values()].flatMap(({ isUp, disk }) => (isUp && disk ? [disk] : []))
    for (const fix of this.acknowledgements.expected((disk) => up.includes(disk))) {
      const best = this.best.get(fix.client)
      const isThere = this.#rotten.has(fix.client) || (best !== undefined && compareKnown(best, fix) >= 0)
      this.#must(isThere, 4, fix.client, () => `${fix.line} was acknowledged and is lost`)
    }
  }

  /** Checks that no audit has failed. */
  checkAllAudits(): void {
    for (const server of this.#world.servers.values()) this.#checkAudits(server)
  }

  #checkAudits(server: SimServer): void {
    if (this.#world.plan.faults.includes('rot')) return
    const failed = server.counters.auditsFailed
    this.#must(failed === 0, 1, '', () => `${failed} audits of ${server.name} failed`)
  }

  #applied(server: SimServer, record: number, marks: number, isAccepted: boolean, by: string): void {
    const { replica, life } = server
    if (record < 0) {
      if (record === NOT_NEWER) this.#must(marksOf(replica) === marks, 5, '', () => 'an old fix is passed on')
      return
    }
    const memory = this.#memory(life)
    const fix = this.history.fix(this.line(replica.table, record))
    const { client } = fix
    const before = memory.held.get(client)
    const stamp = replica.stampOf(record)
    this.#tell(
      client,
      `${server.name} has ${fix.line} @${replica.runs.get(runOf(stamp))?.server}.${seqOf(stamp)} from ${by}`,
    )
    if (before !== undefined) {
      const difference = compareKnown(fix, before)
      this.#must(difference !== 0, 5, client, () => `${server.name} takes the same fix again: ${fix.line}`)
      this.#must(difference > 0, 3, client, () => `${server.name} goes back to ${fix.line}`)
    }
    memory.held.set(client, fix)
    const best = this.best.get(client)
    if (best === undefined || compareKnown(fix, best) > 0) this.best.set(client, fix)
    if (isAccepted) this.#accepted(runName(replica, stamp), seqOf(stamp), fix)
    this.onNews(server, fix)
  }

  /** A server stamps anew what it holds. */
  #adopted(server: SimServer, record: number): void {
    const { replica } = server
    const fix = this.history.fix(this.line(replica.table, record))
    const stamp = replica.stampOf(record)
    const seq = seqOf(stamp)
    this.#tell(fix.client, `${server.name} adopts ${fix.line} as change ${seq}`)
    this.history.accepted(runName(replica, stamp), seq, fix)
  }

  #accepted(run: string, seq: number, fix: KnownFix): void {
    this.updates++
    this.history.accepted(run, seq, fix)
    // Whoever claims this change already must have it.
    for (const memory of this.#memories.values()) {
      if ((memory.sound.get(run) ?? 0) < seq) continue
      this.#mustHold(memory, fix, () => `${memory.life.server} claims to hold change ${seq} of ${run}`)
    }
  }

  #checkClaims(
    replica: Replica,
    vector: VersionVector,
    memory: Memory,
    sound: Map<string, number>,
    who: string,
  ): void {
    const canShrink = this.#world.plan.limits.runsMax < 100
    for (let index = 1; index < vector.end; index++) {
      const seq = vector.seq(index)
      const known = replica.runs.get(index)
      if (known === null) continue
      const run = `${known.server} ${known.id}`
      const checked = sound.get(run) ?? 0
      if (seq === checked) continue
      this.#must(
        seq > checked || canShrink,
        7,
        '',
        () => `${who} change ${seq} of ${run}, no more ${checked}`,
      )
      for (let change = checked + 1; change <= seq; change++) {
        for (const fix of this.history.changes(run, change))
          this.#mustHold(memory, fix, () => `${who} change ${change} of ${run}`)
      }
      sound.set(run, seq)
    }
  }

  #mustHold(memory: Memory, fix: KnownFix, claim: () => string, invariant = 2): void {
    const held = memory.held.get(fix.client)
    const holds = this.#rotten.has(fix.client) || (held !== undefined && compareKnown(held, fix) >= 0)
    this.#must(
      holds,
      invariant,
      fix.client,
      () => `${claim()}, ${fix.line}; it holds ${held?.line ?? 'nothing'}`,
    )
  }

  #findBest(client: string): void {
    this.best.delete(client)
    for (const { held } of this.#memories.values()) {
      const fix = held.get(client)
      const best = this.best.get(client)
      if (fix !== undefined && (best === undefined || compareKnown(fix, best) > 0)) this.best.set(client, fix)
    }
  }

  #memory(life: Life): Memory {
    const memory = this.#memories.get(life)
    if (memory === undefined) throw new Error(`${life.server} has no memory`)
    return memory
  }

  #must(holds: boolean, invariant: number, client: string, message: () => string): void {
    this.checks++
    if (!holds) throw new Violation(invariant, client, message())
  }

  /** A record's AT line with its attributes, without its line end. */
  line(table: LiveTable, record: number): string {
    table.appendAtFields(record, this.#output)
    return this.#output.take().toString('latin1')
  }

  get #now(): string {
    return this.#world.agenda.nowMs.toFixed(3)
  }

  #tell(client: string, text: string): void {
    this.#world.trace.tell(client, `${this.#now} ${text}`)
  }
}

/** The run that a stamp is of, by its names. */
function runName(replica: Replica, stamp: Stamp): string {
  const run = replica.runs.get(runOf(stamp))
  return `${run?.server} ${run?.id}`
}

/** How many marks were made on all links of a replica. */
function marksOf(replica: Replica): number {
  let marks = 0
  for (const { queue } of replica.links) marks += queue.made
  return marks
}
