/** The best of many candidates by rank: exact distances only for those that could be among them. Pure. */
import { ellipsoidMetres, quickErrorMax, quickMetres } from '../locations/distance.ts'
import type { PlaceRank } from './provider.ts'

/** Something at a position, in degrees. */
export interface Candidate {
  readonly latitude: number
  readonly longitude: number
  /** 0 … 255. */
  readonly prominence: number
}

/** A candidate and how far it is, along the ellipsoid. */
export interface Ranked<T> {
  readonly candidate: T
  readonly metres: number
}

/** Where an ask is made and how far it reaches. */
export interface Circle {
  readonly latitude: number
  readonly longitude: number
  readonly radiusMetres: number
}

/**
 * The candidates within the circle in order, at most `itemsMax`: nearest first, or most prominent first and, among
 * equals, nearest first.
 */
export function bestOf<T extends Candidate>(
  candidates: readonly T[],
  circle: Circle,
  rank: PlaceRank,
  itemsMax: number,
): readonly Ranked<T>[] {
  const { radiusMetres } = circle
  const near: Measured<T>[] = []
  for (const candidate of candidates) {
    const measured = new Measured(candidate, circle)
    if (measured.least <= radiusMetres) near.push(measured)
  }
  const isAhead = rank === 'distance' ? () => 0 : (a: T, b: T) => b.prominence - a.prominence
  return possibleOf(near, radiusMetres, isAhead, itemsMax)
    .filter((one) => one.most <= radiusMetres || one.metres <= radiusMetres)
    .sort((a, b) => isAhead(a.candidate, b.candidate) || compareMetres(a, b))
    .slice(0, itemsMax)
}

/** Who comes after so many that are surely within, in the worst case, can't be among the best in any case. */
function possibleOf<T extends Candidate>(
  near: Measured<T>[],
  radiusMetres: number,
  isAhead: (a: T, b: T) => number,
  itemsMax: number,
): Measured<T>[] {
  if (near.length <= itemsMax) return near
  const sure = near.filter(({ most }) => most <= radiusMetres)
  sure.sort((a, b) => isAhead(a.candidate, b.candidate) || a.most - b.most)
  const last = sure[itemsMax - 1]
  if (last === undefined) return near
  return near.filter(({ candidate, least }) => {
    const order = isAhead(candidate, last.candidate)
    return order < 0 || (order === 0 && least <= last.most)
  })
}

/** By bounds where they tell; else by the exact distances, which cost a hundred times as much. */
function compareMetres<T extends Candidate>(a: Measured<T>, b: Measured<T>): number {
  if (a.most < b.least) return -1
  if (b.most < a.least) return 1
  return a.metres - b.metres
}

/** A candidate, with bounds on its distance; the exact one is worked out when it is asked for, once. */
class Measured<T extends Candidate> implements Ranked<T> {
  readonly candidate: T
  readonly least: number
  readonly most: number
  readonly #circle: Circle
  #metres = -1

  constructor(candidate: T, circle: Circle) {
    const quick = quickTo(circle, candidate)
    const error = quickErrorMax(circle.latitude, quick)
    this.candidate = candidate
    this.least = quick - error
    this.most = quick + error
    this.#circle = circle
  }

  get metres(): number {
    if (this.#metres < 0) this.#metres = metresTo(this.#circle, this.candidate)
    return this.#metres
  }
}

/** Surely no farther than the circle reaches. */
export function isSurelyWithin(circle: Circle, candidate: Candidate): boolean {
  return mostMetres(circle, candidate) <= circle.radiusMetres
}

/** How far a candidate is at most. */
export function mostMetres(circle: Circle, candidate: Candidate): number {
  const quick = quickTo(circle, candidate)
  return quick + quickErrorMax(circle.latitude, quick)
}

function quickTo({ latitude, longitude }: Circle, candidate: Candidate): number {
  return quickMetres(latitude, longitude, candidate.latitude, candidate.longitude)
}

function metresTo({ latitude, longitude }: Circle, candidate: Candidate): number {
  return ellipsoidMetres(latitude, longitude, candidate.latitude, candidate.longitude)
}
