import type { StoredFix } from '../locations/index.ts'
import type { Area } from '../places/provider.ts'
import type { PlacesOperands } from '../protocol/index.ts'

/** Which places are asked for: where, and as far as it says so, of which kind. */
export interface PlacesAsk extends Area, PlacesOperands {}

/** Finds places for whoever asks from an address: always resolves, with the JSON text of a reply. */
export type FindPlaces = (ask: PlacesAsk, items: number, address: string) => Promise<string>

/** Places near a client. */
export function askNear(
  { latitude, longitude, positionText }: Pick<StoredFix, 'latitude' | 'longitude' | 'positionText'>,
  radiusMetres: number,
  operands: PlacesOperands,
): PlacesAsk {
  return { latitude, longitude, locationText: locationText(positionText), radiusMetres, ...operands }
}

/** `+34.068930-118.445127` as `34.068930,-118.445127`. */
function locationText(position: Uint8Array): string {
  const text = Buffer.from(position).toString('latin1')
  const second = Math.max(text.indexOf('+', 1), text.indexOf('-', 1))
  return [text.slice(0, second), text.slice(second)].map((part) => part.replace('+', '')).join(',')
}
