import { effectiveTime, type StoredFix } from '../../locations/index.ts'
import { type Attributes, type Nanotime, readAttributes } from '../../protocol/index.ts'

/** The newest fix of a client as values: what gateways answer with. */
export interface ClientFix {
  /** Its ID as characters: U+FFFD stands for what is no UTF-8. */
  readonly client: string
  /** Its ID as it came. */
  readonly clientBytes: Buffer
  /** The server that accepted it. */
  readonly server: string
  /** Degrees. */
  readonly latitude: number
  /** Degrees. */
  readonly longitude: number
  /** As the client wrote it. */
  readonly positionText: string
  readonly time: Readonly<Nanotime>
  /** As the client wrote it. */
  readonly timeText: string
  /** When the server received it, minus `time`. */
  readonly skew: Readonly<Nanotime>
  readonly skewText: string
  readonly attributes: Attributes
}

/** Copies a record's fix out of the table. */
export function clientFixOf(stored: StoredFix): ClientFix {
  const { latitude, longitude, time, skew } = stored
  return {
    ...{ latitude, longitude, time: { ...time }, skew: { ...skew } },
    client: stored.client.toString('utf8'),
    clientBytes: Buffer.from(stored.client),
    server: text(stored.serverName),
    positionText: text(stored.positionText),
    timeText: text(stored.timeText),
    skewText: text(stored.skewText),
    attributes: stored.attributesText.length === 0 ? {} : readAttributes(stored.attributesText),
  }
}

/** The AT line of a fix, without line end. */
export function atLineOf({ server, skewText, client, positionText, timeText }: ClientFix): string {
  return `AT ${server} ${skewText} ${client} ${positionText} ${timeText}`
}

/** The AT line of a fix as bytes, without line end: byte for byte what its server answered. */
export function atBytesOf({
  server,
  skewText,
  clientBytes,
  positionText,
  timeText,
}: Omit<ClientFix, 'client'>): Buffer {
  return Buffer.concat([
    Buffer.from(`AT ${server} ${skewText} `, 'latin1'),
    clientBytes,
    Buffer.from(` ${positionText} ${timeText}`, 'latin1'),
  ])
}

/**
 * How old a fix is, in seconds: since the client's own time, or, when its clock is ahead, since a minute after it was received.
 */
export function ageSeconds(fix: Pick<ClientFix, 'time' | 'skew'>, now: Readonly<Nanotime>): number {
  effectiveTime(fix.time, fix.skew, effective)
  return now.seconds - effective.seconds + (now.nanoseconds - effective.nanoseconds) / 1e9
}

const effective: Nanotime = { seconds: 0, nanoseconds: 0 }

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
