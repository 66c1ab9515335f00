/** Ctrl-C, and what other programs do instead. */
import { EXIT } from './terminal.ts'

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
// One Ctrl-C can come twice: from the terminal, and passed on by npm or by the Node that started ours.
const ECHO_MS = 300
// When the parent is gone, nobody else ends a process that won't stop.
const ORPHAN_STOP_MS_MAX = 5000

/** What to do when somebody wants a process to end. */
export interface StopReactions {
  /** The first time: stop in order. */
  readonly stop: () => void
  /** Asked again, in earnest: end at once. */
  readonly stopNow: () => void
}

/** Calls `stop` for the first signal and `stopNow` for a later one. Returns how to listen no more. */
export function onStopSignals({ stop, stopNow }: StopReactions): () => void {
  let stoppedAtMs: number | undefined
  const react = () => {
    const nowMs = performance.now()
    if (stoppedAtMs === undefined) {
      stoppedAtMs = nowMs
      stop()
    } else if (nowMs - stoppedAtMs > ECHO_MS) stopNow()
  }
  for (const signal of STOP_SIGNALS) process.on(signal, react)
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, react)
  }
}

/** Resolves when somebody wants this process to stop; the second time it ends at once. */
export function peopleSayStop(): Promise<void> {
  return new Promise((resolve) => {
    onStopSignals({ stop: resolve, stopNow: () => process.exit(EXIT.interrupted) })
  })
}

/**
 * Resolves when the parent wants this process to stop. Ctrl-C in a terminal reaches every process at once; here the parent decides, and
 * its end is ours.
 */
export function parentSaysStop(): Promise<void> {
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  return new Promise((resolve) => {
    const orphaned = () => {
      setTimeout(() => process.exit(EXIT.failed), ORPHAN_STOP_MS_MAX).unref()
      resolve()
    }
    process.once('SIGTERM', () => resolve())
    if (process.connected) process.once('disconnect', orphaned)
    else orphaned()
  })
}
