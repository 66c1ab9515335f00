import { fileURLToPath } from 'node:url'
import { type Child, waitForSuccess } from '../support/children.ts'
import type { BenchContext } from './contender.ts'

/** As they are named on the command line of a load. */
export type LoadOptions = Readonly<Record<string, string | number | undefined>>

/** Connecting, and the start of Node, beside the time that is measured. */
const OVERHEAD_MS_MAX = 20_000

/**
 * Runs a load of this folder's parent as a process of its own, and returns what it printed. Its
 * options are written `--name=value`; one without a value is left out. It is ended `msMax` after it should be ready.
 */
export async function runLoad(
  script: string,
  options: LoadOptions,
  msMax: number,
  context: BenchContext,
  /** The one that is kept for loads, or any: where there are more servers than cores. */
  core: 'load' | 'any' = 'load',
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const load = await startLoad(script, options, context, core, env)
  return (await waitForSuccess(load, msMax + OVERHEAD_MS_MAX)).stdout
}

/** Starts a load, for one that ends it itself. */
export async function startLoad(
  script: string,
  options: LoadOptions,
  context: BenchContext,
  core: 'load' | 'any' = 'any',
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const file = fileURLToPath(new URL(`../${script}`, import.meta.url))
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const line = [process.execPath, [file, ...given.map(([name, value]) => `--${name}=${value}`)]] as const
  const [command, args] = core === 'any' ? line : context.pinning.wrap('load', ...line)
  return context.children.start(script, command, args, env)
}
