import type { Nanotime } from '../../protocol/index.ts'
import type { ClientFix } from '../calls/client-fix.ts'

/** A way to write a fix for those who watch. One object of each, since it is also the name under which the bytes are kept. */
export interface FixFormat {
  encode(fix: ClientFix, now: Readonly<Nanotime>): Buffer
}

/** A fix on its way to many watchers: written once in each format, however many take it. */
export class WatchedFix {
  readonly record: number
  readonly fix: ClientFix
  readonly #now: Readonly<Nanotime>
  readonly #encoded = new Map<FixFormat, Buffer>()

  constructor(record: number, fix: ClientFix, now: Readonly<Nanotime>) {
    this.record = record
    this.fix = fix
    this.#now = now
  }

  /** The fix in a format. */
  as(format: FixFormat): Buffer {
    let bytes = this.#encoded.get(format)
    if (bytes === undefined) {
      bytes = format.encode(this.fix, this.#now)
      this.#encoded.set(format, bytes)
    }
    return bytes
  }
}
