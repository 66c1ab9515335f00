/** `npm run bench`: runs the benchmarks, prints their tables, and keeps every round as JSON if asked. */
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before } from './cases/before.ts'
import { catchup } from './cases/catchup.ts'
import { connections } from './cases/connections.ts'
import type { BenchContext, Benchmark, Candidate } from './cases/contender.ts'
import { delay } from './cases/delay.ts'
import { disk } from './cases/disk.ts'
import { fanout } from './cases/fanout.ts'
import { flood } from './cases/flood.ts'
import { growth } from './cases/growth.ts'
import { http } from './cases/http.ts'
import { iamat } from './cases/iamat.ts'
import { importing } from './cases/import.ts'
import { map } from './cases/map.ts'
import { memory } from './cases/memory.ts'
import { messages } from './cases/messages.ts'
import { mqtt } from './cases/mqtt.ts'
import { nearest } from './cases/nearest.ts'
import { postgis } from './cases/postgis.ts'
import { whatsat } from './cases/whatsat.ts'
import { Children } from './support/children.ts'
import { describeMachine, formatMachine } from './support/machine.ts'
import { type BenchOptions, HELP, parseOptions } from './support/options.ts'
import { detectPinning } from './support/pinning.ts'
import { isSelected } from './support/selection.ts'

const BENCHMARKS: readonly Benchmark[] = [
  iamat,
  before,
  http,
  mqtt,
  fanout,
  map,
  nearest,
  whatsat,
  postgis,
  importing,
  memory,
  growth,
  connections,
  flood,
  delay,
  catchup,
  disk,
  messages,
]
/** Servers run for weeks; Node compiles its hot path in the first seconds. Redis gets the same. */
const WARM_UP_SECONDS = 6
/** What a shell expects of a program that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const names = new Set(
  BENCHMARKS.flatMap(({ name, contenders }) => [name, ...contenders.map((one) => one.name)]),
)
const parsed = parseOptions(process.argv.slice(2), [...names])
if (!parsed.ok) {
  console.error(`${parsed.problems.join('\n')}\n\n${HELP}`)
  process.exitCode = 2
} else if (parsed.options.help) {
  process.stdout.write(`${HELP}\nBenchmarks and their contenders:\n${listNames()}\n`)
} else {
  process.exit(await runUntilSignal(parsed.options))
}

/** Runs to the end, to the first error or to a signal; leaves no process and no file behind in any case. */
async function runUntilSignal(options: BenchOptions): Promise<number> {
  const children = new Children()
  const folder = mkdtempSync(join(tmpdir(), 'herd-bench-'))
  process.once('exit', () => {
    children.killAll()
    rmSync(folder, { recursive: true, force: true })
  })
  const signalled = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => resolve(EXIT_CODES[signal]))
    }
  })
  try {
    return await Promise.race([run(options, children, folder), signalled])
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  } finally {
    await children.stopAll()
  }
}

async function run(options: BenchOptions, children: Children, folder: string): Promise<number> {
  const date = new Date().toISOString()
  const machine = describeMachine()
  const pinning = detectPinning()
  console.log(`${date}\n${formatMachine(machine)}\n${pinning.note}`)
  console.log(`${options.rounds} interleaved rounds of ${options.seconds} s, warm-up ${WARM_UP_SECONDS} s\n`)

  const context: BenchContext = {
    children,
    pinning,
    folder,
    rounds: options.rounds,
    seconds: options.seconds,
    warmUpSeconds: WARM_UP_SECONDS,
    clients: options.clients,
    objects: options.objects,
    before: options.before,
    wants: (benchmark, contender) => isWanted(options, benchmark, contender),
    progress: (text) => console.error(text),
  }
  const results: Record<string, object> = {}
  for (const { name, contenders, run: runBenchmark } of BENCHMARKS) {
    if (!contenders.some((contender) => context.wants(name, contender))) continue
    const { text, data } = await runBenchmark(context)
    console.log(`\n${text}\n`)
    results[name] = data
  }
  if (options.jsonFile !== undefined) {
    const all = { date, machine, pinning: pinning.note, options, warmUpSeconds: WARM_UP_SECONDS, results }
    await writeFile(options.jsonFile, `${JSON.stringify(all, null, 2)}\n`)
  }
  return 0
}

function isWanted({ only, trafficLog }: BenchOptions, benchmark: string, contender: Candidate): boolean {
  if (trafficLog === 'off' && contender.name === 'herd-traffic') return false
  if (trafficLog === 'on' && contender.name === 'herd') return false
  return isSelected({ benchmarks: BENCHMARKS.map(({ name }) => name), only }, benchmark, contender.name)
}

function listNames(): string {
  return BENCHMARKS.map(
    ({ name, contenders }) => `  ${name}: ${contenders.map((one) => one.name).join(', ')}`,
  ).join('\n')
}
