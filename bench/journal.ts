/** `node bench/journal.ts`: the journal's append log beside node:sqlite, in interleaved rounds of one run. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type JournalStore, openLog, openSqlite } from './support/journal-stores.ts'
import { describeMachine, formatMachine } from './support/machine.ts'
import { summarize } from './support/statistics.ts'
import { formatTable } from './support/table.ts'

const HELP = `Usage: node bench/journal.ts [options]

Batches of fixes that are written and synced, sizes, and loading: an append log beside node:sqlite (WAL,
synchronous=FULL, one transaction a batch). In a temporary folder, which must not be in memory to mean anything.

  --rounds <n>  rounds of every measurement, 1 to 20 (5)
  --load <n>    fixes that are loaded, 1000 to 1000000 (1000000)
  --help        this text
`
const ROUNDS_MAX = 20
const LOAD_MIN = 1000
const LOAD_MAX = 1_000_000
const BATCHES = [1, 50, 1000]
/** Commits of one measurement. */
const COMMITS = 100
const CLIENTS = 10_000
const UPDATES = 100_000
const UPDATES_AT_ONCE = 50
const LOADED_AT_ONCE = 1000
const CANDIDATES = { 'append log': openLog, 'node:sqlite': openSqlite } as const

type Name = keyof typeof CANDIDATES
const NAMES: readonly Name[] = ['append log', 'node:sqlite']

/** The figures of all rounds, by what was measured and on what. */
const figures = new Map<string, number[]>()

function note(figure: string, name: Name, value: number): void {
  const key = `${figure}\n${name}`
  figures.set(key, [...(figures.get(key) ?? []), value])
}

/** A line as links and journals have it, of about 90 bytes. */
function fixLine(client: number, update: number): Buffer {
  const latitude = (33 + ((client * 7919 + update) % 1_000_000) / 1e6).toFixed(6)
  const time = `1479413884.${String(update).padStart(9, '0')}`
  return Buffer.from(`AT Alford +0.263873386 client-${client} +${latitude}-118.445127 ${time} @1.${update}\n`)
}

function makeBatch(first: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => fixLine((first + index) % CLIENTS, first + index))
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

/** Milliseconds of the clock, and of them those that the thread was busy. */
async function timed(work: () => Promise<unknown>): Promise<{ ms: number; busyMs: number }> {
  const before = performance.eventLoopUtilization()
  const start = performance.now()
  await work()
  const ms = performance.now() - start
  return { ms, busyMs: performance.eventLoopUtilization(before).active }
}

async function measureCommits(store: JournalStore, name: Name, size: number): Promise<void> {
  const batches = Array.from({ length: COMMITS }, (_, commit) => makeBatch(commit * size, size))
  const { ms, busyMs } = await timed(async () => {
    for (const lines of batches) await store.commit(lines)
  })
  note(`${size} a batch: ms a batch`, name, ms / COMMITS)
  note(`${size} a batch: of which the thread is busy, ms`, name, busyMs / COMMITS)
  note(`${size} a batch: thousand fixes/s`, name, (size * COMMITS) / ms)
}

async function measureSizes(store: JournalStore, name: Name, folder: string): Promise<void> {
  for (let first = 0; first < UPDATES; first += UPDATES_AT_ONCE) {
    await store.commit(makeBatch(first, UPDATES_AT_ONCE))
  }
  note('after 100,000 updates of 10,000 clients: MB', name, folderBytes(folder) / 1e6)
  const newest = (first: number): Buffer[] =>
    Array.from({ length: LOADED_AT_ONCE }, (_, index) =>
      fixLine(first + index, UPDATES - CLIENTS + first + index),
    )
  const { ms } = await timed(() =>
    store.compact(
      Array.from({ length: CLIENTS / LOADED_AT_ONCE }, (_, part) => newest(part * LOADED_AT_ONCE)),
    ),
  )
  note('compacted or checkpointed: MB', name, folderBytes(folder) / 1e6)
  note('compacting or checkpointing: ms', name, ms)
}

async function measureLoad(name: Name, folder: string, fixes: number): Promise<void> {
  const store = await CANDIDATES[name](folder)
  for (let first = 0; first < fixes; first += LOADED_AT_ONCE) {
    const count = Math.min(LOADED_AT_ONCE, fixes - first)
    await store.commit(Array.from({ length: count }, (_, index) => fixLine(first + index, first + index)))
  }
  await store.close()
  let lines = 0
  const { ms } = await timed(async () => {
    const loaded = await CANDIDATES[name](folder, () => lines++)
    await loaded.close()
  })
  if (lines !== fixes) throw new Error(`${name} gave ${lines} lines of ${fixes}`)
  note(`loading ${fixes} fixes: ms`, name, ms)
}

/** Does something with a store in a folder of its own. */
async function withStore(
  root: string,
  name: Name,
  work: (store: JournalStore, folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(root, async (folder) => {
    const store = await CANDIDATES[name](folder)
    await work(store, folder)
    await store.close()
  })
}

async function withFolder(root: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(root, 'store')
  mkdirSync(folder)
  await work(folder)
  rmSync(folder, { recursive: true })
}

async function runRound(root: string, round: number, load: number): Promise<void> {
  // Who is first takes turns, so that neither always meets what the other left in the disk's queue.
  for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
    for (const size of BATCHES) await withStore(root, name, (store) => measureCommits(store, name, size))
    await withStore(root, name, (store, folder) => measureSizes(store, name, folder))
    await withFolder(root, (folder) => measureLoad(name, folder, load))
  }
}

function printTable(): void {
  const titles = new Set([...figures.keys()].map((key) => key.split('\n')[0] ?? ''))
  const cell = (title: string, name: Name): string => {
    const summary = summarize(figures.get(`${title}\n${name}`) ?? [])
    return summary === undefined
      ? '–'
      : `${digits(summary.median)} (${digits(summary.min)}–${digits(summary.max)})`
  }
  const columns = [
    { title: '', align: 'left' },
    { title: NAMES[0] ?? '', align: 'right' },
    { title: NAMES[1] ?? '', align: 'right' },
  ] as const
  console.log(
    formatTable(
      columns,
      [...titles].map((title) => [title, ...NAMES.map((name) => cell(title, name))]),
    ),
  )
}

/** Three digits that count, and no more. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function readOptions(): { rounds: number; load: number } | string {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '5' },
        load: { type: 'string', default: String(LOAD_MAX) },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return HELP
    const [rounds, load] = [Number(values.rounds), Number(values.load)]
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX) return `--rounds: 1 to ${ROUNDS_MAX}`
    if (!Number.isInteger(load) || load < LOAD_MIN || load > LOAD_MAX)
      return `--load: ${LOAD_MIN} to ${LOAD_MAX}`
    return { rounds, load }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`
  }
}

const options = readOptions()
if (typeof options === 'string') {
  console.error(options)
  process.exitCode = options === HELP ? 0 : 2
} else {
  const root = mkdtempSync(join(tmpdir(), 'herd-bench-journal-'))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  for (let round = 0; round < options.rounds; round++) {
    await runRound(root, round, options.load)
    console.error(`round ${round + 1} of ${options.rounds}`)
  }
  console.log(formatMachine(describeMachine()))
  printTable()
}
