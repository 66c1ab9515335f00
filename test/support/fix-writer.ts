/** Fixes by the million, for tables that are large: one object and one buffer, written over for each. */
import { type Fix, makeFix } from '../../src/locations/index.ts'

const ZERO = 0x30
const [SPACE, QUOTE, LETTER] = [0x20, 0x22, 0x78]
const [PLUS, MINUS, DOT] = [0x2b, 0x2d, 0x2e]
const MICRO = 1_000_000

/** What a fix says. */
export interface FixNumbers {
  /** As everything here, less than 2³¹. */
  readonly client: number
  /** Digits of the client's number in its ID; 7 are left out. */
  readonly idDigits?: number
  /** Millionths of a degree. */
  readonly latitude: number
  readonly longitude: number
  readonly seconds: number
  /** Bytes of attributes: a string in quotes. Less than 2: none. */
  readonly attributes?: number
}

/** Writes fixes of the server with index 0, received as soon as they were sent. */
export class FixWriter {
  readonly #fix: Fix = makeFix()
  readonly #buffer: Buffer = Buffer.alloc(8192)

  constructor() {
    this.#fix.buffer = this.#buffer
    this.#fix.start = 0
    this.#fix.clientStart = this.#buffer.write('+0.000000000 ', 'latin1')
  }

  /** The fix with these numbers. It is the same object every time. */
  write({ client, idDigits = 7, latitude, longitude, seconds, attributes = 0 }: FixNumbers): Fix {
    const fix = this.#fix
    fix.clientEnd = this.#digits(fix.clientStart, client, idDigits)
    this.#buffer[fix.clientEnd] = SPACE
    fix.positionStart = fix.clientEnd + 1
    fix.positionEnd = this.#degrees(this.#degrees(fix.positionStart, latitude), longitude)
    this.#buffer[fix.positionEnd] = SPACE
    fix.timeEnd = fix.end = this.#digits(fix.positionEnd + 1, seconds, 10)
    if (attributes >= 2) {
      this.#buffer[fix.end] = SPACE
      for (let at = fix.end + 2; at < fix.end + attributes; at++) this.#buffer[at] = LETTER
      this.#buffer[fix.end + 1] = this.#buffer[fix.end + attributes] = QUOTE
      fix.end += 1 + attributes
    }
    fix.position.latitude = latitude / MICRO
    fix.position.longitude = longitude / MICRO
    fix.time.seconds = seconds
    return fix
  }

  #degrees(at: number, millionths: number): number {
    this.#buffer[at] = millionths < 0 ? MINUS : PLUS
    const whole = (Math.abs(millionths) / MICRO) | 0
    const dot = this.#digits(at + 1, whole, 3)
    this.#buffer[dot] = DOT
    return this.#digits(dot + 1, Math.abs(millionths) % MICRO, 6)
  }

  #digits(at: number, value: number, digits: number): number {
    for (let place = at + digits - 1, rest = value; place >= at; place--) {
      const tenth = (rest / 10) | 0
      this.#buffer[place] = ZERO + rest - tenth * 10
      rest = tenth
    }
    return at + digits
  }
}
