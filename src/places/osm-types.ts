/**
 * What a thing of OpenStreetMap or of GeoNames is, in Google's place types: from specific to general, ending in
 * `point_of_interest, establishment` or in `political`. The tables name each tag value once. Pure.
 *
 * Tags: https://wiki.openstreetmap.org/wiki/Map_features. Types: Google's "Place types (legacy)".
 * Feature codes: https://www.geonames.org/export/codes.html.
 */

/** The tags of a thing of OpenStreetMap. */
export type OsmTags = Readonly<Record<string, string>>

const POINT_OF_INTEREST = ['point_of_interest', 'establishment']
const POLITICAL = ['political']

/** By value; what isn't listed has the types that its key gives alone. Several types are apart by a space. */
type TypesByValue = Readonly<Record<string, string>>

const AMENITY: TypesByValue = {
  atm: 'atm finance',
  bank: 'bank',
  bar: 'bar',
  biergarten: 'bar',
  bus_station: 'bus_station',
  cafe: 'cafe food',
  car_rental: 'car_rental',
  car_wash: 'car_wash',
  casino: 'casino',
  cinema: 'movie_theater',
  clinic: 'doctor health',
  college: 'university',
  courthouse: 'courthouse',
  dentist: 'dentist',
  doctors: 'doctor health',
  embassy: 'embassy',
  fast_food: 'meal_takeaway restaurant food',
  fire_station: 'fire_station',
  food_court: 'restaurant food',
  fuel: 'gas_station',
  grave_yard: 'cemetery',
  hospital: 'hospital health',
  library: 'library',
  nightclub: 'night_club',
  parking: 'parking',
  pharmacy: 'pharmacy health',
  police: 'police',
  post_office: 'post_office',
  pub: 'bar',
  restaurant: 'restaurant food',
  school: 'school',
  taxi: 'taxi_stand',
  townhall: 'city_hall local_government_office',
  university: 'university',
  veterinary: 'veterinary_care',
}

/** For `amenity=place_of_worship`, by `religion`. */
const WORSHIP: TypesByValue = {
  christian: 'church place_of_worship',
  hindu: 'hindu_temple place_of_worship',
  jewish: 'synagogue place_of_worship',
  muslim: 'mosque place_of_worship',
}

/** Each is a `store` besides, but for those in `NO_STORE`. */
const SHOP: TypesByValue = {
  alcohol: 'liquor_store',
  bakery: 'bakery',
  beauty: 'beauty_salon',
  bicycle: 'bicycle_store',
  books: 'book_store',
  car: 'car_dealer',
  car_repair: 'car_repair',
  clothes: 'clothing_store',
  convenience: 'convenience_store',
  department_store: 'department_store',
  doityourself: 'hardware_store',
  electronics: 'electronics_store',
  florist: 'florist',
  furniture: 'furniture_store',
  hairdresser: 'hair_care',
  hardware: 'hardware_store',
  jewelry: 'jewelry_store',
  laundry: 'laundry',
  mall: 'shopping_mall',
  pet: 'pet_store',
  shoes: 'shoe_store',
  supermarket: 'supermarket grocery_or_supermarket food',
  travel_agency: 'travel_agency',
}

const TOURISM: TypesByValue = {
  aquarium: 'aquarium',
  attraction: 'tourist_attraction',
  camp_site: 'campground',
  caravan_site: 'rv_park',
  gallery: 'art_gallery',
  guest_house: 'lodging',
  hostel: 'lodging',
  hotel: 'lodging',
  motel: 'lodging',
  museum: 'museum',
  theme_park: 'amusement_park',
  viewpoint: 'tourist_attraction',
  zoo: 'zoo',
}

const LEISURE: TypesByValue = {
  bowling_alley: 'bowling_alley',
  fitness_centre: 'gym',
  park: 'park',
  stadium: 'stadium',
}

const OFFICE: TypesByValue = {
  accountant: 'accounting finance',
  estate_agent: 'real_estate_agency',
  government: 'local_government_office',
  insurance: 'insurance_agency',
  lawyer: 'lawyer',
  travel_agent: 'travel_agency',
}

