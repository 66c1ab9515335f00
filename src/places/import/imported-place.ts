/** What every reader of a file gives, and how it says that the file is no good. */
import type { IndexablePlace } from '../index/index-writer.ts'

/** A place as it comes out of a file. */
export type ImportedPlace = IndexablePlace

/** The file can't be read to its end. The message names the file, the byte and what is wrong there. */
export class ImportFailed extends Error {
  override readonly name = 'ImportFailed'
}

/** A position on the ground; what isn't, no reader lets through. */
export function isOnGround(latitude: number, longitude: number): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
}
