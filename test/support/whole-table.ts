/** All that a server knows, asked for over its port as anyone may. */
import { createHash } from 'node:crypto'
import { LineWire, type WireTarget } from './line-wire.ts'

/** A herd file needs these for answers of this size. */
export const WHOLE_TABLE_LIMITS = { whosatItemsMax: 1_000_000, whosatBytesMax: 1_073_741_824 } as const

/** What a table comes to. Equal tables have equal digests. */
export interface TableDigest {
  readonly clients: number
  readonly digest: string
}

const READ_MS_MAX = 60_000
// Borders belong to both boxes: no position of these tests has so many digits.
const EDGE_DIGITS = '0005'

/**
 * Asks for everybody, in boxes around the world from south to north, one after the other.
 *
 * @param bands how many boxes: one for small tables, more where one answer would be large.
 * @param onLine gets each AT line.
 */
export async function readWholeTable(
  target: WireTarget,
  bands = 1,
  onLine: (line: string) => void = () => undefined,
): Promise<TableDigest> {
  const hash = createHash('sha256')
  const done = Promise.withResolvers<void>()
  let [clients, band] = [0, 0]
  const hear = (line: string): void => {
    if (line.startsWith('AT ')) {
      clients++
      hash.update(line).update('\n')
      onLine(line)
    } else if (line !== '') done.reject(new Error(`WHOSAT was answered ${line.slice(0, 200)}`))
    else if (++band < bands) void wire.send(question(band, bands))
    else done.resolve()
  }
  const wire = await LineWire.open(target, hear)
  const timer = setTimeout(
    () => done.reject(new Error(`no whole table within ${READ_MS_MAX} ms`)),
    READ_MS_MAX,
  )
  void wire.closed.then(() => done.reject(new Error('the connection ended before the table did')))
  try {
    await wire.send(question(0, bands))
    await done.promise
  } finally {
    clearTimeout(timer)
    wire.destroy()
  }
  return { clients, digest: hash.digest('hex') }
}

function question(band: number, bands: number): string {
  return `WHOSAT IN ${edge(band, bands)}-180 ${edge(band + 1, bands)}+180 *\n`
}

function edge(band: number, bands: number): string {
  if (band === 0) return '-90'
  if (band === bands) return '+90'
  const latitude = Math.floor((180 * band) / bands) - 90
  return `${latitude < 0 ? '-' : '+'}${Math.abs(latitude)}.${EDGE_DIGITS}`
}
