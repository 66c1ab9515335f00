/** `herd places near`: what WHATSAT would find, straight from the indexes. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { PlaceRank } from '../places/provider.ts'
import { type LocalPlace, LocalPlaces } from '../places/providers/local.ts'
import { addPlacesFolderOptions, type PlacesFolderOptions, placesFolderOf } from './places-folder.ts'
import { columns, EXIT, type ExitCode, print, printable, type Terminal, UsageError } from './terminal.ts'

interface NearOptions extends PlacesFolderOptions {
  readonly json?: boolean
  readonly radius: number
  readonly items: number
  readonly rank: PlaceRank
  readonly type?: string
  readonly keyword?: string
}

const KILOMETRES_MAX = 50
const ITEMS_MAX = 1_000

/** Adds `herd places near`. */
export function addPlacesNear(places: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addPlacesFolderOptions(places.command('near'))
    .summary('look for imported places')
    .description(
      'Looks for imported places around a position, without a server. Behind -- everything is an operand, also a ' +
        'position that begins with a minus.',
    )
    .argument('<position>', 'latitude and longitude with their signs, such as +47.141+9.521')
    .option('--radius <km>', 'how far, at most 50', kilometres, 10)
    .option('--items <n>', `how many, at most ${ITEMS_MAX}`, itemCount, 20)
    .addOption(
      new Option('--rank <rank>', 'what comes first').choices(['distance', 'prominence']).default('distance'),
    )
    .option('--type <type>', 'only of this Google type, such as museum')
    .option('--keyword <words>', 'only with these words in the name or the types')
    .option('--json', 'print an object')
    .addHelpText(
      'after',
      `
Examples:
  herd places near +47.141+9.521 --radius 1 --type museum
  herd places near --rank prominence -- -33.87+151.21

Exit code: 0 looked, whether or not there was anything; 1 an index is broken; 2 usage.`,
    )
    .action(async (position: string, options: NearOptions) => finish(await near(terminal, position, options)))
}

async function near(terminal: Terminal, position: string, options: NearOptions): Promise<ExitCode> {
  const { latitude, longitude } = positionOf(position)
  const folder = await placesFolderOf(terminal, options)
  const warnings: string[] = []
  const local = new LocalPlaces({
    folder,
    nowMs: () => performance.now(),
    onWarning: (message) => warnings.push(message),
  })
  const query = {
    ...{
      latitude,
      longitude,
      locationText: `${latitude},${longitude}`,
      radiusMetres: options.radius * 1_000,
    },
    ...{ rank: options.rank, type: options.type, keyword: options.keyword },
  }
  const found = await local.find(query, options.items, new AbortController().signal)
  const { count } = local
  await local.close()
  for (const warning of warnings) await print(terminal.errors, `herd: warning: ${printable(warning)}\n`)
  if (options.json) {
    await print(
      terminal.output,
      `${JSON.stringify({ ok: warnings.length === 0, places: found.map(toJson) })}\n`,
    )
  } else {
    await print(terminal.output, found.length === 0 ? `${nothing(folder, count)}\n` : listing(found))
  }
  return warnings.length === 0 ? EXIT.ok : EXIT.failed
}

function nothing(folder: string, count: number): string {
  if (count === 0) return `nothing is imported in ${folder}: herd places import <file>`
  return `none of the ${count} imported places is there`
}

function listing(places: readonly LocalPlace[]): string {
  const rows = places.map(({ metres, name, types, vicinity, placeId }) => [
    `${(metres / 1_000).toFixed(2)} km`,
    printable(name),
    types[0] ?? '',
    printable(vicinity ?? ''),
    placeId,
  ])
  return `${columns(rows).join('\n')}\n`
}

function toJson({
  placeId,
  name,
  types,
  latitude,
  longitude,
  metres,
  prominence,
  vicinity,
}: LocalPlace): object {
  return {
    ...{ place_id: placeId, name, types, lat: latitude, lng: longitude },
    ...{ metres: Math.round(metres * 1_000) / 1_000, prominence, vicinity },
  }
}

/** @throws {UsageError} when it is none. */
export function positionOf(text: string): { readonly latitude: number; readonly longitude: number } {
  const [, latitudeText, longitudeText] = text.match(/^([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)$/) ?? []
  const [latitude, longitude] = [Number(latitudeText), Number(longitudeText)]
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude }
  throw new UsageError(
    `${JSON.stringify(text)} is no position: latitude (−90 to 90) and longitude (−180 to 180) with their signs, such as +47.141+9.521`,
  )
}

function kilometres(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= KILOMETRES_MAX) return value
  throw new InvalidArgumentError(`It is a number of kilometres from 0 to ${KILOMETRES_MAX}; for example 2.5.`)
}

function itemCount(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1 && value <= ITEMS_MAX) return value
  throw new InvalidArgumentError(`It is a whole number from 1 to ${ITEMS_MAX}; for example 20.`)
}
