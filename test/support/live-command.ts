/** The `herd` command as a process of its own, beside a herd that runs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertNoCanary } from './canary.ts'
import { waitUntil } from './live-herd.ts'

const HERD_COMMAND = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))

/** Where a command runs. */
export interface LiveCommandPlace {
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
}

/** How a command has ended. */
export interface CommandEnd {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** One that goes on until it is told to stop. It is gone when the test is over. */
export class LiveCommand {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #out = ''
  #err = ''

  constructor(t: TestContext, { folder, env = {} }: LiveCommandPlace, args: readonly string[]) {
    const { PATH = '', HOME = '' } = process.env
    this.#child = spawn(process.execPath, [HERD_COMMAND, ...args], {
      cwd: folder,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString('utf8')
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#err += chunk.toString('utf8')
    })
    t.after(() => this.kill('SIGKILL'))
  }

  /** Everything that it has printed. */
  get output(): string {
    return this.#out + this.#err
  }

  /** Waits until it has printed something; what was in the first parentheses, or all. */
  async printed(pattern: RegExp): Promise<string> {
    await waitUntil(
      () => pattern.test(this.output),
      () => `${pattern} is printed; it was ${JSON.stringify(this.output)}`,
    )
    const [all = '', first] = pattern.exec(this.output) ?? []
    return first ?? all
  }

  /** Waits for its end. */
  async ended(): Promise<CommandEnd> {
    await this.#closed
    assertNoCanary({ text: this.output })
    return { code: this.#child.exitCode, out: this.#out, err: this.#err }
  }

  /** Lets it stand still; resolves when it does. */
  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP')
    const { pid } = this.#child
    const state = async () => /^State:\s+T/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))
    await waitUntil(state, 'the command stands still')
  }

  /** Lets it go on. */
  goOn(): void {
    this.#child.kill('SIGCONT')
  }

  /** Ends it, and waits for that. */
  async kill(signal: NodeJS.Signals): Promise<CommandEnd> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
    return this.ended()
  }
}

/** Runs a command to its end. */
export function runCommand(
  t: TestContext,
  place: LiveCommandPlace,
  args: readonly string[],
): Promise<CommandEnd> {
  return new LiveCommand(t, place, args).ended()
}
