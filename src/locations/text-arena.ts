/** One page of text. The longest text must fit into one. */
export const PAGE_BYTES: number = 1 << 20
const PAGE_SHIFT = 20
const PAGE_MASK = PAGE_BYTES - 1
/** Addresses are 32 bits of bytes. */
export const ARENA_BYTES_MAX: number = 2 ** 32
/** Texts take room in steps of this, so that one a few digits longer still fits where the old one was. */
const STEP = 8

/**
 * Room for texts of a few dozen bytes, millions of them, without an object for each: pages of bytes, and for
 * every size a list of the places given back. The same sizes come again and again, so what is given back is
 * used again and churn doesn't grow the arena. When there is no further page, longer places are cut up: a client
 * that keeps changing its text's length can't use the arena up.
 */
export class TextArena {
  readonly #pagesMax: number
  readonly #pages: Buffer[] = []
  readonly #freeByRoom = new Map<number, number[]>()
  #tail = PAGE_BYTES
  #usedBytes = 0

  /** @param bytesMax how many bytes of pages at most, up to `ARENA_BYTES_MAX`. */
  constructor(bytesMax: number) {
    this.#pagesMax = Math.max(1, Math.floor(Math.min(bytesMax, ARENA_BYTES_MAX) / PAGE_BYTES))
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.#pages.length * PAGE_BYTES
  }

  /** Bytes of the places that are in use. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How many bytes the place of a text of `length` bytes has. */
  static room(length: number): number {
    return Math.ceil(length / STEP) * STEP
  }

  /** Finds room for `length` bytes: its address, or −1 when the arena is full. */
  allocate(length: number): number {
    const room = TextArena.room(length)
    if (room > PAGE_BYTES) return -1
    const address = this.#takeFree(room) ?? this.#takeTail(room) ?? this.#cutLonger(room)
    if (address === undefined) return -1
    this.#usedBytes += room
    return address
  }

  /** Gives back the room of a text of `length` bytes. */
  free(address: number, length: number): void {
    const room = TextArena.room(length)
    this.#usedBytes -= room
    this.#putFree(address, room)
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
    const free = this.#freeByRoom.get(room)
    if (free === undefined) this.#freeByRoom.set(room, [address])
    else free.push(address)
  }

  #takeFree(room: number): number | undefined {
    const free = this.#freeByRoom.get(room)
    const address = free?.pop()
    // Sizes that nobody uses any more are forgotten, so that looking through all sizes is short.
    if (free?.length === 0) this.#freeByRoom.delete(room)
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
    this.#pages.push(Buffer.allocUnsafeSlow(PAGE_BYTES))
    this.#tail = 0
    return true
  }
}
