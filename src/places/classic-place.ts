/** A place in the shape of a Google Nearby Search (legacy) result, and the body around such places. Pure. */
import { toClassicJson } from './json-text.ts'
import type { PlacesBody } from './provider.ts'

/** One result: what a source doesn't tell is left out, not invented. Names are the API's own. */
export type ClassicPlace = {
  readonly business_status?: string | undefined
  readonly geometry: {
    readonly location: ClassicPoint
    readonly viewport?: { readonly northeast: ClassicPoint; readonly southwest: ClassicPoint } | undefined
  }
  readonly icon?: string | undefined
  readonly icon_background_color?: string | undefined
  readonly icon_mask_base_uri?: string | undefined
  readonly name: string
  readonly opening_hours?: { readonly open_now: boolean } | undefined
  readonly permanently_closed?: boolean | undefined
  readonly photos?: readonly ClassicPhoto[] | undefined
  /** The source's own ID with a short name of the source before it: `osm:n123`, `geonames:5368361`. */
  readonly place_id: string
  readonly plus_code?:
    | { readonly compound_code?: string | undefined; readonly global_code: string }
    | undefined
  readonly price_level?: number | undefined
  readonly rating?: number | undefined
  readonly reference: string
  /** Who says so: `GOOGLE`, `EMBEDDED`, `OSM`, `LOCAL`, `POSTGIS`. */
  readonly scope: string
  /** From specific to general; the last are `point_of_interest, establishment` or `political`. */
  readonly types: readonly string[]
  readonly user_ratings_total?: number | undefined
  readonly vicinity?: string | undefined
}

/** Decimal degrees. */
export type ClassicPoint = {
  readonly lat: number
  readonly lng: number
}

/** A photo that can be fetched by its reference. */
export type ClassicPhoto = {
  readonly height: number
  readonly html_attributions: readonly string[]
  readonly photo_reference: string
  readonly width: number
}

/** A body of such places, in their order. @param credits whom to thank, as HTML; a source that found nothing needs none. */
export function classicBody(places: readonly ClassicPlace[], credits: readonly string[]): PlacesBody {
  return bodyOfItems(
    places.map((place) => toClassicJson({ ...place }, ITEM_DEPTH)),
    toClassicJson(credits, 1),
  )
}

/** In how many arrays and objects of a body an item stands. */
export const ITEM_DEPTH = 2

/** A body of items and credits that are texts already, just as they stand in it: the items `ITEM_DEPTH` deep. */
export function bodyOfItems(items: readonly string[], credits: string): PlacesBody {
  const status = items.length === 0 ? 'ZERO_RESULTS' : 'OK'
  let text = `{\n   "html_attributions" : ${credits},\n   "results" : [`
  const open = text.length - 1
  const ends: number[] = []
  for (const item of items) {
    text += `${ends.length === 0 ? '' : ','}\n      ${item}`
    ends.push(text.length)
  }
  text += items.length === 0 ? ']' : '\n   ]'
  const close = text.length
  text += `,\n   "status" : "${status}"\n}`
  return { text, status, results: { open, close, ends } }
}
