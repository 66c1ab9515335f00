/**
 * Places of OpenStreetMap: every named node, way and area whose tags make it one (`typesOfOsm`). A way is where the
 * centre of its bounds is, and so is an area (a multipolygon, a boundary or a site) of its member ways.
 *
 * Ways come after their nodes in a file, so it is read several times. What is remembered meanwhile is numbers in
 * columns, and no more than `nodeIdsMax` of them and a block's: where a file needs more, its ways are done in rounds,
 * each with a look at all nodes.
 */
import { nameOfOsm, type OsmTags, typesOfOsm } from '../osm-types.ts'
import { prominenceOf } from '../prominence.ts'
import { type ImportedPlace, isOnGround } from './imported-place.ts'
import { type Bounds, BoundsTable, boundsOf, centreOf, IdSet, PositionTable } from './node-positions.ts'
import { OsmBlocks, type OsmObject, type OsmRelation } from './osm-blocks.ts'
import type { ReadOptions } from './source-file.ts'

/** Node ids that a round of ways may need, 17 bytes each and 8 more while they are collected: 200 MB. */
const NODE_IDS_MAX = 8_000_000
/** Member ways of areas that are remembered, 25 bytes each: 100 MB. Areas beyond them have no position. */
const MEMBER_WAYS_MAX = 4_000_000

/** For tests: bounds to be reached by small files. */
export interface OsmLimits {
  readonly nodeIdsMax?: number
  readonly memberWaysMax?: number
  /** Hears what each round came to. */
  readonly onRound?: (round: { readonly nodes: number; readonly blocks: number }) => void
}

const AREAS: ReadonlySet<string> = new Set(['multipolygon', 'boundary', 'site'])

/** What is known of a place before its position. */
type Described = Omit<ImportedPlace, 'latitude' | 'longitude'>

/** The places of a file. @throws {ImportFailed} where it is damaged. */
export async function* readOsmPbf(
  options: ReadOptions,
  limits: OsmLimits = {},
): AsyncGenerator<ImportedPlace> {
  const blocks = await OsmBlocks.open(options)
  try {
    yield* new Reading(blocks, limits).places()
  } finally {
    await blocks.close()
  }
}

class Reading {
  readonly #blocks: OsmBlocks
  readonly #nodeIdsMax: number
  readonly #memberWaysMax: number
  readonly #onRound: NonNullable<OsmLimits['onRound']>
  readonly #memberWays = new IdSet()

  constructor(blocks: OsmBlocks, { nodeIdsMax, memberWaysMax, onRound }: OsmLimits) {
    this.#blocks = blocks
    this.#nodeIdsMax = nodeIdsMax ?? NODE_IDS_MAX
    this.#memberWaysMax = memberWaysMax ?? MEMBER_WAYS_MAX
    this.#onRound = onRound ?? (() => undefined)
  }

