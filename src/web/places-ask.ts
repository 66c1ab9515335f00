/** "What's here": the places around a client, or around the client that is nearest to a point. */
import { metresBetween } from './circle.ts'
import { type PlacesAnswer, readPlaces } from './google-places.ts'
import type { PageHerd } from './page-herd.ts'
import type { LonLat } from './trail.ts'
import { distance } from './units.ts'

const RADIUS_KM = 10
const ITEMS = 10
/** The server looks no farther, metres: half around the earth. */
const NEAR_METRES_MAX = 20_000_000

/** Whose places they are. */
export interface Asked {
  readonly client: string
  readonly at: LonLat
  /** For the person: which client, and why that one. */
  readonly intro: string
}

/** Asks for the places around a client. */
export async function placesAround(herd: Pick<PageHerd, 'ask'>, client: string): Promise<PlacesAnswer> {
  return readPlaces(await herd.ask((asked) => asked.places(client, { radius_km: RADIUS_KM, items: ITEMS })))
}

/** The client that a bare point is answered for: the nearest in the view; `null`: there is none. */
export async function nearestClient(
  herd: Pick<PageHerd, 'ask'>,
  point: LonLat,
  view: { readonly center: LonLat; readonly corner: LonLat },
): Promise<Asked | null> {
  const reach = metresBetween(view.center, view.corner) + metresBetween(view.center, point)
  const radius = Math.max(1, Math.min(NEAR_METRES_MAX, Math.ceil(reach)))
  const [lon, lat] = point
  const { fixes } = await herd.ask((asked) => asked.near({ lat, lon, radius_m: radius, limit: 1 }))
  const [fix] = fixes
  if (fix === undefined) return null
  const at: LonLat = [fix.lon, fix.lat]
  const far = distance(metresBetween(point, at))
  return {
    ...{ client: fix.client, at },
    intro: `No client is at that point. Within ${RADIUS_KM} km of ${fix.client}, the nearest one, ${far} away from it:`,
  }
}

/** A client that somebody pointed at. */
export function askedOf(client: string, at: LonLat): Asked {
  return { client, at, intro: `Within ${RADIUS_KM} km of ${client}:` }
}
