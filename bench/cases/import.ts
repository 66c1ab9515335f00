import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { liechtenstein } from '../../test/support/liechtenstein.ts'
import { HERD_FILE, whyNoHerd } from '../servers/herd-server.ts'
import { isInstalled } from '../support/machine.ts'
import { copyOsmFile } from '../support/osm-copies.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatTable } from '../support/table.ts'
import { type ProcessFigures, watchProcess } from '../support/watch-process.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Candidate } from './contender.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

/** The import is the slower one; a million objects in a second is usual, a tenth of it on a busy machine. */
const MS_PER_OBJECT_MAX = 0.01
const START_MS_MAX = 30_000
/** A file of a tenth of the largest one's size, to tell what grows with the size. */
const SMALLER = 10
/** What the import takes for places when it has a name, and what `tags-filter` is asked for. */
const FILTER =
  'nwr/amenity,shop,tourism,leisure,office,craft,historic,public_transport,natural,man_made,aeroway,railway,place'

/** A file that is imported. */
interface OsmFile {
  readonly path: string
  readonly objects: number
  readonly bytes: number
}

interface FileSample extends ProcessFigures {
  readonly objects: number
  readonly bytes: number
}

/** All files, the smallest first. */
interface ImportSample {
  readonly files: readonly FileSample[]
}

const CONTENDERS: readonly Candidate[] = [
  { name: 'herd', title: 'herd places import', missing: whyNoHerd },
  { name: 'osmium', title: 'osmium tags-filter', missing: whyNoOsmium },
]

/** OpenStreetMap into an index of places, beside osmium that picks the same objects out of the same file. */
export const importing: Benchmark = { name: 'import', contenders: CONTENDERS, run }

function whyNoOsmium(): string | undefined {
  return isInstalled('osmium') ? undefined : 'osmium is not installed: npm run setup'
}

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const reason = existsSync(liechtenstein)
    ? whyNoOsmium()
    : 'the extract of Liechtenstein is missing: npm run setup'
  if (reason !== undefined) return { text: `import: not measured, ${reason}`, data: { notes: [reason] } }
  const files = await makeFiles(context)
  const [herd, osmium] = [herdWith(files), osmiumWith(files)]
  const tell = ({ files: all }: ImportSample): string =>
    all.map((one) => `${formatCount(one.objects)} in ${one.seconds.toFixed(2)} s`).join(', ')
  const rounds = await measureRounds('import', [herd, osmium], context.rounds, context, tell)
  const ratios = files.map(({ objects }, index) => ({
    objects,
    'herd / osmium': compare(rounds, herd, osmium, ({ files: all }) => rateOf(all[index])),
    'herd / osmium, by CPU': compare(rounds, herd, osmium, ({ files: all }) => ratePerCpu(all[index])),
  }))
  const beyond = compare(rounds, herd, osmium, rateBeyond)
  const text = formatReport(rounds, files, herd, osmium)
  return { text, data: { ...toData(rounds), ratios, beyondTheStart: beyond } }
}

/** The extract, and copies of it side by side in larger files: they begin with all nodes, as every extract does. */
async function makeFiles(context: BenchContext): Promise<OsmFile[]> {
  const files: OsmFile[] = []
  const make = async (copies: number): Promise<OsmFile> => {
    const path = join(context.folder, `copies-${copies}.osm.pbf`)
    context.progress(
      `import: a file of ${copies === 1 ? 'the extract alone' : `${copies} copies of the extract`} is written`,
    )
    const objects = await copyOsmFile(liechtenstein, path, copies)
    return { path, objects, bytes: (await stat(path)).size }
  }
  const first = await make(1)
  files.push(first)
  for (const objects of [context.objects / SMALLER, context.objects]) {
    const copies = Math.ceil(objects / first.objects)
    if (copies > 1) files.push(await make(copies))
  }
  return files
}

function herdWith(files: readonly OsmFile[]): Measurable<ImportSample> {
  return {
    name: 'herd',
    title: 'herd places import',
    missing: whyNoHerd,
    measure: (context) =>
      measureFiles(files, context, async (file, folder) => {
        const herdFile = join(folder, 'bench.yaml')
        const state = JSON.stringify(join(folder, 'state'))
        const lines = [
          'herd: bench',
          'servers: { Solo: { port: 12000 } }',
          'links: []',
          `stateFolder: ${state}`,
          '',
        ]
        await writeFile(herdFile, lines.join('\n'))
        return [process.execPath, [HERD_FILE, 'places', 'import', file.path, '--herd', herdFile]]
      }),
  }
}

function osmiumWith(files: readonly OsmFile[]): Measurable<ImportSample> {
  return {
    name: 'osmium',
    title: 'osmium tags-filter',
    missing: whyNoOsmium,
    measure: (context) =>
      measureFiles(files, context, (file, folder) => {
        const to = join(folder, 'places.osm.pbf')
        return Promise.resolve([
          'osmium',
          ['tags-filter', file.path, FILTER, '-o', to, '--no-progress'],
        ] as const)
      }),
  }
}

