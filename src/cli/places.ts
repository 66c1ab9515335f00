/** `herd places`: the places that were imported on this machine. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { nearestName } from '../config.ts'
import { INDEX_ENDING, PARTIAL_ENDING } from '../places/index/format.ts'
import { sweepLeftovers } from '../places/index/index-writer.ts'
import { PlacesIndex, PlacesIndexBroken } from '../places/index/places-index.ts'
import { addPlacesFolderOptions, type PlacesFolderOptions, placesFolderOf } from './places-folder.ts'
import { addPlacesImport } from './places-import.ts'
import { addPlacesNear } from './places-near.ts'
import { columns, EXIT, type ExitCode, print, printable, type Terminal, UsageError } from './terminal.ts'

interface PlacesOptions extends PlacesFolderOptions {
  readonly json?: boolean
}

/** One index as it is listed. */
interface Listed {
  readonly name: string
  readonly source?: string
  readonly places?: number
  readonly bytes: number
  readonly imported?: string
  readonly file?: string
  /** Why it can't be used. */
  readonly broken?: string
}

/** Adds `herd places` and what belongs to it. */
export function addPlaces(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  const places = program
    .command('places')
    .summary('import places, and look at what was imported')
    .description(
      'Places that this machine answers WHATSAT from, without a key and without a network: import them from ' +
        'OpenStreetMap, GeoNames, Overture Maps or Foursquare. Servers that run notice by themselves.',
    )
    .addHelpText(
      'after',
      `
Examples:
  herd places import liechtenstein.osm.pbf
  herd places near +47.141+9.521 --radius 1

Exit code: 0 all went well, 1 it did not, 2 usage or no such file or index.`,
    )
  addPlacesImport(places, terminal, finish)
  addPlacesNear(places, terminal, finish)
  addPlacesFolderOptions(places.command('list'))
    .summary('list what was imported')
    .description('Lists the indexes of places of a herd on this machine.')
    .option('--json', 'print an object')
    .addHelpText(
      'after',
      '\nExample:\n  herd places list\n\nExit code: 0 listed, 1 one of them is broken, 2 usage.',
    )
    .action(async (options: PlacesOptions) => finish(await list(terminal, options)))
  addPlacesFolderOptions(places.command('remove'))
    .summary('remove what was imported')
    .description('Removes an index of places. Servers that run stop answering from it within a second or so.')
    .argument('<name>', 'the name of an index, as `herd places list` has it')
    .addHelpText(
      'after',
      '\nExample:\n  herd places remove liechtenstein\n\nExit code: 0 removed, 2 usage or no such index.',
    )
    .action(async (name: string, options: PlacesOptions) => finish(await remove(terminal, name, options)))
}

async function list(terminal: Terminal, options: PlacesOptions): Promise<ExitCode> {
  const folder = await placesFolderOf(terminal, options)
  const listed = await Promise.all((await namesIn(folder)).map((name) => describe(folder, name)))
  const isWhole = listed.every(({ broken }) => broken === undefined)
  if (options.json) {
    await print(terminal.output, `${JSON.stringify({ ok: isWhole, folder, indexes: listed })}\n`)
    return isWhole ? EXIT.ok : EXIT.failed
  }
  if (listed.length === 0) {
    await print(terminal.output, `nothing is imported in ${folder}: herd places import <file>\n`)
    return EXIT.ok
  }
  const rows = listed.map((one) => [
    one.name,
    ...(one.broken === undefined
      ? [
          `${one.places} places`,
          `${megabytes(one.bytes)} MB`,
          one.imported?.slice(0, 10) ?? '',
          `${one.source}: ${printable(one.file ?? '')}`,
        ]
      : ['broken', `${megabytes(one.bytes)} MB`, '', one.broken]),
  ])
  await print(terminal.output, `${columns(rows).join('\n')}\n`)
  return isWhole ? EXIT.ok : EXIT.failed
}

async function describe(folder: string, name: string): Promise<Listed> {
  const path = join(folder, `${name}${INDEX_ENDING}`)
  const { size: bytes } = await stat(path)
  try {
    const index = new PlacesIndex(path)
    const { source, places, importedAtMs, file } = index.about
    index.close()
    return { name, source, places, bytes, imported: new Date(importedAtMs).toISOString(), file }
  } catch (error) {
    if (!(error instanceof PlacesIndexBroken)) throw error
    return { name, bytes, broken: error.message }
  }
}

async function remove(terminal: Terminal, name: string, options: PlacesOptions): Promise<ExitCode> {
  const folder = await placesFolderOf(terminal, options)
  const names = await namesIn(folder)
  if (!names.includes(name)) {
    const nearest = nearestName(name, names)
    const there = names.length === 0 ? 'nothing is' : `there are ${names.join(', ')}`
    const hint = nearest === undefined ? '' : `. Did you mean ${nearest}?`
    throw new UsageError(`no index ${JSON.stringify(name)} in ${folder}; ${there}${hint}`)
  }
  const path = join(folder, `${name}${INDEX_ENDING}`)
  await rm(path)
  sweepLeftovers(folder, Date.now())
  await print(terminal.output, `removed ${path}\n`)
  return EXIT.ok
}

/** Of whole indexes: what is being imported has another ending. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const files = await readdir(folder)
    return files
      .filter((file) => file.endsWith(INDEX_ENDING) && !file.endsWith(PARTIAL_ENDING))
      .map((file) => file.slice(0, -INDEX_ENDING.length))
      .sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
