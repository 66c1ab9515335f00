import { parseArgs } from 'node:util'
import { CLIENTS_MAX } from '../load/city.ts'

/** How the user asked the benchmarks to run; complete, with every default filled in. */
export interface BenchOptions {
  readonly rounds: number
  readonly seconds: number
  /** Clients of the benchmarks of a full table. */
  readonly clients: number
  /** Objects of the largest file that is imported, rounded up to whole copies of the extract. */
  readonly objects: number
  /** Names of benchmarks, of what they compare, or of both; empty means everything. */
  readonly only: readonly string[]
  /** Which of the two rows of herd are measured. */
  readonly trafficLog: 'off' | 'on' | 'both'
  readonly jsonFile: string | undefined
  readonly help: boolean
}

const ROUNDS_MAX = 100
const SECONDS_MAX = 60
const CLIENTS_MIN = 2000
const [OBJECTS_MIN, OBJECTS_MAX] = [100_000, 1_000_000_000] as const

export const HELP: string = `Usage: npm run bench -- [options]

Measures Herd beside other servers, in interleaved rounds of one run.

  --rounds <n>        rounds of every measurement, 1 to ${ROUNDS_MAX} (5)
  --seconds <n>       length of one measurement after its warm-up, 0.2 to ${SECONDS_MAX} (3)
  --clients <n>       clients of nearest, memory, growth and catchup,
                      ${CLIENTS_MIN} to ${CLIENTS_MAX} (1000000)
  --objects <n>       objects of the largest file of import, ${OBJECTS_MIN} to ${OBJECTS_MAX} (10000000)
  --only <names>      only these benchmarks, these contenders, or these contenders of these benchmarks;
                      separated by commas
  --traffic-log <w>   herd without its log of traffic (off), with it (on), or a row of each (both)
  --json <file>       also write everything measured, round by round, to this file
  --help              this text
`

/** The options, or every problem with them at once. */
export type ParsedOptions =
  | { readonly ok: true; readonly options: BenchOptions }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads the command line; `names` are the benchmarks and contenders that `--only` may mention. */
export function parseOptions(args: readonly string[], names: readonly string[]): ParsedOptions {
  const read = readArgs(args)
  if (typeof read === 'string') return { ok: false, problems: [read] }

  const problems: string[] = []
  const rounds = readNumber(read.rounds, 5)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX) {
    problems.push(`--rounds must be a whole number from 1 to ${ROUNDS_MAX}, for example --rounds 5`)
  }
  const seconds = readNumber(read.seconds, 3)
  if (!(seconds >= 0.2 && seconds <= SECONDS_MAX)) {
    problems.push(`--seconds must be a number from 0.2 to ${SECONDS_MAX}, for example --seconds 3`)
  }
  const clients = readNumber(read.clients, 1_000_000)
  if (!Number.isInteger(clients) || clients < CLIENTS_MIN || clients > CLIENTS_MAX) {
    problems.push(
      `--clients must be a whole number from ${CLIENTS_MIN} to ${CLIENTS_MAX}, for example --clients 1000000`,
    )
  }
  const objects = readNumber(read.objects, 10_000_000)
  if (!Number.isInteger(objects) || objects < OBJECTS_MIN || objects > OBJECTS_MAX) {
    problems.push(
      `--objects must be a whole number from ${OBJECTS_MIN} to ${OBJECTS_MAX}, for example --objects 10000000`,
    )
  }
  const only = (read.only ?? []).flatMap((list) => list.split(',')).filter((name) => name !== '')
  for (const name of only.filter((asked) => !names.includes(asked))) {
    problems.push(`--only does not know "${name}"; it knows ${names.join(', ')}`)
  }
  const trafficLog = read['traffic-log'] ?? 'both'
  if (trafficLog !== 'off' && trafficLog !== 'on' && trafficLog !== 'both') {
    return { ok: false, problems: [...problems, '--traffic-log must be off, on or both'] }
  }
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    options: {
      rounds,
      seconds,
      clients,
      objects,
      only,
      trafficLog,
      jsonFile: read.json,
      help: read.help ?? false,
    },
  }
}

interface ReadArgs {
  readonly rounds?: string | undefined
  readonly seconds?: string | undefined
  readonly clients?: string | undefined
  readonly objects?: string | undefined
  readonly only?: string[] | undefined
  readonly 'traffic-log'?: string | undefined
  readonly json?: string | undefined
  readonly help?: boolean | undefined
}

function readArgs(args: readonly string[]): ReadArgs | string {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        clients: { type: 'string' },
        objects: { type: 'string' },
        only: { type: 'string', multiple: true },
        'traffic-log': { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function readNumber(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  return text.trim() === '' ? Number.NaN : Number(text)
}
