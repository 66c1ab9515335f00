import { type CommandParser, fieldEnd, fieldStart } from '../../protocol/index.ts'

/** Lines that are no command, and not a client's mistake either. */

/** ` HTTP/` before the version ends the first line of every HTTP request. */
const HTTP = / HTTP\/\d+(?:\.\d+)?\s*$/
const REQUEST_LINE_TAIL = 16

/** Says whether the line `buffer[start, end)` is the first of an HTTP request. */
export function isHttpRequestLine(buffer: Buffer, start: number, end: number): boolean {
  return HTTP.test(buffer.toString('latin1', Math.max(start, end - REQUEST_LINE_TAIL), end))
}

/** Says whether the line just read is one that servers say to each other: an AT line, or a question mark. */
export function isServersTalk({ fields }: CommandParser, buffer: Buffer): boolean {
  if (fields.count === 0) return false
  const word = buffer.toString('latin1', fieldStart(fields, 0), fieldEnd(fields, 0))
  return word === 'AT' || word === '?'
}

/** Where what is logged of a first line ends: the query of an HTTP request may hold a token. */
export function loggedEnd(buffer: Buffer, start: number, end: number): number {
  const query = buffer.indexOf('?', start)
  return query !== -1 && query < end && isHttpRequestLine(buffer, start, end) ? query : end
}
