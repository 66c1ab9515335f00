import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BenchContext } from '../cases/contender.ts'
import { findFreePort, waitUntilListening } from '../support/ports.ts'
import { startGoogle } from './google-server.ts'
import type { RunningServer } from './running-server.ts'

/** Debian's own, which knows Debian's Twisted, whatever other Python is on the path. */
const PYTHON = '/usr/bin/python3'

/** What a solution of the exercise is written with. */
export type ExerciseFramework = 'asyncio' | 'twisted'

/** Why it can not be started here, or `undefined`. */
export function whyNoExercise(framework: ExerciseFramework): string | undefined {
  if (!existsSync(PYTHON)) return `${PYTHON} is missing: npm run setup`
  const { status } = spawnSync(PYTHON, ['-c', `import ${framework}`], { stdio: 'ignore', timeout: 10_000 })
  return status === 0 ? undefined : `${PYTHON} has no ${framework} (python3-twisted): npm run setup`
}

/** Starts a server as the solutions of the exercise are, and a stand-in for Google, which it asks. */
export async function startExercise(
  framework: ExerciseFramework,
  context: BenchContext,
): Promise<RunningServer> {
  const google = await startGoogle(context)
  const port = await findFreePort()
  const file = fileURLToPath(new URL(`exercise-${framework}.py`, import.meta.url))
  const command = context.pinning.wrap('server', PYTHON, [file, String(port), String(google.port)])
  const server = await context.children.start(framework, ...command)
  await waitUntilListening(server, port)
  const stop = async (): Promise<void> => {
    await server.stop()
    await google.stop()
  }
  return { server, port, stop }
}
