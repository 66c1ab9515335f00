import type { Log } from '../../logs/server-log.ts'
import { type CommandParser, fieldEnd, fieldStart } from '../../protocol/index.ts'

/** Lines that are no command, and not a client's mistake either. */

/** ` HTTP/` before the version ends the first line of every HTTP request. */
const HTTP = / HTTP\/\d+(?:\.\d+)?\s*$/
const REQUEST_LINE_TAIL = 16

/** Says whether the line `buffer[start, end)` is the first of an HTTP request. */
export function isHttpRequestLine(buffer: Buffer, start: number, end: number): boolean {
  return HTTP.test(buffer.toString('latin1', Math.max(start, end - REQUEST_LINE_TAIL), end))
}

/** A line that shows a token is logged as this … */
const TOKEN_LOGGED: Buffer = Buffer.from('TOKEN (not logged)')
/** … and one that does so in a wrong way is answered with this. */
export const TOKEN_MISPLACED = '? TOKEN takes one token, in a line of its own'
const TOKEN = /^\s*TOKEN(?:\s|$)/

/** Says whether the line `buffer[start, end)` may hold a token, well or badly written: it is neither logged nor sent back. */
export function isTokenLine(buffer: Buffer, start: number, end: number): boolean {
  return TOKEN.test(buffer.toString('latin1', start, end))
}

/** Logs a line that came in, unless it shows a token; of an HTTP request no query, for it may show one, too. */
export function logLine(log: Log, connection: number, buffer: Buffer, start: number, end: number): void {
  if (isTokenLine(buffer, start, end)) log.lineIn(connection, TOKEN_LOGGED, 0, TOKEN_LOGGED.length)
  else log.lineIn(connection, buffer, start, queryStart(buffer, start, end))
}

/** Where the query of an HTTP request line begins; `end` when there is none. */
function queryStart(buffer: Buffer, start: number, end: number): number {
  const length = buffer.subarray(start, end).indexOf('?')
  return length !== -1 && isHttpRequestLine(buffer, start, end) ? start + length : end
}

/** Says whether the line just read is one that servers say to each other: an AT line, or a question mark. */
export function isServersTalk({ fields }: CommandParser, buffer: Buffer): boolean {
  if (fields.count === 0) return false
  const word = buffer.toString('latin1', fieldStart(fields, 0), fieldEnd(fields, 0))
  return word === 'AT' || word === '?'
}
