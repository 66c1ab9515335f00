import { clientId, northOf, westOf } from './city.ts'

export type Field = 'client' | 'latitude' | 'longitude' | 'position' | 'time'

/** Fields of a template: runs of one letter, as long as what is written over them. */
export const FIELDS: Readonly<Record<Field, string>> = {
  client: clientId(0).replace('00000000', 'CCCCCCCC'),
  latitude: '34.NNNNNN',
  longitude: '-118.WWWWWW',
  position: '+34.NNNNNN-118.WWWWWW',
  time: 'SSSSSSSSSS.TTTTTTT00',
}

const ZERO = 0x30
/** A tick of the reports' clock is 100 ns, so that no load can outrun the real one. */
const TICKS_PER_SECOND = 10_000_000

/**
 * Writes reports of one form into buffers. All reports of a form have the same length, so that each is a copy
 * of a template with digits written over it: some 0.1 µs, and no text is made.
 */
export class ReportTemplate {
  /** Bytes of one report. */
  readonly bytes: number
  readonly #template: Buffer
  readonly #client: readonly number[]
  readonly #north: readonly number[]
  readonly #west: readonly number[]
  readonly #seconds: readonly number[]
  readonly #ticks: readonly number[]
  readonly #startSeconds: number

  /** `startSeconds` is the time of tick 0: whole seconds since 1970. */
  constructor(text: string, startSeconds: number) {
    this.#template = Buffer.from(text, 'latin1')
    this.bytes = this.#template.length
    this.#client = placesOf(text, 'CCCCCCCC')
    this.#north = placesOf(text, 'NNNNNN')
    this.#west = placesOf(text, 'WWWWWW')
    this.#seconds = placesOf(text, 'SSSSSSSSSS')
    this.#ticks = placesOf(text, 'TTTTTTT')
    this.#startSeconds = startSeconds
  }

  /** Writes where a client is after some moves, at a tick; returns where the next report may begin. */
  write(buffer: Buffer, at: number, client: number, move: number, tick: number): number {
    buffer.set(this.#template, at)
    for (const place of this.#client) writeDigits(buffer, at + place, 8, client)
    for (const place of this.#north) writeDigits(buffer, at + place, 6, northOf(client, move))
    for (const place of this.#west) writeDigits(buffer, at + place, 6, westOf(client, move))
    const seconds = this.#startSeconds + Math.trunc(tick / TICKS_PER_SECOND)
    for (const place of this.#seconds) writeDigits(buffer, at + place, 10, seconds)
    for (const place of this.#ticks) writeDigits(buffer, at + place, 7, tick % TICKS_PER_SECOND)
    return at + this.bytes
  }
}

function placesOf(text: string, field: string): readonly number[] {
  return Array.from(text.matchAll(new RegExp(field, 'g')), ({ index }) => index)
}

/** With leading zeros. */
function writeDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  let rest = value
  for (let digit = digits - 1; digit >= 0; digit -= 1) {
    bytes[at + digit] = ZERO + (rest % 10)
    rest = Math.trunc(rest / 10)
  }
}
