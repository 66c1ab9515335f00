/** Keeps one server's process running: starts it, starts it again when it ends by itself, stops it. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { ServerEvent } from '../server/options.ts'
import { serverMessage } from './server-messages.ts'

const BACKOFF_MS_MIN = 200
const BACKOFF_MS_MAX = 5000
/** A server that was up for this long has proved itself: its next restart doesn't wait long. */
const PROVEN_MS = 10_000
const START_MS_MAX = 30_000
const STOP_MS_MAX = 5000

/** What happens to one server's process. */
export type KeeperEvent =
  | {
      readonly type: 'listening'
      readonly pid: number
      readonly host: string
      readonly port: number
      readonly alsoPorts: readonly number[]
    }
  | { readonly type: 'exited'; readonly reason: string; readonly restartMs: number }
  /** It has left the herd: it ends, and isn't started again. */
  | { readonly type: 'left' }
  | { readonly type: 'killed'; readonly reason: string }
  | { readonly type: 'event'; readonly event: ServerEvent }
  /** A line that the process printed by itself, such as the trace of a crash. */
  | { readonly type: 'text'; readonly text: string }

/** Why a server's first start came to nothing. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed'
}

type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'starting'; readonly child: ChildProcess; readonly timer: NodeJS.Timeout }
  | { readonly name: 'listening'; readonly child: ChildProcess; readonly timer: NodeJS.Timeout }
  | { readonly name: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'stopping'; readonly child: ChildProcess }

/** How long to wait before restart number `restarts` (from 0) in a row. */
export function backoffMs(restarts: number): number {
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** restarts)
}

/** One server's process, however often it has to be started. */
export class ServerKeeper {
  readonly #launch: () => ChildProcess
  readonly #report: (event: KeeperEvent) => void
  readonly #started = Promise.withResolvers<void>()
  #phase: Phase = { name: 'idle' }
  #everListened = false
  #restarts = 0
  #hasLeft = false
  #failure: string | undefined

  constructor(launch: () => ChildProcess, report: (event: KeeperEvent) => void) {
    this.#launch = launch
    this.#report = report
  }

  /**
   * Starts the server for the first time and waits until it listens.
   *
   * @throws {StartFailed} when it ends before: then something is wrong that a restart doesn't mend
   */
  start(): Promise<void> {
    this.#begin()
    return this.#started.promise
  }

  /** Stops the server and waits until its process is gone; after 5 s it is killed. */
  async stop(): Promise<void> {
    const phase = this.#phase
    if ('timer' in phase) clearTimeout(phase.timer)
    if (phase.name === 'idle' || phase.name === 'waiting') {
      this.#phase = { name: 'idle' }
      return
    }
    const { child } = phase
    this.#phase = { name: 'stopping', child }
    const gone = Promise.withResolvers<void>()
    child.once('close', () => gone.resolve())
    child.once('error', () => gone.resolve())
    child.kill('SIGTERM')
    const timer = setTimeout(() => this.#kill(child, `it did not stop within ${STOP_MS_MAX} ms`), STOP_MS_MAX)
    await gone.promise
    clearTimeout(timer)
    this.#phase = { name: 'idle' }
  }

  /** Ends the process at once. */
  stopNow(): void {
    const phase = this.#phase
    if ('timer' in phase) clearTimeout(phase.timer)
    if ('child' in phase) phase.child.kill('SIGKILL')
  }

  #begin(): void {
    this.#failure = undefined
    const child = this.#launch()
    const timer = setTimeout(
      () => this.#kill(child, `it did not listen within ${START_MS_MAX} ms`),
      START_MS_MAX,
    )
    this.#phase = { name: 'starting', child, timer }
    child.on('message', (message) => this.#hear(child, message))
    for (const stream of [child.stdout, child.stderr]) this.#pass(stream)
    // A process that can't be made may have an error and no end, or both.
    child.once('error', (error) => this.#ended(child, error.message))
    child.once('close', (code, signal) => this.#ended(child, signal ?? `exit code ${code}`))
  }

  #hear(child: ChildProcess, message: unknown): void {
    const known = serverMessage(message)
    if (known?.type === 'event') this.#report(known)
    if (known?.type === 'failed') this.#failure = known.text
    if (known?.type === 'left') this.#hasLeft = true
    if (known?.type !== 'listening' || this.#phase.name !== 'starting') return
    clearTimeout(this.#phase.timer)
    this.#phase = { name: 'listening', child, timer: setTimeout(() => this.#prove(), PROVEN_MS) }
    this.#everListened = true
    this.#report({ ...known, pid: child.pid ?? 0 })
    this.#started.resolve()
  }

  #pass(stream: Readable | null | undefined): void {
    if (!stream) return // the process could not be made
    createInterface({ input: stream }).on('line', (text) => this.#report({ type: 'text', text }))
  }

  #ended(child: ChildProcess, end: string): void {
    const phase = this.#phase
    if (phase.name !== 'starting' && phase.name !== 'listening') return
    if (phase.child !== child) return
    clearTimeout(phase.timer)
    const reason = this.#failure ?? end
    if (!this.#everListened) {
      this.#phase = { name: 'idle' }
      this.#started.reject(new StartFailed(reason))
      return
    }
    if (this.#hasLeft) {
      this.#phase = { name: 'idle' }
      this.#report({ type: 'left' })
      return
    }
    const restartMs = backoffMs(this.#restarts++)
    this.#phase = { name: 'waiting', timer: setTimeout(() => this.#begin(), restartMs) }
    this.#report({ type: 'exited', reason, restartMs })
  }

  #prove(): void {
    this.#restarts = 0
  }

  #kill(child: ChildProcess, reason: string): void {
    this.#failure = reason
    this.#report({ type: 'killed', reason })
    child.kill('SIGKILL')
  }
}
