/** Ctrl-C, and what other programs do instead. */

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
// One Ctrl-C can come twice: from the terminal, and passed on by npm or by the Node that started ours.
const ECHO_MS = 300

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
