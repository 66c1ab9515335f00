import { fileURLToPath } from 'node:url'
import { waitForSuccess } from '../support/children.ts'
import type { BenchContext } from './contender.ts'

/** Connecting, and the start of Node, beside the time that is measured. */
const OVERHEAD_MS_MAX = 20_000

/**
 * Runs a load of this folder's parent as a process of its own, and returns what it printed. Its
 * options are written `--name=value`; one without a value is left out. It is ended `msMax` after it should be ready.
 */
export async function runLoad(
  script: string,
  options: Readonly<Record<string, string | number | undefined>>,
  msMax: number,
  context: BenchContext,
  /** The one that is kept for loads, or any: where there are more servers than cores. */
  core: 'load' | 'any' = 'load',
): Promise<string> {
  const file = fileURLToPath(new URL(`../${script}`, import.meta.url))
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const args = [file, ...given.map(([name, value]) => `--${name}=${value}`)]
  const line = [process.execPath, args] as const
  const [command, commandArgs] = core === 'any' ? line : context.pinning.wrap('load', ...line)
  const load = await context.children.start(script, command, commandArgs)
  return (await waitForSuccess(load, msMax + OVERHEAD_MS_MAX)).stdout
}
