/** A file of the virtual disk: what programs see of it, and what of that would outlast a loss of power. */

const SECTOR_BYTES = 512

/** Something that was done to a file and may not have reached the disk. */
type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly bytes: number }

/** Bytes that grow. */
class Content {
  #room: Buffer = Buffer.alloc(SECTOR_BYTES)
  #length = 0

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length)
  }

  resize(length: number): void {
    if (length > this.#room.length) {
      const grown = Buffer.alloc(Math.max(length, this.#room.length * 2))
      this.bytes.copy(grown)
      this.#room = grown
    }
    if (length < this.#length) this.#room.fill(0, length, this.#length)
    this.#length = length
  }

  write(position: number, bytes: Buffer): void {
    this.resize(Math.max(this.#length, position + bytes.length))
    bytes.copy(this.#room, position)
  }

  apply(change: Change): void {
    if (change.kind === 'write') this.write(change.position, change.bytes)
    else this.resize(change.bytes)
  }
}

/** The bytes of a file, in the system's memory and on the disk. */
export class VirtualFile {
  readonly #seen = new Content()
  readonly #kept = new Content()
  #unsynced: Change[] = []

  /** What a program reads. */
  get bytes(): Buffer {
    return this.#seen.bytes
  }

  write(position: number, bytes: Buffer): void {
    this.#do({ kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(bytes: number): void {
    this.#do({ kind: 'truncate', bytes })
  }

  sync(): void {
    for (const change of this.#unsynced) this.#kept.apply(change)
    this.#unsynced = []
  }

  /**
   * The system lets go of what wasn't synced: it may have reached the disk or not, and no later sync will try again.
   * Programs still read what they wrote.
   */
  failSync(random: () => number): void {
    const whole = Math.floor(random() * (this.#unsynced.length + 1))
    for (const change of this.#unsynced.slice(0, whole)) this.#kept.apply(change)
    const torn = this.#unsynced[whole]
    if (torn !== undefined) tear(this.#kept, torn, random)
    this.#unsynced = []
  }

  /** Leaves what was synced, and of the rest what happened to reach the disk. */
  losePower(random: () => number): void {
    this.failSync(random)
    this.#seen.resize(0)
    this.#seen.write(0, this.#kept.bytes)
  }

  /** Damages a byte, in memory and on the disk. */
  damage(position: number, bits: number): void {
    for (const { bytes } of [this.#seen, this.#kept]) {
      if (position < bytes.length) bytes[position] = (bytes[position] as number) ^ bits
    }
  }

  #do(change: Change): void {
    this.#seen.apply(change)
    this.#unsynced.push(change)
  }
}

/** Does a change in part: not at all, its first bytes, or some of its sectors, with nothing where the others belong. */
function tear(content: Content, change: Change, random: () => number): void {
  if (change.kind === 'truncate') return
  const { position, bytes } = change
  if (random() < 0.5) {
    content.write(position, bytes.subarray(0, Math.floor(random() * (bytes.length + 1))))
    return
  }
  content.resize(Math.max(content.bytes.length, position + bytes.length))
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES))
    if (random() < 0.5) content.write(position + from, bytes.subarray(from, to))
    from = to
  }
}
