/** A made-up dump of GeoNames, as large as a test wants it. */
import { closeSync, openSync, writeSync } from 'node:fs'

/** What is in it. */
export interface DumpOptions {
  readonly places: number
  /** Bytes of other names in each line, which nobody reads. */
  readonly otherNameBytes?: number
  /** Where the first is; the others are on their way north and east of it, some metres each. */
  readonly latitude?: number
  readonly longitude?: number
}

const FLUSH_CHARACTERS = 1_000_000

/** Writes one; `Place 0`, `Place 1` … are towns without inhabitants. */
export function writeGeoNamesDump(path: string, options: DumpOptions): void {
  const { places, otherNameBytes = 0, latitude = 47.1, longitude = 9.5 } = options
  const others = 'x'.repeat(otherNameBytes)
  const file = openSync(path, 'w')
  let text = ''
  for (let number = 0; number < places; number++) {
    const at = `${(latitude + (number % 1_000) / 1e5).toFixed(6)}\t${(longitude + number / 1e6).toFixed(6)}`
    text += `${number}\tPlace ${number}\t\t${others}\t${at}\tP\tPPL\tLI\t\t\t\t\t\t0\t\t\t\t2023-01-01\n`
    if (text.length < FLUSH_CHARACTERS) continue
    writeSync(file, text)
    text = ''
  }
  writeSync(file, text)
  closeSync(file)
}
