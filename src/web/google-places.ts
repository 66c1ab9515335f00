/** Reads what `/v1/clients/{client}/places` answers: the text of Google's Nearby Search, or of who answers like it. Pure. */
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

interface Answer {
  readonly status?: string
  readonly error_message?: string
  readonly html_attributions?: readonly string[]
  readonly results?: readonly {
    readonly name?: string
    readonly vicinity?: string
    readonly geometry?: { readonly location?: { readonly lat?: number; readonly lng?: number } }
  }[]
}

/** Reads it. */
export function readPlaces(answer: Answer): PlacesAnswer {
  const { status = '', error_message: message, html_attributions: attributions = [], results = [] } = answer
  const places = results.flatMap(({ name = '', vicinity = '', geometry }): Place[] => {
    const { lat, lng } = geometry?.location ?? {}
    return lat === undefined || lng === undefined ? [] : [{ name, vicinity, at: [lng, lat] }]
  })
  const isFine = status === 'OK' || status === 'ZERO_RESULTS'
  return { places, attributions, problem: isFine ? '' : (message ?? status) }
}
