/**
 * The IAMAT lines that one load sends: written once before the measurement, sent again and again from the
 * same memory. Invariants:
 *
 * 1. Every connection owns its clients, so the reports of a client are sent in the order of their times.
 * 2. A time never comes twice for a client: seven characters in the middle of it count the batches of the
 *    connection, and are patched just before the batch is sent.
 * 3. A batch is patched only when all replies to it have come, so never while the kernel may still read it.
 * 4. A client's position changes with every report, so no server gets away with noticing that nothing has
 *    changed; by some 30 m, as a vehicle's does, there and back in several rounds.
 */
export interface ReportLinesOptions {
  /** At least so many clients in all; rounded up so that every connection has the same number. */
  readonly clients: number
  readonly connections: number
  readonly linesPerBatch: number
  /** What the clock says; the reports begin at least 1,000 s earlier, so that no time lies ahead of it. */
  readonly nowSeconds: number
}

/** Rounds of different positions before the first ones are used again. */
const POSITION_ROUNDS = 4
/** Millionths of a degree from one round to the next. */
const STEP = 300
/** `SSS.mmm` counts that far: 64 lines × 50 connections × this is three thousand million reports. */
const BATCHES_MAX = 1_000_000

const ZERO = 0x30
const TEMPLATE = 'IAMAT client-000000.example +34.000000-118.000000 1700000000.000000000\n'
const LINE_BYTES = TEMPLATE.length
const CLIENT_AT = TEMPLATE.indexOf('000000.example')
const LATITUDE_AT = TEMPLATE.indexOf('+34.') + '+34.'.length
const LONGITUDE_AT = TEMPLATE.indexOf('-118.') + '-118.'.length
const SECONDS_AT = TEMPLATE.indexOf('1700000000')
const COUNTER_AT = SECONDS_AT + 7
const NANOSECONDS_AT = COUNTER_AT + 'SSS.mmm'.length

export class ReportLines {
  /** Clients in all. */
  readonly clients: number
  readonly #lines: Buffer
  readonly #batchBytes: number
  readonly #batchesPerConnection: number
  readonly #sent: Uint32Array

  constructor(options: ReportLinesOptions) {
    const { connections, linesPerBatch } = options
    const least = Math.ceil(options.clients / connections)
    const perConnection = roundUp(least, linesPerBatch, POSITION_ROUNDS)
    this.clients = perConnection * connections
    this.#batchBytes = linesPerBatch * LINE_BYTES
    this.#batchesPerConnection = (perConnection * POSITION_ROUNDS) / linesPerBatch
    this.#sent = new Uint32Array(connections)
    this.#lines = writeLines(connections, perConnection, options.nowSeconds)
  }

  /** The next batch of a connection. The bytes are shared: they stay as they are until all is answered. */
  next(connection: number): Buffer {
    const sent = this.#sent[connection] ?? 0
    if (sent >= BATCHES_MAX)
      throw new Error(`only ${BATCHES_MAX} batches per connection: measure for a shorter time`)
    this.#sent[connection] = sent + 1
    const index = connection * this.#batchesPerConnection + (sent % this.#batchesPerConnection)
    const start = index * this.#batchBytes
    this.#patchTimes(start, start + this.#batchBytes, sent)
    return this.#lines.subarray(start, start + this.#batchBytes)
  }

  /** Writes `counter` as `SSS.mmm` into the time of every line; the dot between is already there. */
  #patchTimes(start: number, end: number, counter: number): void {
    const lines = this.#lines
    const digit0 = ZERO + Math.trunc(counter / 100_000)
    const digit1 = ZERO + (Math.trunc(counter / 10_000) % 10)
    const digit2 = ZERO + (Math.trunc(counter / 1000) % 10)
    const digit3 = ZERO + (Math.trunc(counter / 100) % 10)
    const digit4 = ZERO + (Math.trunc(counter / 10) % 10)
    const digit5 = ZERO + (counter % 10)
    for (let at = start + COUNTER_AT; at < end; at += LINE_BYTES) {
      lines[at] = digit0
      lines[at + 1] = digit1
      lines[at + 2] = digit2
      lines[at + 4] = digit3
      lines[at + 5] = digit4
      lines[at + 6] = digit5
    }
  }
}

function writeLines(connections: number, perConnection: number, nowSeconds: number): Buffer {
  const perRound = perConnection * POSITION_ROUNDS
  const lines = Buffer.alloc(connections * perRound * LINE_BYTES, TEMPLATE, 'latin1')
  const firstSeconds = String((Math.floor(nowSeconds / 1000) - 1) * 1000)
  const random = seededRandom(1)
  const homeLatitude = homes(connections * perConnection, 2)
  const homeLongitude = homes(connections * perConnection, 3)
  for (let line = 0; line < connections * perRound; line += 1) {
    const start = line * LINE_BYTES
    const client = Math.floor(line / perRound) * perConnection + (line % perConnection)
    writeDigits(lines, start + CLIENT_AT, client)
    const round = Math.floor((line % perRound) / perConnection)
    writeDigits(lines, start + LATITUDE_AT, (homeLatitude(client) + round * STEP) % 1_000_000)
    writeDigits(lines, start + LONGITUDE_AT, (homeLongitude(client) + round * STEP) % 1_000_000)
    writeDigits(lines, start + NANOSECONDS_AT, random())
    lines.write(firstSeconds, start + SECONDS_AT, 'latin1')
  }
  return lines
}

/** Where in the city each client starts, in millionths of a degree. */
function homes(clients: number, seed: number): (client: number) => number {
  const places = Uint32Array.from({ length: clients }, seededRandom(seed))
  return (client) => places[client] ?? 0
}

/** Six digits, with leading zeros. */
function writeDigits(bytes: Buffer, at: number, value: number): void {
  let rest = value
  for (let digit = 5; digit >= 0; digit -= 1) {
    bytes[at + digit] = ZERO + (rest % 10)
    rest = Math.trunc(rest / 10)
  }
}

/** 0 to 999,999, the same in every run, so that two runs send the same positions. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * 1_000_000)
  }
}

/** The smallest number from `least` on that gives whole batches, and none with the same client twice. */
function roundUp(least: number, linesPerBatch: number, rounds: number): number {
  let clients = Math.max(least, linesPerBatch)
  while ((clients * rounds) % linesPerBatch !== 0) clients += 1
  return clients
}
