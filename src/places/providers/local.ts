/** The provider that answers from imported places: whatever `herd places import` put into a folder. */
import { type ClassicPlace, classicBody } from '../classic-place.ts'
import { IndexFolder, type IndexFolderOptions } from '../index/index-folder.ts'
import { type FoundPlace, type PlacesIndex, PlacesIndexBroken } from '../index/places-index.ts'
import { inTurns } from '../index/turns.ts'
import { PAGE_ITEMS, type PlacesBody, type PlacesQuery, type Provider } from '../provider.ts'

/** A place of an index, and whom to thank for it. */
export interface LocalPlace extends FoundPlace {
  readonly credit: string
}

/** All indexes of a folder together. */
export class LocalPlaces implements Provider {
  readonly name = 'local'
  readonly local = true
  readonly snaps = false
  readonly #folder: IndexFolder

  /** A folder that isn't there is one without places; it may come later. */
  constructor(options: IndexFolderOptions) {
    this.#folder = new IndexFolder(options)
  }

  /** How many places the folder has, all indexes together. */
  get count(): number {
    return [...this.#folder.indexes().values()].reduce((sum, { about }) => sum + about.places, 0)
  }

  async search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesBody> {
    const places = await this.find(query, PAGE_ITEMS, signal)
    return classicBody(places.map(toClassic), [...new Set(places.map(({ credit }) => credit))])
  }

  /** The best places of all indexes in the order of the query's rank, at most `itemsMax`, none twice. */
  async find(query: PlacesQuery, itemsMax: number, signal: AbortSignal): Promise<readonly LocalPlace[]> {
    const searches = [...this.#folder.indexes()].map(([file, index]) =>
      this.#searchOne(file, index, query, itemsMax, signal),
    )
    const best = (await Promise.all(searches)).flat().sort(orderOf(query))
    const byId = new Map<string, LocalPlace>()
    for (const place of best) if (!byId.has(place.placeId)) byId.set(place.placeId, place)
    return [...byId.values()].slice(0, itemsMax)
  }

  close(): Promise<void> {
    this.#folder.close()
    return Promise.resolve()
  }

  /** What is damaged answers nothing, and the others do. */
  async #searchOne(
    file: string,
    index: PlacesIndex,
    query: PlacesQuery,
    itemsMax: number,
    signal: AbortSignal,
  ): Promise<readonly LocalPlace[]> {
    try {
      const { credit } = index.about
      return (await inTurns(index.search(query, itemsMax), signal)).map((place) => ({ ...place, credit }))
    } catch (error) {
      if (!(error instanceof PlacesIndexBroken)) throw error
      this.#folder.drop(file, index, error)
      return []
    }
  }
}

function orderOf({ rank }: PlacesQuery): (a: FoundPlace, b: FoundPlace) => number {
  if (rank === 'distance') return (a, b) => a.metres - b.metres
  return (a, b) => b.prominence - a.prominence || a.metres - b.metres
}

function toClassic({ placeId, name, types, latitude, longitude, vicinity }: LocalPlace): ClassicPlace {
  return {
    geometry: { location: { lat: latitude, lng: longitude } },
    name,
    place_id: placeId,
    reference: placeId,
    scope: 'LOCAL',
    types,
    vicinity,
  }
}
