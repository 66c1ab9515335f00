import { tableMemory } from './table-memory.ts'

/** One page of text. The longest text must fit into one. */
export const PAGE_BYTES: number = 1 << 20
const PAGE_SHIFT = 20
const PAGE_MASK = PAGE_BYTES - 1
/** Addresses are 32 bits of bytes. */
export const ARENA_BYTES_MAX: number = 2 ** 32
/** Texts take room in steps of this, so that one a few digits longer still fits where the old one was. */
const STEP = 8
const STEP_SHIFT = 3

/** Bytes of an arena, by what they are. `pages` = `used` + `free` + `untouched`. */
export interface ArenaBytes {
  readonly pages: number
  /** Places that hold a text. */
  readonly used: number
  /** Places given back, to be used again. */
  readonly free: number
  /** The end of the last page, that nothing was ever written to. */
  readonly untouched: number
}

/**
 * Room for texts of a few dozen bytes, millions of them, without an object for each: pages of bytes, and for
 * every size a chain of the places given back, whose links lie in those places themselves. The same sizes come
 * again and again, so what is given back is used again and churn doesn't grow the arena. When there is no
 * further page, longer places are cut up: a client that keeps changing its text's length can't use the arena up.
 */
export class TextArena {
  readonly #pagesMax: number
  readonly #pages: Buffer[] = []
  /** By room: the first free place's address in steps + 1; a place holds that of the next in its first four bytes. */
  readonly #freeByRoom = new Map<number, number>()
  #tail = PAGE_BYTES
  #usedBytes = 0
  #freeBytes = 0

  /** @param bytesMax how many bytes of pages at most, up to `ARENA_BYTES_MAX`. */
  constructor(bytesMax: number) {
    this.#pagesMax = Math.max(1, Math.floor(Math.min(bytesMax, ARENA_BYTES_MAX) / PAGE_BYTES))
  }

  /** Where its bytes are: the accounting that shows that churn doesn't grow it. */
  get bytes(): ArenaBytes {
    return {
      pages: this.#pages.length * PAGE_BYTES,
      used: this.#usedBytes,
      free: this.#freeBytes,
      untouched: PAGE_BYTES - this.#tail,
    }
  }

  /** How many bytes the place of a text of `length` bytes has. */
  static room(length: number): number {
    return (length + STEP - 1) & -STEP
  }

  /** Finds room for `length` bytes, at least one: its address, or −1 when the arena is full. */
  allocate(length: number): number {
    const room = TextArena.room(length)
    if (room > PAGE_BYTES) return -1
    const address = this.#takeFree(room) ?? this.#takeTail(room) ?? this.#cutLonger(room)
    if (address === undefined) return -1
    this.#usedBytes += room
    return address
  }

  /** Gives back the room of a text of `length` bytes; its bytes are overwritten. */
  free(address: number, length: number): void {
    const room = TextArena.room(length)
    this.#usedBytes -= room
    this.#putFree(address, room)
  }

  /** Gives back the end of a place whose text got shorter. */
  shrink(address: number, oldLength: number, length: number): void {
    const room = TextArena.room(length)
    const rest = TextArena.room(oldLength) - room
    this.#usedBytes -= rest
    this.#putFree(address + room, rest)
  }

  /** The page that holds an address. */
  page(address: number): Buffer {
    return this.#pages[address >>> PAGE_SHIFT] as Buffer
  }

  /** Where in its page an address lies. */
  offset(address: number): number {
    return address & PAGE_MASK
  }

  #putFree(address: number, room: number): void {
    this.page(address).writeUInt32LE(this.#freeByRoom.get(room) ?? 0, this.offset(address))
    this.#freeByRoom.set(room, (address >>> STEP_SHIFT) + 1)
    this.#freeBytes += room
  }

  #takeFree(room: number): number | undefined {
    const first = this.#freeByRoom.get(room)
    if (first === undefined) return undefined
    const address = (first - 1) * STEP
    const next = this.page(address).readUInt32LE(this.offset(address))
    // Sizes that nobody uses any more are forgotten, so that looking through all sizes is short.
    if (next === 0) this.#freeByRoom.delete(room)
    else this.#freeByRoom.set(room, next)
    this.#freeBytes -= room
    return address
  }

  /** Takes room behind everything in the last page, or in a new one. */
  #takeTail(room: number): number | undefined {
    if (this.#tail + room > PAGE_BYTES && !this.#addPage()) return undefined
    const address = (this.#pages.length - 1) * PAGE_BYTES + this.#tail
    this.#tail += room
    return address
  }

  #cutLonger(room: number): number | undefined {
    for (const longer of this.#freeByRoom.keys()) {
      if (longer <= room) continue
      const address = this.#takeFree(longer)
      if (address !== undefined) this.#putFree(address + room, longer - room)
      return address
    }
    return undefined
  }

  #addPage(): boolean {
    if (this.#pages.length === this.#pagesMax) return false
    // The rest of the page is too short for this text, not for the next shorter one.
    if (this.#tail < PAGE_BYTES) {
      this.#putFree((this.#pages.length - 1) * PAGE_BYTES + this.#tail, PAGE_BYTES - this.#tail)
    }
    this.#pages.push(Buffer.from(tableMemory(PAGE_BYTES)))
    this.#tail = 0
    return true
  }
}
