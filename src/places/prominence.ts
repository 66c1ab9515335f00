/**
 * How well known a place is, as one number from 0 to 255: what rank `prominence` sorts by where no source counts
 * visitors or ratings. A whole number, so that an index keeps it in a byte and equal places stay equal. Pure.
 *
 * - A settlement: 60 + 23 × log10(population), so 129 for 1,000 people, 198 for a million, 225 for 15 million; without a
 *   population, by what it is.
 * - Anything else: by what it is, from 20 (a parking) to 110 (an airport), and 40 more when it is a large one.
 * - Both: 30 more when Wikipedia or Wikidata has an article about it, as nobody writes one about the unknown.
 */

/** What is known of a place that says how well known it is. */
export interface Fame {
  /** Google types, from specific to general. */
  readonly types: readonly string[]
  /** Undefined or 0: not known. */
  readonly population?: number | undefined
  /** Its source counts it among the largest of its kind. */
  readonly isLarge?: boolean | undefined
  /** Wikipedia or Wikidata knows it. */
  readonly hasArticle?: boolean | undefined
}

const PROMINENCE_MAX = 255
const ARTICLE = 30
const LARGE = 40
const POPULATION_BASE = 60
const POPULATION_FACTOR = 23

/** By the most specific type; `DEFAULT` for all others. */
const WEIGHTS: Readonly<Record<string, number>> = {
  country: 200,
  administrative_area_level_1: 150,
  administrative_area_level_2: 110,
  administrative_area_level_3: 90,
  locality: 100,
  sublocality: 80,
  neighborhood: 70,
  airport: 110,
  amusement_park: 95,
  aquarium: 95,
  museum: 95,
  stadium: 95,
  tourist_attraction: 90,
  university: 90,
  zoo: 95,
  hospital: 85,
  train_station: 85,
  shopping_mall: 80,
  subway_station: 75,
  art_gallery: 70,
  casino: 70,
  city_hall: 70,
  embassy: 65,
  department_store: 65,
  library: 65,
  movie_theater: 65,
  park: 65,
  natural_feature: 60,
  church: 60,
  hindu_temple: 60,
  mosque: 60,
  place_of_worship: 55,
  synagogue: 60,
  bus_station: 60,
  lodging: 60,
  supermarket: 55,
  restaurant: 50,
  night_club: 50,
  school: 50,
  cafe: 48,
  bar: 46,
  meal_takeaway: 44,
  bakery: 44,
  store: 38,
  atm: 22,
  parking: 20,
  taxi_stand: 22,
  cemetery: 30,
}
const DEFAULT = 40

/** A place's prominence, a whole number from 0 to 255. */
export function prominenceOf({ types, population = 0, isLarge = false, hasArticle = false }: Fame): number {
  const [specific = ''] = types
  const known = Object.hasOwn(WEIGHTS, specific) ? WEIGHTS[specific] : undefined
  const weight = (known ?? DEFAULT) + (isLarge ? LARGE : 0)
  const people = population >= 1 ? POPULATION_BASE + POPULATION_FACTOR * Math.log10(population) : 0
  return Math.min(PROMINENCE_MAX, Math.round(people > 0 ? people : weight) + (hasArticle ? ARTICLE : 0))
}
