/** `herd/places`: what the author of a provider takes from Herd. docs/places.md has a whole one. */
export { type ClassicPhoto, type ClassicPlace, type ClassicPoint, classicBody } from './classic-place.ts'
export type { CreateProvider, CreateProviderOptions } from './own-provider.ts'
export {
  type Area,
  type FailureOptions,
  type FailureStatus,
  type KeepingTerms,
  type NextCall,
  PAGE_ITEMS,
  type PlaceRank,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
  ProviderFailed,
} from './provider.ts'
export { type Explanation, type HttpAsk, HttpAsker, type HttpAskerOptions } from './providers/http-asker.ts'