const AEROWAY: TypesByValue = { aerodrome: 'airport', helipad: '', heliport: '', terminal: 'airport' }
const RAILWAY: TypesByValue = {
  halt: 'train_station',
  station: 'train_station',
  stop: 'transit_station',
  subway_entrance: 'subway_station',
  tram_stop: 'transit_station',
}

/** These are political, not establishments. */
const PLACE: TypesByValue = {
  borough: 'sublocality',
  city: 'locality',
  country: 'country',
  county: 'administrative_area_level_2',
  hamlet: 'locality',
  neighbourhood: 'neighborhood',
  quarter: 'sublocality',
  state: 'administrative_area_level_1',
  suburb: 'sublocality',
  town: 'locality',
  village: 'locality',
}

/** The keys that make something a place, whatever their value, the most telling first. */
const OPEN_KEYS: readonly (readonly [key: string, values: TypesByValue, general: string])[] = [
  ['amenity', AMENITY, ''],
  ['shop', SHOP, 'store'],
  ['tourism', TOURISM, ''],
  ['leisure', LEISURE, ''],
  ['office', OFFICE, ''],
  ['craft', {}, ''],
  ['historic', {}, ''],
  ['public_transport', {}, 'transit_station'],
  ['natural', {}, 'natural_feature'],
  ['man_made', {}, ''],
]
/** The keys that make something a place with a listed value only: a named line of rails is none. */
const CLOSED_KEYS: readonly (readonly [key: string, values: TypesByValue])[] = [
  ['aeroway', AEROWAY],
  ['railway', RAILWAY],
]
/** Values that say that there is nothing (any more), and the one line among them that goes round continents. */
const NOTHING: ReadonlySet<string> = new Set([
  '',
  'no',
  'none',
  'vacant',
  'disused',
  'abandoned',
  'coastline',
])

/**
 * The types of a thing of OpenStreetMap; none when no tag of it makes it a place. A thing that is several (a hotel
 * with a restaurant) has the types of all, the first of the first.
 */
export function typesOfOsm(tags: OsmTags): readonly string[] {
  const { religion = '', station, subway, place = '' } = tags
  const types = new Set<string>()
  let isEstablishment = false
  for (const [key, values, general] of OPEN_KEYS) {
    const value = tags[key]
    if (value === undefined || NOTHING.has(value)) continue
    isEstablishment = true
    if (value === 'place_of_worship') add(types, own(WORSHIP, religion) ?? 'place_of_worship')
    else add(types, own(values, value) ?? '')
    add(types, general)
  }
  for (const [key, values] of CLOSED_KEYS) {
    const known = own(values, tags[key] ?? '')
    if (known === undefined) continue
    isEstablishment = true
    const isSubway = known === 'train_station' && (station === 'subway' || subway === 'yes')
    add(types, isSubway ? 'subway_station' : known)
  }
  if (isEstablishment) return [...types, ...POINT_OF_INTEREST]
  if (NOTHING.has(place)) return []
  return [own(PLACE, place) ?? 'colloquial_area', ...POLITICAL]
}

/**
 * What a thing is called: in a language where the tags have it (`name:de`, for `de-AT` also that of `de`), else as
 * it is called on site. Undefined when it has no name.
 */
export function nameOfOsm(tags: OsmTags, language?: string): string | undefined {
  const [base = ''] = (language ?? '').split('-', 1)
  for (const key of [`name:${language ?? ''}`, `name:${base.toLowerCase()}`, 'name']) {
    const name = tags[key]?.trim()
    if (name !== undefined && name !== '') return name
  }
  return undefined
}

/** People in a settlement that doesn't say how many: where OpenStreetMap's definitions of the words begin, or so. */
const PEOPLE: Readonly<Record<string, number>> = {
  city: 100_000,
  town: 10_000,
  village: 1_000,
  hamlet: 100,
  borough: 50_000,
  suburb: 10_000,
  quarter: 5_000,
  neighbourhood: 1_000,
}

