import type { Counters } from '../../counters.ts'
import {
  type Area,
  type Fix,
  FORGOTTEN,
  NOT_NEWER,
  type Search,
  TOO_MANY_CLIENTS,
} from '../../locations/index.ts'
import type { Log } from '../../logs/server-log.ts'
import type { AckLevel, Nanotime, PlacesOperands } from '../../protocol/index.ts'
import { type Acks, ackText, MEMORY } from '../../replication/acks.ts'
import { FROM_CLIENT, type Replica } from '../../replication/replica.ts'
import type { Stamp } from '../../replication/stamps.ts'
import type { System } from '../../system.ts'
import type { Grant } from '../access/grant.ts'
import type { AddressBook } from '../address-book.ts'
import { askNear, type FindPlaces } from '../places-ask.ts'
import { CallRefused } from './call-refused.ts'
import { type ClientFix, clientFixOf } from './client-fix.ts'
import { type Report, ReportReader } from './report.ts'
import type { SearchTurns } from './search-turns.ts'

/** Who calls, through whichever gateway. */
export interface Caller {
  /** The address that it calls from: what it may do in a second is counted by that. */
  readonly address: string
  readonly grant: Grant
}

/** What became of a report. */
export interface Reported {
  /**
   * `new`: the herd knows it now. `not-newer`: it was known, or something newer was. `too-old`: it is older than what is
   * still remembered.
   */
  readonly outcome: 'new' | 'not-newer' | 'too-old'
  /** The AT line that a server answers an IAMAT with. */
  readonly at: string
}

/** A search for clients. */
export interface ClientQuery {
  readonly area: Area
  readonly items: number
  /** Only fixes of at most this age, in seconds; `null`: of any age. */
  readonly ageSecondsMax: number | null
}

/** A page of all clients. */
export interface ClientPage {
  readonly fixes: readonly ClientFix[]
  /** What to ask for next; `null`: that was all. */
  readonly next: number | null
}

/** What the calls need of their server. */
export interface CallsContext {
  readonly replica: Replica
  readonly acks: Acks
  /** Where a report must be held before it is answered. */
  readonly ack: AckLevel
  readonly counters: Counters
  readonly log: Log
  readonly system: System
  /** This server's index in the replica's server names. */
  readonly server: number
  readonly clock: { readonly clockOffMs: number | null }
  readonly addresses: AddressBook
  readonly searchTurns: SearchTurns
  readonly findPlaces: FindPlaces
  readonly limits: {
    readonly clientsMax: number
    readonly tableBytesMax: number
    readonly ackMsMax: number
    /** Answers to one search. */
    readonly whosatItemsMax: number
  }
}

/** Records that a page looks at before others get their turn. */
const TURN_RECORDS_MAX = 4096

/**
 * What every gateway ends in, whatever its protocol: report a fix, read one, search, ask for places. Each call knows who calls,
 * and what it may.
 */
export class Calls {
  readonly #context: CallsContext
  readonly #reader: ReportReader
  readonly #now: Nanotime = { seconds: 0, nanoseconds: 0 }

  constructor(context: CallsContext) {
    this.#context = context
    this.#reader = new ReportReader(context.server)
  }

  /** What time it is, to judge ages by. */
  get now(): Readonly<Nanotime> {
    this.#context.system.readClock(this.#now)
    return this.#now
  }

  /**
   * Takes a report. It is in the table when this returns; the promise resolves when it is held as widely as the herd file's
   * `ack` says.
   *
   * @throws {CallRefused} when nothing was kept; with the code `late` when it is kept, but not held as widely in time.
   */
  async report(report: Report, caller: Caller): Promise<Reported> {
    const { reported, stamp } = this.#take(report, caller)
    if (stamp !== null) await this.#held(stamp)
    return reported
  }

