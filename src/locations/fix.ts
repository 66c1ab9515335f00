import type { Nanotime, Position } from '../protocol/index.ts'

/**
 * One position of one client at one time, as a server accepted it, on its way into the table. The text is the
 * tail of its AT line, `<skew> <client> <position> <time>` with one space between fields, and then, only if there
 * are any, one space and its attributes. It stays in the buffer it came in or was written to; the numbers are
 * read from that text. One object is refilled for all fixes of a gateway, so nothing may keep it.
 */
export interface Fix {
  /** Holds the text. */
  buffer: Buffer
  /** First byte of the skew. */
  start: number
  /** First byte of the client ID; the skew ends one byte before. */
  clientStart: number
  clientEnd: number
  /** First byte of the position; the client ID ends one byte before. */
  positionStart: number
  positionEnd: number
  /** One past the last byte of the time, which starts one byte after `positionEnd`. */
  timeEnd: number
  /** One past the last byte of the attributes, which start one byte after `timeEnd`; `timeEnd` without any. */
  end: number
  /** The origin: an index of `ServerNames`. */
  server: number
  readonly position: Position
  /** The client's own time. */
  readonly time: Nanotime
  /** The origin's receive time minus `time`. */
  readonly skew: Nanotime
}

/** Makes a fix to be filled; the numbers are those of whoever reads the text. */
export function makeFix(
  position: Position = { latitude: 0, longitude: 0 },
  time: Nanotime = { seconds: 0, nanoseconds: 0 },
  skew: Nanotime = { seconds: 0, nanoseconds: 0 },
): Fix {
  return {
    buffer: Buffer.alloc(0),
    start: 0,
    clientStart: 0,
    clientEnd: 0,
    positionStart: 0,
    positionEnd: 0,
    timeEnd: 0,
    end: 0,
    server: 0,
    position,
    time,
    skew,
  }
}
