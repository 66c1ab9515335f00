/** `npm run soak`: churn on a live table for as long as one likes, to see that nothing grows. */
import { parseArgs } from 'node:util'
import { findGrowth, type Held, Soak } from './support/soak.ts'

interface SoakOptions {
  readonly updates: number
  readonly ids: number
}

const PARTS = 20
/** After so many parts as many clients come as go. */
const SETTLED_PARTS = PARTS / 4
const HELP = `Usage: npm run soak -- [options]

Applies updates to a live table, with clients that move, leave and come. Exits with 1 if it grows after the first quarter.

  --updates <n>   so many (100000000), at least 40 for each client
  --ids <n>       clients at any time (1000000)
  --help          this text
`
const UPDATES_OF_EACH_MIN = 40

const options = readOptions()
if (typeof options === 'string') {
  console.error(options)
  process.exitCode = options === HELP ? 0 : 2
} else process.exitCode = run(options)

function readOptions(): SoakOptions | string {
  try {
    const { values } = parseArgs({
      options: {
        updates: { type: 'string', default: '100000000' },
        ids: { type: 'string', default: '1000000' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return HELP
    const [updates, ids] = [Number(values.updates), Number(values.ids)]
    if (!Number.isSafeInteger(ids) || ids < 1) return `--ids: a whole number, please\n\n${HELP}`
    // With fewer the first quarter ends before anybody is forgotten.
    if (!Number.isSafeInteger(updates) || updates < UPDATES_OF_EACH_MIN * ids) {
      return `--updates: a whole number, at least ${UPDATES_OF_EACH_MIN * ids}, please\n\n${HELP}`
    }
    return { updates, ids }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`
  }
}

function run(options: SoakOptions): number {
  const soak = new Soak(options.ids)
  const problems = new Set<string>()
  let settled: Held | undefined
  for (let part = 1; part <= PARTS; part++) {
    const end = Math.round((options.updates * part) / PARTS)
    const start = process.hrtime.bigint()
    const before = soak.held.updates
    soak.run(end - before)
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    console.log(describe(part, soak.held, (end - before) / seconds))
    if (part === SETTLED_PARTS) settled = soak.held
    if (settled !== undefined) for (const problem of findGrowth(settled, soak.held)) problems.add(problem)
  }
  for (const problem of problems) console.error(problem)
  console.log(problems.size === 0 ? 'Nothing grew after the first quarter.' : 'It grows.')
  return problems.size === 0 ? 0 : 1
}

function describe(part: number, held: Held, rate: number): string {
  return [
    `${String((part * 100) / PARTS).padStart(3)} %`,
    `${(rate / 1e6).toFixed(2)} million/s`,
    `${held.clients} clients in ${held.records} records`,
    `text ${mebibytes(held.textUsed)} of ${mebibytes(held.textPages)}`,
    `index ${mebibytes(held.index)}`,
    `grid ${mebibytes(held.grid)}`,
    `RSS ${mebibytes(process.memoryUsage.rss())}`,
  ].join(', ')
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
