/** Fixes and tables for tests, from and to AT lines (Latin-1 strings, without their line end). */
import {
  type Fix,
  type HashKey,
  LiveTable,
  type Query,
  ServerNames,
  type TableLimits,
} from '../../src/locations/index.ts'
import { type Nanotime, OutputBuffer } from '../../src/protocol/index.ts'
import { readAt } from './naive-table.ts'

/** No secret is kept from tests. */
export const TEST_KEY: HashKey = [0x03020100, 0x07060504, 0x0b0a0908]
/** Bounds that no test reaches by accident. */
export const WIDE_LIMITS: TableLimits = { clientsMax: 1_000_000, tableBytesMax: 64 << 20 }

const SECOND = 1_000_000_000n

/** The fix that an AT line carries, somewhere in the middle of a buffer. */
export function fixOf(line: string, names: ServerNames): Fix {
  const { server, skewText, client, positionText, timeText, time, skew, latitude, longitude } = readAt(line)
  const before = 'bytes of others'
  const start = before.length + line.indexOf(' ', 3) + 1
  const clientStart = start + skewText.length + 1
  const clientEnd = clientStart + client.length
  const positionStart = clientEnd + 1
  const positionEnd = positionStart + positionText.length
  const timeEnd = positionEnd + 1 + timeText.length
  const end = before.length + line.length
  const name = Buffer.from(server, 'latin1')
  return {
    buffer: Buffer.from(`${before}${line}${before}`, 'latin1'),
    ...{ start, clientStart, clientEnd, positionStart, positionEnd, timeEnd, end },
    server: names.indexOf(name, 0, name.length),
    position: { latitude, longitude },
    time: toNanotime(time),
    skew: toNanotime(skew),
  }
}

/** Nanoseconds as the source holds them: whole seconds, and a rest that is never negative. */
export function toNanotime(nanoseconds: bigint): Nanotime {
  const rest = ((nanoseconds % SECOND) + SECOND) % SECOND
  return { seconds: Number((nanoseconds - rest) / SECOND), nanoseconds: Number(rest) }
}

/** A table that speaks AT lines. */
export class LineTable {
  readonly names: ServerNames = new ServerNames(100)
  readonly table: LiveTable

  constructor(limits: TableLimits = WIDE_LIMITS) {
    this.table = new LiveTable(limits, this.names, TEST_KEY)
  }

  apply(line: string): number {
    return this.table.apply(fixOf(line, this.names))
  }

  /** The record of a client, or −1. */
  get(client: string): number {
    const bytes = Buffer.from(`<${client}>`, 'latin1')
    return this.table.get(bytes, 1, bytes.length - 1)
  }

  /** The AT line of a record. */
  line(record: number): string {
    return atLine(this.table, record)
  }

  /** All AT lines, sorted. */
  get lines(): string[] {
    return tableLines(this.table)
  }

  /** IDs of the clients nearby. */
  nearby(latitude: number, longitude: number, radius: number, items: number, except?: string): string[] {
    const left = except === undefined ? -1 : this.get(except)
    const area = { kind: 'circle', center: { latitude, longitude }, radiusMetres: radius } as const
    return this.search({ area, items, since: null, except: left })
  }

  /** IDs of the clients that a query finds. */
  search(query: Query): string[] {
    const search = this.table.search(query)
    while (!search.step());
    return search.found.map((record) => this.client(record))
  }

  /** The ID of a record's client. */
  client(record: number): string {
    return Buffer.from(this.table.read(record).client).toString('latin1')
  }
}

/** The AT line of a record with its attributes, without its line end. */
export function atLine(table: LiveTable, record: number): string {
  const output = new OutputBuffer()
  table.appendAtWithAttributes(record, output)
  return output.take().toString('latin1').replace(/\n$/, '')
}

/** All AT lines of a table, sorted. */
export function tableLines(table: LiveTable): string[] {
  return Array.from({ length: table.recordsEnd }, (_, record) => record)
    .filter((record) => table.isLive(record))
    .map((record) => atLine(table, record))
    .toSorted()
}
