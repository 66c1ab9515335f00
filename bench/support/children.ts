import { type ChildProcess, spawn } from 'node:child_process'

/** How a child ended, and what it said. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that the benchmark started. */
export interface Child {
  readonly name: string
  readonly pid: number
  /** Never rejects. */
  readonly ended: Promise<Ending>
  /** Asks it to end, insists after a while, and returns when it is gone. */
  stop(): Promise<void>
}

const OUTPUT_CHARACTERS_MAX = 64 * 1024
const STOP_MS_MAX = 3000

/**
 * Every process that this one has started and that still runs. Each is ended by its own id, and only by
 * that.
 */
export class Children {
  readonly #running = new Map<ChildProcess, Promise<Ending>>()
  #stopping = false

  /** `env`: variables beside those of this process, which are kept but for the ones of herd. */
  async start(
    name: string,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Child> {
    if (this.#stopping) throw new Error(`${name} is not started: the benchmark is being stopped`)
    const child = spawn(command, args, {
      env: { ...neutralEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stdout = keepEnd(child.stdout)
    const stderr = keepEnd(child.stderr)
    const ended = new Promise<Ending>((resolve) => {
      child.once('close', (code, signal) => {
        this.#running.delete(child)
        resolve({ code, signal, stdout: stdout(), stderr: stderr() })
      })
    })
    this.#running.set(child, ended)
    const pid = await started(name, child)
    return { name, pid, ended, stop: () => stop(child, ended) }
  }

  /** Ends all of them, starts no more, and returns when they are gone. */
  async stopAll(): Promise<void> {
    this.#stopping = true
    await Promise.all(Array.from(this.#running, ([child, ended]) => stop(child, ended)))
  }

  /** The same at once, without waiting: the last thing that an exiting process does. */
  killAll(): void {
    for (const child of this.#running.keys()) child.kill('SIGKILL')
    this.#running.clear()
  }
}

/** Waits for a child that ends by itself; ends it, and fails, if it takes too long or fails. */
export async function waitForSuccess(child: Child, msMax: number): Promise<Ending> {
  const ending = await withTimeout(child.ended, msMax)
  if (ending === undefined) {
    await child.stop()
    throw new Error(`${child.name} did not end within ${msMax / 1000} s`)
  }
  if (ending.code !== 0) throw new Error(`${child.name} failed: ${describe(ending)}`)
  return ending
}

/** The last words of a process, for an error message. */
export function describe(ending: Ending): string {
  const words = `${ending.stderr}\n${ending.stdout}`.trim()
  return `${ending.signal ?? `exit code ${ending.code}`}${words === '' ? '' : `\n${words}`}`
}

/** The value, or `undefined` after `msMax`. Leaves no timer behind. */
export async function withTimeout<T>(value: Promise<T>, msMax: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, msMax, undefined)
  try {
    return await Promise.race([value, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Without the settings that herd takes from the environment: what is measured is what the benchmark says. */
function neutralEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HERD_')))
}

async function stop(child: ChildProcess, ended: Promise<Ending>): Promise<void> {
  child.kill('SIGTERM')
  if ((await withTimeout(ended, STOP_MS_MAX)) !== undefined) return
  child.kill('SIGKILL')
  await ended
}

function started(name: string, child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => {
      if (child.pid === undefined) reject(new Error(`${name} has no process id`))
      else resolve(child.pid)
    })
    child.once('error', (cause) => reject(new Error(`${name} could not be started`, { cause })))
  })
}

/** Reads a stream to its end, so that the writer never blocks, but remembers only the last part. */
function keepEnd(stream: NodeJS.ReadableStream | null): () => string {
  let kept = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    kept = (kept + text).slice(-OUTPUT_CHARACTERS_MAX)
  })
  return () => kept
}
