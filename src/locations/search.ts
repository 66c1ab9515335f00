import type { Nanotime } from '../protocol/index.ts'
import type { Area, Circle, Shape } from './areas.ts'
import { type Candidates, NearestCandidates, ShapeCandidates } from './candidates.ts'
import { sphereRadians } from './distance.ts'
import type { Grid } from './grid.ts'
import { boundsAround } from './grid-cells.ts'
import { NONE } from './hash-index.ts'
import type { StoredFixes } from './stored-fixes.ts'

/** What is asked of the table. */
export interface Query {
  readonly area: Area
  /** How many at most. */
  readonly items: number
  /** Only fixes whose effective time is at or after this; `null`: of any age. */
  readonly since: Nanotime | null
  /** A record to leave out, or −1. */
  readonly except: number
  /** Which records may be found; `null`: all. */
  readonly mayFind?: ((record: number) => boolean) | null
}

/** A turn looks at this many cells and records at most: some 2 ms when none of them is in a cache. */
export const TURN_LOOKS_MAX = 20_000
/** Asking whether a record may be found takes as long as looking at so many. */
const MAY_FIND_LOOKS = 4
/** The first circle of a search for the nearest: about a fine cell around its own. */
const FIRST_RADIUS_METRES = 300
/** The next circle is as much larger as the density found so far lets expect, within these bounds. */
const GROWTH_MIN = 1.5
const GROWTH_MAX = 8
/** More than expected, so that a further circle is rare. */
const GROWTH_SPARE = 1.25

/** What came of a walk: the circle needs a turn of its own, or is even too much for one. */
type Walked = 'done' | 'not yet' | 'too much'

/**
 * A search, done in turns so that none is a pause: `step` until it says that it is done, then `found`.
 *
 * Nearly every search is done in its first turn, through the grid. One that draws several circles may take a turn for
 * each. One that would have to look at more goes through all records in the order of their numbers, some in each turn,
 * since numbers stay while clients move from cell to cell. Each client is then judged by the fix it has when its number
 * comes, and once more at the end: who answers is where it is said to be, and only who moved in or out meanwhile may be
 * missing, or whom one of these kept out of the nearest.
 */
export class Search {
  readonly #fixes: StoredFixes
  readonly #grid: Grid
  readonly #query: Query
  readonly #forgetBefore: Nanotime
  #candidates: Candidates
  #radius = FIRST_RADIUS_METRES
  #scanned = NONE
  #found: number[] = []
  #looks = 0

  /** @param forgetBefore what is older is forgotten; it may move on between two turns. */
  constructor(fixes: StoredFixes, grid: Grid, query: Query, forgetBefore: Readonly<Nanotime>) {
    this.#fixes = fixes
    this.#grid = grid
    this.#query = query
    this.#forgetBefore = forgetBefore
    this.#candidates = this.#collect()
  }

  /** The records found, in order: the nearest first, or by ID. */
  get found(): readonly number[] {
    return this.#found
  }

  /** What it has cost so far: records looked at, and what took as long. */
  get looks(): number {
    return this.#looks + this.#candidates.work
  }

  /** Goes on for one turn. @returns whether the search is done. */
  step(): boolean {
    const { area, items } = this.#query
    if (items === 0) return true
    if (this.#scanned !== NONE) return this.#scan()
    const walked = area.kind === 'circle' ? this.#walkCircles(area) : this.#walkShape(area)
    if (walked === 'done') this.#found = this.#candidates.take()
    else if (walked === 'too much') {
      this.#scanned = 0
      this.#collectAnew(this.#collect())
    }
    return walked === 'done'
  }

  /** Looks in circles that grow until as many are found as were asked for. */
  #walkCircles({ center, radiusMetres }: Circle): Walked {
    const { items } = this.#query
    for (let budget = TURN_LOOKS_MAX; ; ) {
      const radius = Math.min(this.#radius, radiusMetres)
      const nearest = new NearestCandidates(
        this.#fixes,
        { kind: 'circle', center, radiusMetres: radius },
        items,
      )
      this.#collectAnew(nearest)
      const bounds = boundsAround(center.latitude, center.longitude, sphereRadians(radius))
      const left = this.#grid.walk(bounds, budget, this.#visit)
      if (left < 0) return budget === TURN_LOOKS_MAX ? 'too much' : 'not yet'
      if (radius === radiusMetres || nearest.hasWithin(radius)) return 'done'
      const growth = GROWTH_SPARE * Math.sqrt(items / Math.max(1, nearest.count))
      this.#radius = radius * Math.min(GROWTH_MAX, Math.max(GROWTH_MIN, growth))
      budget = left
    }
  }

  #walkShape({ bounds }: Shape): Walked {
    return this.#grid.walk(bounds, TURN_LOOKS_MAX, this.#visit) < 0 ? 'too much' : 'done'
  }

  /** Looks at the next records by number; after the last, once more at those that were found. */
  #scan(): boolean {
    const { records } = this.#fixes
    const looksMax = this.#candidates.work + TURN_LOOKS_MAX
    let looks = 0
    while (this.#scanned < records.end && this.#candidates.work + looks < looksMax) {
      this.#visit(this.#scanned++)
      looks++
    }
    if (this.#scanned < records.end) return false
    const found = this.#candidates.take()
    this.#collectAnew(this.#collect())
    for (const record of found) this.#visit(record)
    this.#found = this.#candidates.take()
    return true
  }

  /** Judges a record. @returns what that cost beyond looking at it, in looks. */
  readonly #visit = (record: number): number => {
    this.#looks++
    const { except, since, mayFind = null } = this.#query
    if (record === except || !this.#fixes.records.isUsed(record)) return 0
    if (this.#fixes.isBefore(record, this.#forgetBefore)) return 0
    if (since !== null && this.#fixes.isBefore(record, since)) return 0
    const candidates = this.#candidates
    const before = candidates.work
    if (mayFind === null) candidates.offer(record)
    else {
      this.#looks += MAY_FIND_LOOKS
      if (mayFind(record)) candidates.offer(record)
      return candidates.work - before + MAY_FIND_LOOKS
    }
    return candidates.work - before
  }

  /** What the last candidates have cost stays counted. */
  #collectAnew(candidates: Candidates): void {
    this.#looks += this.#candidates.work
    this.#candidates = candidates
  }

  #collect(): Candidates {
    const { area, items } = this.#query
    return area.kind === 'circle'
      ? new NearestCandidates(this.#fixes, area, items)
      : new ShapeCandidates(this.#fixes, area, items)
  }
}
