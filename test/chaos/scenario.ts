/** What a fault test is made of. */
import type { TestContext } from 'node:test'
import type { Chaos } from './chaos.ts'

/** One fault test. */
export interface Scenario {
  readonly name: string
  /** What holds when it passes, in one sentence. */
  readonly proves: string
  /** Longest time that it may take, short and long. */
  readonly secondsMax: readonly [short: number, long: number]
  /** What is asked of the memory of each server process, short and long, in MiB. */
  readonly rssMibMax?: readonly [short: number, long: number]
  /** Does it; returns what was done, in numbers. */
  readonly run: (chaos: Chaos, t: TestContext) => Promise<string>
}

/** A scenario that can't be run here. The message says why. */
export class Skipped extends Error {}