/** How many people live there, as the tags say or by what they call it; undefined for what isn't settled. */
export function populationOfOsm({ population = '', place = '' }: OsmTags): number | undefined {
  const people = Number(population.replace(/[\s,.']/g, ''))
  return people >= 1 && Number.isFinite(people) ? people : own(PEOPLE, place)
}

/** By feature code of GeoNames; a code begins with its class and a dot. */
const GEONAMES: TypesByValue = {
  'A.ADM1': 'administrative_area_level_1',
  'A.ADM2': 'administrative_area_level_2',
  'A.ADM3': 'administrative_area_level_3',
  'A.ADM4': 'administrative_area_level_4',
  'A.ADM5': 'administrative_area_level_5',
  'A.PCLI': 'country',
  'L.AMUS': 'amusement_park',
  'L.PRK': 'park',
  'P.PPLX': 'sublocality',
  'S.AIRF': 'airport',
  'S.AIRP': 'airport',
  'S.AQC': 'aquarium',
  'S.BANK': 'bank',
  'S.BUSTN': 'bus_station',
  'S.CH': 'church place_of_worship',
  'S.CMTY': 'cemetery',
  'S.CSNO': 'casino',
  'S.CTHSE': 'courthouse',
  'S.DIP': 'embassy',
  'S.FIRE': 'fire_station',
  'S.GHSE': 'lodging',
  'S.HSP': 'hospital health',
  'S.HSPC': 'doctor health',
  'S.HTL': 'lodging',
  'S.LIBR': 'library',
  'S.MALL': 'shopping_mall',
  'S.MKT': 'store',
  'S.MNMT': 'tourist_attraction',
  'S.MSQE': 'mosque place_of_worship',
  'S.MTRO': 'subway_station',
  'S.MUS': 'museum',
  'S.PO': 'post_office',
  'S.PP': 'police',
  'S.PRKGT': 'park',
  'S.REST': 'restaurant food',
  'S.RSTN': 'train_station',
  'S.SCH': 'school',
  'S.SCHC': 'university',
  'S.SHOPC': 'shopping_mall',
  'S.STDM': 'stadium',
  'S.SYG': 'synagogue place_of_worship',
  'S.UNIV': 'university',
  'S.ZOO': 'zoo',
}
/** What the classes of GeoNames come to when the code says no more. R: roads, U: undersea; neither is a place. */
const GEONAMES_CLASSES: Readonly<Record<string, readonly string[]>> = {
  A: POLITICAL,
  H: ['natural_feature', ...POINT_OF_INTEREST],
  L: POINT_OF_INTEREST,
  P: ['locality', ...POLITICAL],
  S: POINT_OF_INTEREST,
  T: ['natural_feature', ...POINT_OF_INTEREST],
  V: ['natural_feature', ...POINT_OF_INTEREST],
}

/**
 * The types of an entry of GeoNames by its feature class and code; none for roads, the sea's floor and for what
 * is there no more (codes that end in H).
 */
export function typesOfGeoNames(featureClass: string, featureCode: string): readonly string[] {
  const general = own(GEONAMES_CLASSES, featureClass)
  if (general === undefined || HISTORICAL.has(featureCode)) return []
  const known = own(GEONAMES, `${featureClass}.${featureCode}`)
  if (known === undefined) return general
  const tail = general.includes('political') ? POLITICAL : POINT_OF_INTEREST
  return [...known.split(' '), ...tail]
}

/** A city or country that was. */
const HISTORICAL: ReadonlySet<string> = new Set([
  ...['ADM1H', 'ADM2H', 'ADM3H', 'ADM4H', 'ADM5H', 'ADMDH', 'PCLH', 'RGNH'],
  ...['PPLCH', 'PPLH', 'PPLQ', 'PPLW'],
])

function add(types: Set<string>, spaced: string): void {
  for (const type of spaced.split(' ')) if (type !== '') types.add(type)
}

/** A tag's value is anybody's text: `constructor` is no key of ours. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
