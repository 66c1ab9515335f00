import type { Children } from '../support/children.ts'
import type { Pinning } from '../support/pinning.ts'

/** How many connections, and how many commands each sends before it waits for the replies. */
export interface Shape {
  readonly connections: number
  readonly inFlight: number
}

/** What every measurement is given. */
export interface BenchContext {
  readonly children: Children
  readonly pinning: Pinning
  /** A folder of this run, removed at its end. */
  readonly folder: string
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Clients of the benchmarks of a full table. */
  readonly clients: number
  /** Objects of the largest file that is imported. */
  readonly objects: number
  /** Whether a contender is wanted in this run. */
  readonly wants: (benchmark: string, contender: Candidate) => boolean
  /** Tells the one who waits what is being measured. */
  readonly progress: (text: string) => void
}

/** One measurement of one contender in one round. */
export interface Sample {
  readonly messagesPerSecond: number
  readonly batchP50Us: number
  readonly batchP99Us: number
  /** Cores kept busy; missing where the system does not tell. */
  readonly serverCpu: number | undefined
  readonly loadCpu: number | undefined
  /** Whatever else the load counted; kept in the JSON. */
  readonly details: object
}

/** A server that is measured. It is started anew for every measurement, so that rounds do not influence another. */
export interface Candidate {
  /** For `--only` and the JSON. */
  readonly name: string
  /** For the table. */
  readonly title: string
  /** Why it can not be measured here, or `undefined`. */
  missing(): string | undefined
}

/** One whose rate of reports is measured. */
export interface Contender extends Candidate {
  measure(shape: Shape, context: BenchContext): Promise<Sample>
}

/** One question, with its own contenders and its own table; each has a file in this folder. */
export interface Benchmark {
  readonly name: string
  readonly contenders: readonly Candidate[]
  readonly run: (context: BenchContext) => Promise<BenchmarkReport>
}

export interface BenchmarkReport {
  /** For people. */
  readonly text: string
  /** For the JSON file: every round. */
  readonly data: object
}
