import { fileURLToPath } from 'node:url'
import { waitForSuccess } from '../support/children.ts'
import type { BenchContext } from './contender.ts'

/** Connecting, and the start of Node, beside the time that is measured. */
const OVERHEAD_MS_MAX = 20_000

/**
 * Runs a load of this folder's parent as a process on the core of the load, and returns what it printed. Its
 * options are written `--name=value`; one without a value is left out. It is ended `msMax` after it should be ready.
 */
export async function runLoad(
  script: string,
  options: Readonly<Record<string, string | number | undefined>>,
  msMax: number,
  context: BenchContext,
): Promise<string> {
  const file = fileURLToPath(new URL(`../${script}`, import.meta.url))
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const args = [file, ...given.map(([name, value]) => `--${name}=${value}`)]
  const load = await context.children.start(script, ...context.pinning.wrap('load', process.execPath, args))
  return (await waitForSuccess(load, msMax + OVERHEAD_MS_MAX)).stdout
}
