import type { Circle, Shape } from './areas.ts'
import { ellipsoidMetres, quickErrorMax, quickMetres } from './distance.ts'
import type { StoredFixes } from './stored-fixes.ts'

/** One degree of latitude is longer than this everywhere. */
const DEGREE_METRES_MIN = 110_000
/** An exact distance takes about as long as looking at so many records. */
const EXACT_COST = 20
/** Beyond twice what is asked for, this many more are collected before the best are chosen. */
const SPARE = 64

/** Collects the records that a search comes by, and keeps the first of them in the order of the answer. */
export interface Candidates {
  /** Takes a record, if it lies in the area. */
  offer(record: number): void
  /** What `offer` has cost so far beyond looking at records, in looks. */
  readonly work: number
  /** The records that were asked for, in order. */
  take(): number[]
}

/** Says whether a record lies in an area. */
export function isWithin(fixes: StoredFixes, area: Circle | Shape, record: number): boolean {
  const latitude = fixes.latitude(record)
  const longitude = fixes.longitude(record)
  if (area.kind === 'shape') return area.contains(latitude, longitude)
  const { center, radiusMetres } = area
  const metres = quickMetres(center.latitude, center.longitude, latitude, longitude)
  const error = quickErrorMax(center.latitude, metres)
  if (metres + error <= radiusMetres) return true
  if (metres - error > radiusMetres) return false
  return ellipsoidMetres(center.latitude, center.longitude, latitude, longitude) <= radiusMetres
}

interface Distance {
  readonly record: number
  /** What `quickMetres` says, and how far off that may be. */
  readonly metres: number
  readonly error: number
  /** On the ellipsoid; not a number until it is needed. */
  exact: number
}

/**
 * The nearest to a place, nearest first; equal distances by ID. The order is that of the exact distances, though few
 * of these are computed: where the quick ones are further apart than their errors, they decide the same.
 */
export class NearestCandidates implements Candidates {
  readonly #fixes: StoredFixes
  readonly #circle: Circle
  readonly #items: number
  work = 0
  #distances: Distance[] = []
  #isChosen = true
  /** The exact distance computed last: a crowd at one place needs it once. */
  readonly #exactLast = { latitude: Number.NaN, longitude: Number.NaN, metres: 0 }
  /** The last of those asked for, as soon as there are as many: who comes behind it has no chance. */
  #last: Distance | undefined
  /** The same, quickly: who is farther than this for sure. */
  #reach: number

  constructor(fixes: StoredFixes, circle: Circle, items: number) {
    this.#fixes = fixes
    this.#circle = circle
    this.#items = items
    this.#reach = circle.radiusMetres
  }

  offer(record: number): void {
    const { center, radiusMetres } = this.#circle
    const latitude = this.#fixes.latitude(record)
    // The way along the meridian is a part of every way: most of those around the circle are out by that.
    if (Math.abs(latitude - center.latitude) * DEGREE_METRES_MIN > this.#reach) return
    const metres = quickMetres(center.latitude, center.longitude, latitude, this.#fixes.longitude(record))
    const error = quickErrorMax(center.latitude, metres)
    if (metres - error > this.#reach) return
    const distance = { record, metres, error, exact: Number.NaN }
    if (this.#last !== undefined && this.#compare(distance, this.#last) > 0) return
    if (metres + error > radiusMetres && this.#exact(distance) > radiusMetres) return
    this.#distances.push(distance)
    this.#isChosen = false
    if (this.#distances.length >= 2 * this.#items + SPARE) this.#choose()
  }

  /** Says whether as many as were asked for are within `metres`. */
  hasWithin(metres: number): boolean {
    this.#choose()
    const last = this.#distances[this.#items - 1]
    return last !== undefined && last.metres + last.error <= metres
  }

  /** How many have been collected so far; no more than were asked for. */
  get count(): number {
    return Math.min(this.#items, this.#distances.length)
  }

  take(): number[] {
    this.#choose()
    return this.#distances.map(({ record }) => record)
  }

  #choose(): void {
    if (this.#isChosen) return
    this.#isChosen = true
    this.#distances.sort((a, b) => this.#compare(a, b))
    if (this.#distances.length < this.#items) return
    this.#distances.length = this.#items
    this.#last = this.#distances[this.#items - 1]
    if (this.#last !== undefined) this.#reach = Math.min(this.#reach, this.#last.metres + this.#last.error)
  }

  #compare(a: Distance, b: Distance): number {
    const difference = a.metres - b.metres
    if (Math.abs(difference) > a.error + b.error) return difference
    return this.#exact(a) - this.#exact(b) || compareIds(this.#fixes, a.record, b.record)
  }

  #exact(distance: Distance): number {
    if (!Number.isNaN(distance.exact)) return distance.exact
    const { center } = this.#circle
    const latitude = this.#fixes.latitude(distance.record)
    const longitude = this.#fixes.longitude(distance.record)
    const last = this.#exactLast
    if (last.latitude !== latitude || last.longitude !== longitude) {
      last.latitude = latitude
      last.longitude = longitude
      last.metres = ellipsoidMetres(center.latitude, center.longitude, latitude, longitude)
      this.work += EXACT_COST
    }
    distance.exact = last.metres
    return distance.exact
  }
}

/** Those within a shape, in the order of their IDs. */
export class ShapeCandidates implements Candidates {
  readonly #fixes: StoredFixes
  readonly #shape: Shape
  readonly #items: number
  work = 0
  #records: number[] = []
  /** The last of those asked for, as soon as there are as many; or −1. */
  #last = -1

  constructor(fixes: StoredFixes, shape: Shape, items: number) {
    this.#fixes = fixes
    this.#shape = shape
    this.#items = items
  }

  offer(record: number): void {
    this.work += this.#shape.cost
    if (!this.#shape.contains(this.#fixes.latitude(record), this.#fixes.longitude(record))) return
    if (this.#last !== -1 && compareIds(this.#fixes, record, this.#last) > 0) return
    this.#records.push(record)
    if (this.#records.length >= 2 * this.#items + SPARE) this.#choose()
  }

  take(): number[] {
    this.#choose()
    return this.#records
  }

  #choose(): void {
    this.#records.sort((a, b) => compareIds(this.#fixes, a, b))
    if (this.#records.length < this.#items) return
    this.#records.length = this.#items
    this.#last = this.#records[this.#items - 1] ?? -1
  }
}

/** Equal places are ordered by the bytes of the ID, so that every server gives the same answer. */
function compareIds(fixes: StoredFixes, a: number, b: number): number {
  return Buffer.compare(fixes.id(a), fixes.id(b))
}
