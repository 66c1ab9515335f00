/** Positions where spheres, boxes and longitudes are most likely to go wrong. */
import { fc } from './properties.ts'

export const awkwardLatitude: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(90, -90, 0),
  fc.double({ min: 89.5, max: 90, noNaN: true }),
  fc.double({ min: -90, max: -89.5, noNaN: true }),
  fc.double({ min: -0.4, max: 0.4, noNaN: true }),
)

export const awkwardLongitude: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(180, -180, 0),
  fc.double({ min: 179.6, max: 180, noNaN: true }),
  fc.double({ min: -180, max: -179.6, noNaN: true }),
  fc.double({ min: -180, max: 180, noNaN: true }),
)

/** Rounded to some decimals, as a file of places keeps them. */
export function roundDegrees(degrees: number, decimals: number): number {
  return Math.round(degrees * 10 ** decimals) / 10 ** decimals + 0 // Never -0.
}