/** Runs a command for each file, on any core: osmium uses several. */
async function measureFiles(
  files: readonly OsmFile[],
  context: BenchContext,
  commandFor: (file: OsmFile, folder: string) => Promise<readonly [string, readonly string[]]>,
): Promise<ImportSample> {
  const samples: FileSample[] = []
  for (const file of files) {
    const folder = await mkdtemp(join(context.folder, 'import-'))
    const [command, args] = await commandFor(file, folder)
    const child = await context.children.start(command, command, args)
    const figures = await watchProcess(child, START_MS_MAX + file.objects * MS_PER_OBJECT_MAX)
    samples.push({ objects: file.objects, bytes: file.bytes, ...figures })
    await rm(folder, { recursive: true, force: true })
  }
  return { files: samples }
}

function rateOf(sample: FileSample | undefined): number | undefined {
  return sample === undefined ? undefined : sample.objects / sample.seconds
}

function ratePerCpu(sample: FileSample | undefined): number | undefined {
  return sample?.cpuSeconds === undefined ? undefined : sample.objects / sample.cpuSeconds
}

/** Objects a second of what the largest file has more than the smallest: without the start of the program. */
function rateBeyond({ files }: ImportSample): number | undefined {
  const [first, last] = [files[0], files.at(-1)]
  if (first === undefined || last === undefined || first === last) return undefined
  return (last.objects - first.objects) / (last.seconds - first.seconds)
}

/** Bytes of memory for each object that the largest file has more than the one before it. */
function bytesPerObject({ files }: ImportSample): number | undefined {
  const [before, last] = [files.at(-2), files.at(-1)]
  if (before?.peakBytes === undefined || last?.peakBytes === undefined) return undefined
  return (last.peakBytes - before.peakBytes) / (last.objects - before.objects)
}

const COLUMNS: readonly Column[] = [
  { title: '', align: 'left' },
  { title: 'objects', align: 'right' },
  { title: 'file MB', align: 'right' },
  { title: 'seconds', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'objects/s', align: 'right' },
  { title: 'CPU s', align: 'right' },
  { title: 'peak MB', align: 'right' },
]

const RATIO_COLUMNS: readonly Column[] = [
  { title: 'herd / osmium, round by round', align: 'left' },
  { title: 'objects/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'objects per CPU second', align: 'right' },
  { title: 'min – max', align: 'right' },
]

function formatReport(
  rounds: Rounds<ImportSample>,
  files: readonly OsmFile[],
  herd: Candidate,
  osmium: Candidate,
): string {
  const rows = Array.from(rounds.samples, ([{ title }, samples]) =>
    files.map((file, index) => formatRow(title, file, present(samples.map(({ files: all }) => all[index])))),
  ).flat()
  const ratios = files.map(({ objects }, index) => [
    `${formatCount(objects)} objects`,
    ...formatSpread(
      compare(rounds, herd, osmium, ({ files: all }) => rateOf(all[index])),
      2,
    ),
    ...formatSpread(
      compare(rounds, herd, osmium, ({ files: all }) => ratePerCpu(all[index])),
      2,
    ),
  ])
  const beyond = formatSpread(compare(rounds, herd, osmium, rateBeyond), 2)
  const more = Array.from(rounds.samples, ([{ title }, samples]) => {
    const [rate] = formatSpread(summarize(present(samples.map(rateBeyond))), formatCount)
    const [bytes] = formatSpread(summarize(present(samples.map(bytesPerObject))), 2)
    return `${title}, without its start: ${rate} objects/s; memory grows by ${bytes} bytes an object`
  })
  return [
    'Places out of OpenStreetMap: Liechtenstein, and copies of it side by side (medians)',
    formatTable(COLUMNS, rows),
    formatTable(RATIO_COLUMNS, [...ratios, ['without the start', ...beyond, '–', '–']]),
    more.join('\n'),
    ...rounds.notes,
  ].join('\n\n')
}

function formatRow(title: string, { objects, bytes }: OsmFile, samples: readonly FileSample[]): string[] {
  const median = (figure: (sample: FileSample) => number | undefined): number | undefined =>
    summarize(present(samples.map(figure)))?.median
  return [
    title,
    formatCount(objects),
    formatDecimal(bytes / 1e6, 1),
    ...formatSpread(summarize(samples.map(({ seconds }) => seconds)), 2),
    formatCount(median(rateOf) ?? 0),
    formatDecimal(
      median(({ cpuSeconds }) => cpuSeconds),
      2,
    ),
    formatDecimal(
      median(({ peakBytes }) => (peakBytes === undefined ? undefined : peakBytes / 1e6)),
      0,
    ),
  ]
}
