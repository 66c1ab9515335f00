/** Areas as requests and messages name them. */
import { type Area, makeBox } from '../../locations/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { CircleJson } from './shapes.ts'
import { DECIMAL } from './validation.ts'

/** No two places on Earth are further apart, in metres: a circle of this radius is everywhere. */
export const EARTH_RADIUS_M = 20_040_000

/** A circle around a place. */
export function circleOf({ lat, lon, radius_m }: CircleJson): Area {
  return { kind: 'circle', center: { latitude: lat, longitude: lon }, radiusMetres: radius_m }
}

/**
 * A box from its west, south, east and north in degrees; west of which east lies, it crosses ±180°.
 *
 * @throws {CallRefused} when it is none.
 */
export function boxOf(sides: readonly number[]): Area {
  const [west, south, east, north, more] = sides
  if (west === undefined || south === undefined || east === undefined || north === undefined) throw noBox()
  const isPlace = [west, east].every((side) => Math.abs(side) <= 180) && Math.abs(south) <= 90
  if (more !== undefined || !isPlace || !(Math.abs(north) <= 90)) throw noBox()
  if (north < south) {
    throw new CallRefused(
      'invalid',
      `the box's north ${north} is south of its south ${south}: west,south,east,north`,
    )
  }
  return makeBox({ latitude: south, longitude: west }, { latitude: north, longitude: east })
}

/** A box from a text such as `-118.5,34,-118.4,34.1`. @throws {CallRefused} when it is none. */
export function boxFromText(text: string): Area {
  const sides = text.split(',')
  if (!sides.every((side) => DECIMAL.test(side))) throw noBox()
  return boxOf(sides.map(Number))
}

/**
 * The area that a query or a message names; `null`: it names none.
 *
 * @throws {CallRefused} when it names two, or part of one.
 */
export function areaOf(circle: Partial<CircleJson>, box: Area | null): Area | null {
  const { lat, lon, radius_m } = circle
  const named = [lat, lon, radius_m].filter((value) => value !== undefined).length
  if (named === 0) return box
  if (box !== null) throw new CallRefused('invalid', 'a circle or a box can be named, not both')
  if (lat === undefined || lon === undefined || radius_m === undefined) {
    throw new CallRefused('invalid', 'a circle has lat, lon and radius_m: all three of them')
  }
  return circleOf({ lat, lon, radius_m })
}

function noBox(): CallRefused {
  return new CallRefused(
    'invalid',
    'a box is west,south,east,north in degrees, such as -118.5,34,-118.4,34.1',
  )
}
