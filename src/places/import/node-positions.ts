/** Numbers that grow into one array, and where things with such numbers are: columns, not objects. Pure. */

/** 1/10,000,000 of a degree, as OpenStreetMap has it. */
const UNITS_PER_DEGREE = 10_000_000

/** A set of ids: told first, sorted once, then looked up. */
export class IdSet {
  #ids = new Float64Array(1024)
  #count = 0

  /** How many were added; the same one twice counts as two until `sort`. */
  get count(): number {
    return this.#count
  }

  add(id: number): void {
    if (this.#count === this.#ids.length) {
      const larger = new Float64Array(2 * this.#count)
      larger.set(this.#ids)
      this.#ids = larger
    }
    this.#ids[this.#count++] = id
  }

  /** Sorts them and leaves out what stands twice. Nothing may be added after it. */
  sort(): void {
    const sorted = this.#ids.subarray(0, this.#count).sort()
    let kept = 0
    for (const id of sorted) if (kept === 0 || sorted[kept - 1] !== id) sorted[kept++] = id
    this.#count = kept
  }

  /** Its number among the sorted ids, or −1. */
  numberOf(id: number): number {
    let [low, high] = [0, this.#count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ids[middle] ?? 0) < id) low = middle + 1
      else high = middle
    }
    return low < this.#count && this.#ids[low] === id ? low : -1
  }
}

/** Around one or more positions: 1/10,000,000 of a degree. */
export interface Bounds {
  readonly south: number
  readonly west: number
  readonly north: number
  readonly east: number
}

/** The bounds of things by their number; one column for each side. */
export class BoundsTable {
  readonly #south: Int32Array
  readonly #west: Int32Array
  readonly #north: Int32Array
  readonly #east: Int32Array
  readonly #known: Uint8Array

  constructor(count: number) {
    this.#south = new Int32Array(count)
    this.#west = new Int32Array(count)
    this.#north = new Int32Array(count)
    this.#east = new Int32Array(count)
    this.#known = new Uint8Array(count)
  }

  set(number: number, { south, west, north, east }: Bounds): void {
    this.#south[number] = south
    this.#west[number] = west
    this.#north[number] = north
    this.#east[number] = east
    this.#known[number] = 1
  }

  at(number: number): Bounds | undefined {
    if (number < 0 || this.#known[number] !== 1) return undefined
    return {
      south: this.#south[number] ?? 0,
      west: this.#west[number] ?? 0,
      north: this.#north[number] ?? 0,
      east: this.#east[number] ?? 0,
    }
  }
}

/** Where nodes are, by their number. */
export class PositionTable {
  readonly #latitudes: Int32Array
  readonly #longitudes: Int32Array
  readonly #known: Uint8Array

  constructor(count: number) {
    this.#latitudes = new Int32Array(count)
    this.#longitudes = new Int32Array(count)
    this.#known = new Uint8Array(count)
  }

  /** Degrees. */
  set(number: number, latitude: number, longitude: number): void {
    this.#latitudes[number] = Math.round(latitude * UNITS_PER_DEGREE)
    this.#longitudes[number] = Math.round(longitude * UNITS_PER_DEGREE)
    this.#known[number] = 1
  }

  at(number: number): Bounds | undefined {
    if (number < 0 || this.#known[number] !== 1) return undefined
    const [latitude, longitude] = [this.#latitudes[number] ?? 0, this.#longitudes[number] ?? 0]
    return { south: latitude, west: longitude, north: latitude, east: longitude }
  }
}

/** Around all of them; undefined for none. OpenStreetMap cuts what would cross ±180° there. */
export function boundsOf(parts: Iterable<Bounds | undefined>): Bounds | undefined {
  let bounds: Bounds | undefined
  for (const part of parts) {
    if (part === undefined) continue
    bounds =
      bounds === undefined
        ? part
        : {
            south: Math.min(bounds.south, part.south),
            west: Math.min(bounds.west, part.west),
            north: Math.max(bounds.north, part.north),
            east: Math.max(bounds.east, part.east),
          }
  }
  return bounds
}

/** Their centre in degrees, with seven decimals. */
export function centreOf({ south, west, north, east }: Bounds): {
  readonly latitude: number
  readonly longitude: number
} {
  return {
    latitude: Math.round((south + north) / 2) / UNITS_PER_DEGREE,
    longitude: Math.round((west + east) / 2) / UNITS_PER_DEGREE,
  }
}