  async *places(): AsyncGenerator<ImportedPlace> {
    for await (const objects of this.#blocks.all()) yield* this.#nodePlaces(objects)
    this.#memberWays.sort()
    const bounds = new BoundsTable(this.#memberWays.count)
    const wayBlocks = this.#blocks.with('way')
    for (let from = 0; from < wayBlocks.length; ) {
      const nodes = new IdSet()
      let to = from
      while (to < wayBlocks.length && (to === from || nodes.count < this.#nodeIdsMax)) {
        this.#collect(await this.#blocks.at(wayBlocks[to++] ?? 0), nodes)
      }
      nodes.sort()
      this.#onRound({ nodes: nodes.count, blocks: to - from })
      const positions = await this.#positionsOf(nodes)
      for (; from < to; from++) {
        yield* this.#wayPlaces(await this.#blocks.at(wayBlocks[from] ?? 0), nodes, positions, bounds)
      }
    }
    for (const block of this.#blocks.with('relation'))
      yield* this.#areaPlaces(await this.#blocks.at(block), bounds)
  }

  /** The places among nodes; and of areas, which ways they need. */
  *#nodePlaces(objects: readonly OsmObject[]): Generator<ImportedPlace> {
    for (const object of objects) {
      if (object.tags === undefined) continue
      if (object.type === 'node') {
        if (!isOnGround(object.lat, object.lon)) continue
        const place = describe(object)
        if (place !== undefined)
          yield { ...place, latitude: roundedDegrees(object.lat), longitude: roundedDegrees(object.lon) }
      } else if (object.type === 'relation' && isArea(object) && describe(object) !== undefined) {
        const ways = waysOf(object)
        if (this.#memberWays.count + ways.length > this.#memberWaysMax) continue
        for (const way of ways) this.#memberWays.add(way)
      }
    }
  }

  #collect(objects: readonly OsmObject[], nodes: IdSet): void {
    for (const object of objects) {
      if (object.type !== 'way') continue
      if (this.#memberWays.numberOf(object.id) === -1 && describe(object) === undefined) continue
      for (const node of object.refs) nodes.add(node)
    }
  }

  async #positionsOf(nodes: IdSet): Promise<PositionTable> {
    const positions = new PositionTable(nodes.count)
    if (nodes.count === 0) return positions
    for (const block of this.#blocks.with('node')) {
      for (const object of await this.#blocks.at(block)) {
        if (object.type !== 'node') continue
        const number = nodes.numberOf(object.id)
        if (number !== -1) positions.set(number, object.lat, object.lon)
      }
    }
    return positions
  }

  *#wayPlaces(
    objects: readonly OsmObject[],
    nodes: IdSet,
    positions: PositionTable,
    bounds: BoundsTable,
  ): Generator<ImportedPlace> {
    for (const object of objects) {
      if (object.type !== 'way') continue
      const member = this.#memberWays.numberOf(object.id)
      const place = describe(object)
      if (member === -1 && place === undefined) continue
      const around = boundsOf(object.refs.map((node) => positions.at(nodes.numberOf(node))))
      if (around === undefined) continue // An extract may cut off all of its nodes.
      if (member !== -1) bounds.set(member, around)
      if (place !== undefined) yield placed(place, around)
    }
  }

  *#areaPlaces(objects: readonly OsmObject[], bounds: BoundsTable): Generator<ImportedPlace> {
    for (const object of objects) {
      if (object.type !== 'relation' || !isArea(object)) continue
      const place = describe(object)
      if (place === undefined) continue
      const around = boundsOf(waysOf(object).map((way) => bounds.at(this.#memberWays.numberOf(way))))
      if (around !== undefined) yield placed(place, around)
    }
  }
}

/** What an object is as a place, or undefined when it has no name or is none. */
function describe({ type, id, tags }: OsmObject): Described | undefined {
  if (tags === undefined) return undefined
  const name = nameOfOsm(tags)
  if (name === undefined) return undefined
  const types = typesOfOsm(tags)
  if (types.length === 0) return undefined
  const hasArticle = Object.keys(tags).some((key) => key === 'wikidata' || key.startsWith('wikipedia'))
  return {
    placeId: `osm:${type.charAt(0)}${id}`,
    name,
    types,
    prominence: prominenceOf({ types, population: populationOf(tags), hasArticle }),
    vicinity: vicinityOf(tags),
  }
}

function placed(place: Described, bounds: Bounds): ImportedPlace {
  return { ...place, ...centreOf(bounds) }
}

function isArea({ tags }: OsmRelation): boolean {
  const { type = '' } = tags ?? {}
  return AREAS.has(type)
}

function waysOf({ members }: OsmRelation): readonly number[] {
  return members.filter(({ type }) => type === 'way').map(({ ref }) => ref)
}

function populationOf({ population = '' }: OsmTags): number | undefined {
  const people = Number(population.replace(/[\s,.']/g, ''))
  return Number.isFinite(people) ? people : undefined
}

/** Street and number, and town. */
function vicinityOf(tags: OsmTags): string | undefined {
  const street = [tags['addr:street'] ?? tags['addr:place'], tags['addr:housenumber']]
  const town = tags['addr:city']
  const parts = [street.filter((part) => part !== undefined).join(' '), town ?? '']
  return parts.filter((part) => part !== '').join(', ') || undefined
}

/** Seven decimals are what the file has; the rest is rounding. */
function roundedDegrees(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7
}
