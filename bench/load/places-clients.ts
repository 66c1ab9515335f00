/** The embedded places of Herd as bare positions, and clients near them: any process can say where a client is. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { PlaceTable } from '../../src/places/providers/place-table.ts'
import { anyClient } from './city.ts'

/** Degrees. */
export interface Position {
  readonly latitude: number
  readonly longitude: number
}

/** No client is farther from its place than this to the north or south, and to the east or west: some 4 km. */
export const CLIENT_DEGREES_MAX = 0.04
/** Nobody is so near to a pole that a degree of longitude is short. */
const LATITUDE_MAX = 85
const [PLACE_SEED, NORTH_SEED, EAST_SEED] = [0x51_00_00_00, 0x52_00_00_00, 0x53_00_00_00] as const
const MILLION = 1_000_000

/** Where every embedded place is, by its number. */
export function readPlacePositions(): readonly Position[] {
  const file = readFileSync(new URL('../../data/places.bin.gz', import.meta.url))
  const table = new PlaceTable(gunzipSync(file))
  return Array.from({ length: table.count }, (_, place) => table.position(place))
}

/**
 * Where a client is, in millionths of a degree: near a place that its number chooses, the same in every run. There
 * are more clients where there are more places.
 */
export function clientPosition(client: number, places: readonly Position[]): Position {
  const place = places[anyClient(PLACE_SEED + client, places.length)] ?? { latitude: 0, longitude: 0 }
  const latitude = place.latitude + offset(NORTH_SEED + client)
  const longitude = place.longitude + offset(EAST_SEED + client)
  return {
    latitude: rounded(Math.max(-LATITUDE_MAX, Math.min(LATITUDE_MAX, latitude))),
    longitude: rounded(Math.max(-180, Math.min(180, longitude))),
  }
}

/** `+47.123456+009.500000`, as IAMAT has it. */
export function isoPosition({ latitude, longitude }: Position): string {
  return `${signed(latitude)}${signed(longitude)}`
}

function signed(degrees: number): string {
  const text = Math.abs(degrees).toFixed(6)
  return `${degrees < 0 && Number(text) !== 0 ? '-' : '+'}${text}`
}

/** −`CLIENT_DEGREES_MAX` to +`CLIENT_DEGREES_MAX`. */
function offset(number: number): number {
  return (anyClient(number, 2 * MILLION) / MILLION - 1) * CLIENT_DEGREES_MAX
}

function rounded(degrees: number): number {
  return Math.round(degrees * MILLION) / MILLION
}