  /** The newest fix of a client. @throws {CallRefused} when the herd hasn't heard of it, or the caller may not read it. */
  fix(client: string, caller: Caller): ClientFix {
    const { table } = this.#context.replica
    return clientFixOf(table.read(this.#recordOf(client, caller)))
  }

  /** A text that is another one when the client's newest fix is. @throws {CallRefused} as `fix`. */
  version(client: string, caller: Caller): string {
    const record = this.#recordOf(client, caller)
    const { replica } = this.#context
    return replica.table.fixHash(record, VERSION_KEY).toString(36)
  }

  /**
   * Looks for clients: the nearest first, or by ID. Who is searched for by a caller that may not read all is left out afterwards,
   * so that it may get fewer than it asked for.
   *
   * @throws {CallRefused} when more are there than one answer may hold.
   */
  async search(
    { area, items, ageSecondsMax }: ClientQuery,
    { grant }: Caller,
    isWanted: () => boolean = () => true,
  ): Promise<ClientFix[]> {
    const { replica, counters, limits, searchTurns } = this.#context
    this.#forget()
    counters.whosats++
    const itemsMax = limits.whosatItemsMax
    const search = replica.table.search({
      area,
      // One more than is allowed shows that there are more.
      items: Math.min(items, itemsMax + 1),
      since: ageSecondsMax === null ? null : this.#ago(ageSecondsMax),
      except: -1,
    })
    if (!search.step()) {
      counters.searchesLong++
      await new Promise<void>((resolve) => searchTurns.finish(search, isWanted, resolve))
    }
    if (search.found.length > itemsMax) {
      throw new CallRefused(
        'too-many',
        `more than ${itemsMax} are there: ask for a smaller area, or for some (limits.whosatItemsMax)`,
      )
    }
    return this.#fixesOf(search).filter(({ client }) => grant.mayRead(client))
  }

  /** All clients that the caller may read, a page at a time. @param from where to go on; 0 at first. */
  async page(
    from: number,
    items: number,
    ageSecondsMax: number | null,
    { grant }: Caller,
  ): Promise<ClientPage> {
    const { table } = this.#context.replica
    this.#forget()
    const since = ageSecondsMax === null ? null : this.#ago(ageSecondsMax)
    const fixes: ClientFix[] = []
    let record = from
    for (let looked = 0; record < table.recordsEnd && fixes.length < items; record++, looked++) {
      if (looked === TURN_RECORDS_MAX) {
        looked = 0
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (!table.isLive(record) || (since !== null && table.isBefore(record, since))) continue
      const fix = clientFixOf(table.read(record))
      if (grant.mayRead(fix.client)) fixes.push(fix)
    }
    return { fixes, next: record < table.recordsEnd ? record : null }
  }

  /**
   * Places near a client, as WHATSAT gives them.
   *
   * @returns its fix, and the JSON text of a Google Nearby Search. @throws {CallRefused} as `fix`.
   */
  async places(
    client: string,
    radiusMetres: number,
    items: number,
    operands: PlacesOperands,
    caller: Caller,
  ): Promise<{ readonly fix: ClientFix; readonly text: string }> {
    const { replica, counters, findPlaces } = this.#context
    const stored = replica.table.read(this.#recordOf(client, caller))
    const fix = clientFixOf(stored)
    counters.whatsats++
    const text = await findPlaces(askNear(stored, radiusMetres, operands), items, caller.address)
    return { fix, text }
  }

  /** Puts a report into the table. */
  #take(report: Report, { address, grant }: Caller): { reported: Reported; stamp: Stamp | null } {
    const { replica, counters, clock, addresses, system } = this.#context
    if (!grant.mayReport(report.client)) {
      throw new CallRefused('not-allowed', `${grant.name} may not report as ${JSON.stringify(report.client)}`)
    }
    if (clock.clockOffMs !== null) {
      counters.clockRefusals++
      throw new CallRefused(
        'clock-off',
        `this server's clock is ${(Math.abs(clock.clockOffMs) / 1000).toFixed(1)} s off its neighbors' (link.clockOffsetMsMax); the report is not kept`,
      )
    }
    const waitMs = addresses.fixWaitMs(address, system.nowMs())
    if (waitMs > 0) {
      counters.reportsRefusedForRate++
      throw new CallRefused(
        'rate',
        'too many reports from this address (limits.fixesPerSecondPerAddressMax)',
        waitMs,
      )
    }
    const now = this.#forget()
    const fix = this.#reader.read(report, now)
    const at = `AT ${this.#serverName} ${fix.buffer.toString('utf8', fix.start, fix.timeEnd)}`
    addresses.spendFix(address)
    if (this.#isRepeated(fix)) {
      counters.reports++
      counters.fixesNotNew++
      const record = replica.table.get(fix.buffer, fix.clientStart, fix.clientEnd)
      return { reported: { outcome: 'not-newer', at }, stamp: replica.stampOf(record) }
    }
    const applied = replica.accept(fix, FROM_CLIENT)
    counters.reports++
    if (applied >= 0) {
      counters.fixesNew++
      return { reported: { outcome: 'new', at }, stamp: replica.ownStamp }
    }
    if (applied === NOT_NEWER) {
      counters.fixesNotNew++
      const record = replica.table.get(fix.buffer, fix.clientStart, fix.clientEnd)
      return { reported: { outcome: 'not-newer', at }, stamp: replica.stampOf(record) }
    }
    if (applied === FORGOTTEN) {
      counters.fixesTooOld++
      return { reported: { outcome: 'too-old', at }, stamp: null }
    }
    throw this.#tableFull(applied === TOO_MANY_CLIENTS ? 'clientsMax' : 'tableBytesMax')
  }

  /**
   * Whether it is what the herd knows already: the same place, time and attributes. By the order of fixes the report that was received
   * later would be newer, for its skew; but phones send again what they aren't sure of, and that is no news to anybody.
   */
  #isRepeated(fix: Fix): boolean {
    const { table } = this.#context.replica
    const record = table.get(fix.buffer, fix.clientStart, fix.clientEnd)
    if (record === -1) return false
    const known = table.read(record)
    const { buffer, positionStart, positionEnd, timeEnd, end } = fix
    return (
      buffer.subarray(positionEnd + 1, timeEnd).equals(known.timeText) &&
      buffer.subarray(positionStart, positionEnd).equals(known.positionText) &&
      buffer.subarray(Math.min(timeEnd + 1, end), end).equals(known.attributesText)
    )
  }

  get #serverName(): string {
    const { replica, server } = this.#context
    return replica.names.name(server).toString('latin1')
  }

  #tableFull(limit: 'clientsMax' | 'tableBytesMax'): CallRefused {
    const { counters, log, replica, limits } = this.#context
    if (counters.tableFull++ === 0) {
      log.event('error', 'the table is full', { limit: `limits.${limit}`, clients: replica.table.clients })
    }
    const most = `${limits[limit]} ${limit === 'clientsMax' ? 'clients' : 'bytes of text'}`
    return new CallRefused(
      'table-full',
      `the table is full: it takes ${most} (limits.${limit}); the report is not kept`,
    )
  }

