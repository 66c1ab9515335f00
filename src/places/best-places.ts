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
  const near: { candidate: T; least: number; most: number }[] = []
  for (const candidate of candidates) {
    const quick = quickTo(circle, candidate)
    const error = quickErrorMax(circle.latitude, quick)
    if (quick - error <= circle.radiusMetres)
      near.push({ candidate, least: quick - error, most: quick + error })
  }
  const isAhead = rank === 'distance' ? () => 0 : (a: T, b: T) => b.prominence - a.prominence
  // Who comes after so many that are surely within, in the worst case, can't be among the best in any case.
  const sure = near.filter(({ most }) => most <= circle.radiusMetres)
  sure.sort((a, b) => isAhead(a.candidate, b.candidate) || a.most - b.most)
  const last = sure[itemsMax - 1]
  const possible =
    last === undefined
      ? near
      : near.filter(({ candidate, least }) => {
          const order = isAhead(candidate, last.candidate)
          return order < 0 || (order === 0 && least <= last.most)
        })
  return possible
    .map(({ candidate }) => ({ candidate, metres: metresTo(circle, candidate) }))
    .filter(({ metres }) => metres <= circle.radiusMetres)
    .sort((a, b) => isAhead(a.candidate, b.candidate) || a.metres - b.metres)
    .slice(0, itemsMax)
}

/** Surely no farther than the circle reaches. */
export function isSurelyWithin(circle: Circle, candidate: Candidate): boolean {
  const quick = quickTo(circle, candidate)
  return quick + quickErrorMax(circle.latitude, quick) <= circle.radiusMetres
}

function quickTo({ latitude, longitude }: Circle, candidate: Candidate): number {
  return quickMetres(latitude, longitude, candidate.latitude, candidate.longitude)
}

function metresTo({ latitude, longitude }: Circle, candidate: Candidate): number {
  return ellipsoidMetres(latitude, longitude, candidate.latitude, candidate.longitude)
}
