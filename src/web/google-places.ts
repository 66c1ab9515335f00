/** Reads what `/v1/clients/{client}/places` answers: the text of Google's Nearby Search, or of who answers like it. Pure. */
import type { Places } from '../client/index.ts'
import type { LonLat } from './trail.ts'

/** A place near somebody. */
export interface Place {
  readonly name: string
  readonly vicinity: string
  readonly at: LonLat
}

/** An answer. */
export interface PlacesAnswer {
  readonly places: readonly Place[]
  /** HTML that must be shown with them. */
  readonly attributions: readonly string[]
  /** Why there are none; empty: there are some, or none are near. */
  readonly problem: string
}

/** Reads it. */
export function readPlaces(answer: Places): PlacesAnswer {
  const { status, error_message: message, html_attributions: attributions = [], results } = answer
  const places = results.flatMap(({ name = '', vicinity = '', geometry }): Place[] => {
    const { lat, lng } = geometry?.location ?? {}
    return lat === undefined || lng === undefined ? [] : [{ name, vicinity, at: [lng, lat] }]
  })
  const isFine = status === 'OK' || status === 'ZERO_RESULTS'
  return { places, attributions, problem: isFine ? '' : (message ?? status) }
}
