import { type Fix, makeFix } from '../../locations/index.ts'
import {
  type Attributes,
  AttributesInvalid,
  copyBytes,
  IS_WHITE,
  type Nanotime,
  readPosition,
  readTime,
  SKEW_BYTES_MAX,
  setDifference,
  writeAttributes,
  writeSkew,
} from '../../protocol/index.ts'
import { CallRefused } from './call-refused.ts'

/**
 * A client says where it is, as a gateway hands it on: texts as IAMAT has them, so that what was said exactly stays
 * exact.
 */
export interface Report {
  /** The client's ID: no white space, at most `CLIENT_BYTES_MAX` bytes. */
  readonly client: string
  /** ISO 6709 decimal degrees, such as `+34.068930-118.445127`; `positionText` makes it of numbers. */
  readonly position: string
  /** POSIX time in seconds, such as `1479413884.392014450`; `null`: now. */
  readonly time: string | null
  readonly attributes?: Attributes
}

/** An ID that comes by another way than a line has at most so many bytes. */
export const CLIENT_BYTES_MAX = 1024

/** Longer texts are no position and no time. */
const FIELD_BYTES_MAX = 256
/** What is nearer to zero than this is written by JavaScript with an exponent. */
const EXPONENT_BELOW = 1e-6
const EXPONENT_DIGITS = 12

/**
 * Writes a position as IAMAT has it, with all digits of both numbers.
 *
 * @param latitude degrees. @param longitude degrees.
 */
export function positionText(latitude: number, longitude: number): string {
  return degreesText(latitude) + degreesText(longitude)
}

function degreesText(degrees: number): string {
  const size = Math.abs(degrees)
  const text = size > 0 && size < EXPONENT_BELOW ? size.toFixed(EXPONENT_DIGITS) : String(size)
  return (degrees < 0 ? '-' : '+') + text
}

/** Makes fixes of reports. One object and one buffer serve them all: what `read` returns holds until it is called again. */
export class ReportReader {
  readonly #fix: Fix
  #buffer = Buffer.allocUnsafe(SKEW_BYTES_MAX + CLIENT_BYTES_MAX + 2 * FIELD_BYTES_MAX + 4096)

  /** @param server this server's index in the replica's server names. */
  constructor(server: number) {
    this.#fix = makeFix()
    this.#fix.server = server
  }

  /**
   * Reads a report as a fix that was received now.
   *
   * @throws {CallRefused} that says what of it is wrong, and what would be right.
   */
  read(report: Report, now: Readonly<Nanotime>): Fix {
    const fix = this.#fix
    const buffer = this.#buffer
    fix.buffer = buffer
    fix.start = 0
    // The skew comes first, but is known last: the fields are written behind the longest that it may be.
    let at = SKEW_BYTES_MAX + 1
    const fieldsStart = at
    at = this.#client(report.client, at)
    fix.clientEnd = at
    buffer[at++] = 0x20
    fix.positionStart = at
    at = this.#write(report.position, at, FIELD_BYTES_MAX)
    fix.positionEnd = at
    if (at === -1 || readPosition(buffer, fix.positionStart, at, fix.position) !== at) {
      throw invalid(
        `${shown(report.position)} is no position: latitude (−90 to 90) and longitude (−180 to 180) with their signs, such as +34.068930-118.445127`,
      )
    }
    buffer[at++] = 0x20
    const timeStart = at
    const time = report.time ?? `${now.seconds}.${String(now.nanoseconds).padStart(9, '0')}`
    at = this.#write(time, at, FIELD_BYTES_MAX)
    fix.timeEnd = at
    if (at === -1 || readTime(buffer, timeStart, at, fix.time) !== at) {
      throw invalid(`${shown(time)} is no time: seconds since 1970, such as 1479413884.392014450`)
    }
    at = this.#attributes(report.attributes, at)
    fix.end = at
    setDifference(fix.skew, now.seconds, now.nanoseconds, fix.time.seconds, fix.time.nanoseconds)
    return this.#putSkew(fix, fieldsStart)
  }

  /** Writes the skew right before the fields. */
  #putSkew(fix: Fix, fieldsStart: number): Fix {
    const skew = Buffer.allocUnsafe(SKEW_BYTES_MAX)
    const length = writeSkew(skew, 0, fix.skew)
    fix.start = fieldsStart - 1 - length
    copyBytes(skew, 0, length, this.#buffer, fix.start)
    this.#buffer[fieldsStart - 1] = 0x20
    fix.clientStart = fieldsStart
    return fix
  }

  #client(client: string, at: number): number {
    const end = this.#write(client, at, CLIENT_BYTES_MAX)
    if (end === at)
      throw invalid('the client has no ID; it is a text without white space, such as kiwi.cs.ucla.edu')
    if (end === -1) throw invalid(`the client's ID is too long: it may have ${CLIENT_BYTES_MAX} bytes`)
    // JSON can say half a character, which no bytes are: two clients would become one.
    if (!client.isWellFormed()) throw invalid(`the client's ID ${shown(client)} holds half a character`)
    for (let place = at; place < end; place++) {
      if (IS_WHITE[this.#buffer[place] as number] === 1) {
        throw invalid(`the client's ID ${shown(client)} holds white space; it may have none`)
      }
    }
    return end
  }

  #attributes(attributes: Attributes | undefined, at: number): number {
    if (attributes === undefined) return at
    try {
      const text = writeAttributes(attributes)
      if (text.length === 0) return at
      this.#buffer[at++] = 0x20
      text.copy(this.#buffer, at)
      return at + text.length
    } catch (error) {
      if (error instanceof AttributesInvalid) throw invalid(error.message)
      throw error
    }
  }

  /** Writes a text as UTF-8. @returns one past its last byte; −1 when it has more than `bytesMax`. */
  #write(text: string, at: number, bytesMax: number): number {
    // A character has at least one byte.
    if (text.length > bytesMax) return -1
    const written = this.#buffer.write(text, at)
    return written > bytesMax ? -1 : at + written
  }
}

function invalid(message: string): CallRefused {
  return new CallRefused('invalid', message)
}

function shown(text: string): string {
  const SHOWN_MAX = 60
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)
}