  /** Resolves when what has this stamp is held at the level of the herd file. */
  #held(stamp: Stamp): Promise<void> {
    const { acks, ack, system, limits, counters } = this.#context
    if (ackText(ack) === ackText(MEMORY) || acks.isReached(ack, stamp)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const stopWaiting = acks.wait(ack, stamp, () => {
        cancel()
        resolve()
      })
      const cancel = system.after(limits.ackMsMax, () => {
        stopWaiting()
        counters.acksLate++
        const reached = ackText(acks.reached(stamp))
        const text = `reached ${reached}, not ${ackText(ack)}, in ${limits.ackMsMax} ms`
        reject(new CallRefused('late', text, limits.ackMsMax))
      })
    })
  }

  #recordOf(client: string, { grant }: Caller): number {
    this.#forget()
    const id = Buffer.from(client)
    const record = this.#context.replica.table.get(id, 0, id.length)
    if (!grant.mayRead(client)) {
      throw new CallRefused('not-allowed', `${grant.name} may not read ${JSON.stringify(client)}`)
    }
    if (record === -1)
      throw new CallRefused('unknown-client', `nobody has heard of ${JSON.stringify(client)}`)
    return record
  }

  #fixesOf(search: Search): ClientFix[] {
    const { table } = this.#context.replica
    return search.found.map((record) => clientFixOf(table.read(record)))
  }

  #forget(): Readonly<Nanotime> {
    const { now } = this
    this.#context.replica.forget(now)
    return now
  }

  #ago(seconds: number): Nanotime {
    const { now } = this
    const whole = Math.floor(seconds)
    const nanoseconds = now.nanoseconds - Math.round((seconds - whole) * 1e9)
    const borrow = nanoseconds < 0 ? 1 : 0
    return { seconds: now.seconds - whole - borrow, nanoseconds: nanoseconds + borrow * 1_000_000_000 }
  }
}

/** Versions are compared with those of other servers, too: the key is no secret, and the same everywhere. */
const VERSION_KEY = [0x48455244, 0x46495821, 0x45544147] as const
