import type { Counters } from '../../counters.ts'
import { type Fix, FORGOTTEN, makeFix, NOT_NEWER, TOO_MANY_CLIENTS } from '../../locations/index.ts'
import type { Log } from '../../logs/server-log.ts'
import {
  appendFields,
  type CommandParser,
  fieldEnd,
  fieldStart,
  LF,
  type Nanotime,
  type OutputBuffer,
  QUESTION,
  SKEW_BYTES_MAX,
  SPACE,
  setDifference,
  writeSkew,
} from '../../protocol/index.ts'
import { FROM_CLIENT, type Replica } from '../../replication/replica.ts'
import type { Stamp } from '../../replication/stamps.ts'
import { askNear, type PlacesAsk } from '../places-ask.ts'

/** Indexes of the fields of clients' commands. */
const CLIENT = 1
const POSITION = 2
const TIME = 3

/** What the commands work on; one for all connections of a server. */
export interface CommandContext {
  readonly replica: Replica
  readonly parser: CommandParser
  readonly output: OutputBuffer
  readonly counters: Counters
  readonly log: Log
  /** When the chunk at hand came in. */
  readonly now: Nanotime
  /** This server's index in the replica's server names. */
  readonly server: number
  readonly limits: { readonly clientsMax: number; readonly tableBytesMax: number }
  /** By how much this server's clock is behind its neighbors', where it is far off; otherwise `null`. */
  readonly clock: { readonly clockOffMs: number | null }
}

/** `iamat`: this server's clock is wrong; nothing was changed. Less than all that `Replica.accept` says. */
export const CLOCK_OFF: number = Number.NEGATIVE_INFINITY

/**
 * What clients' commands do. The parser has just read the command; replies are appended to the output. No socket:
 * when replies go out, and in which order, is the connection's business.
 */
export class LineCommands {
  readonly #context: CommandContext
  readonly #fix: Fix
  readonly #atPrefix: Buffer

  constructor(context: CommandContext) {
    const { parser, replica, server } = context
    this.#context = context
    this.#fix = makeFix(parser.position, parser.time, { seconds: 0, nanoseconds: 0 })
    this.#fix.server = server
    this.#atPrefix = replica.names.atPrefix(server)
  }

  /**
   * `IAMAT`: takes the fix and appends its AT line, or says that the table is full.
   *
   * @returns what `Replica.accept` says, or `CLOCK_OFF`.
   */
  iamat(buffer: Buffer): number {
    const { output, counters, replica, clock } = this.#context
    if (clock.clockOffMs !== null) {
      this.#refuseForClock(clock.clockOffMs)
      return CLOCK_OFF
    }
    const mark = output.waiting
    this.#writeAt(buffer)
    const applied = replica.accept(this.#fix, FROM_CLIENT)
    counters.iamats++
    if (applied >= 0) counters.fixesNew++
    else if (applied === NOT_NEWER) counters.fixesNotNew++
    else if (applied === FORGOTTEN) counters.fixesTooOld++
    else {
      output.cutBack(mark)
      this.#tableFull(applied === TOO_MANY_CLIENTS ? 'clientsMax' : 'tableBytesMax')
    }
    return applied
  }

  /** The stamp of what is held of the client that `iamat` has just told of. @param applied what it returned. */
  heldStamp(applied: number): Stamp {
    const { replica } = this.#context
    if (applied >= 0) return replica.ownStamp
    const { buffer, clientStart, clientEnd } = this.#fix
    return replica.stampOf(replica.table.get(buffer, clientStart, clientEnd))
  }

  /**
   * `WHATSAT`: appends the AT line of the client, the first part of the reply.
   *
   * @returns which places to look for and where, or `null` when nobody has heard of the client; nothing is appended then.
   */
  whatsat(buffer: Buffer): PlacesAsk | null {
    const { replica, parser, output, counters } = this.#context
    const record = this.#recordOf(buffer)
    if (record === -1) return null
    counters.whatsats++
    replica.table.appendAt(record, output)
    return askNear(replica.table.read(record), parser.radiusMetres, parser.places)
  }

  /** Anything else: appends `? ` and a copy of the line. */
  invalid(buffer: Buffer, start: number, end: number): void {
    const { output, counters } = this.#context
    counters.invalid++
    output.ensure(end - start + 3)
    output.appendByte(QUESTION)
    output.appendByte(SPACE)
    output.append(buffer, start, end)
    output.appendByte(LF)
  }

  /** Writes the AT line of an IAMAT straight into the output, and lets the fix point at it there. */
  #writeAt(buffer: Buffer): void {
    const { output, parser, now } = this.#context
    const { fields, time } = parser
    const fix = this.#fix
    const prefix = this.#atPrefix
    setDifference(fix.skew, now.seconds, now.nanoseconds, time.seconds, time.nanoseconds)
    output.ensure(prefix.length + SKEW_BYTES_MAX + fieldEnd(fields, TIME) - fieldStart(fields, CLIENT) + 4)
    output.append(prefix, 0, prefix.length)
    fix.buffer = output.bytes
    fix.start = output.length
    output.length = writeSkew(output.bytes, output.length, fix.skew)
    output.appendByte(SPACE)
    fix.clientStart = output.length
    fix.clientEnd = fix.clientStart + fieldEnd(fields, CLIENT) - fieldStart(fields, CLIENT)
    fix.positionStart = fix.clientEnd + 1
    fix.positionEnd = fix.positionStart + fieldEnd(fields, POSITION) - fieldStart(fields, POSITION)
    appendFields(output, buffer, fields, CLIENT, TIME)
    fix.timeEnd = output.length
    fix.end = output.length
    output.appendByte(LF)
  }

  #recordOf(buffer: Buffer): number {
    const { fields } = this.#context.parser
    return this.#context.replica.table.get(buffer, fieldStart(fields, CLIENT), fieldEnd(fields, CLIENT))
  }

  /** This server's clock is wrong, and so would be the difference that it wrote: nothing is kept. */
  #refuseForClock(offMs: number): void {
    const { output, counters } = this.#context
    counters.clockRefusals++
    const seconds = (Math.abs(offMs) / 1000).toFixed(1)
    const where = offMs > 0 ? 'behind' : 'ahead of'
    const reply = Buffer.from(
      `? this server's clock is ${seconds} s ${where} its neighbors' (link.clockOffsetMsMax); the report is not kept\n`,
    )
    output.append(reply, 0, reply.length)
  }

  /** A report that there is no room for must not look as if it were accepted. */
  #tableFull(limit: 'clientsMax' | 'tableBytesMax'): void {
    const { counters, log, replica, output, limits } = this.#context
    const most = `${limits[limit]} ${limit === 'clientsMax' ? 'clients' : 'bytes of text'}`
    const text = `? the table is full: it takes ${most} (limits.${limit}); the report is not kept\n`
    output.append(Buffer.from(text), 0, text.length)
    if (counters.tableFull++ > 0) return
    log.event('error', 'the table is full', { limit: `limits.${limit}`, clients: replica.table.clients })
  }
}
