/** What the client needs of the platform that it runs on: a browser, Node, or a test. */
export interface Platform {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Milliseconds since 1970, to stamp reports with. */
  readonly nowMs: () => number
  /** Milliseconds that only go on, to measure with. */
  readonly elapsedMs: () => number
  /** Calls back once, after so many milliseconds. @returns takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void
  /** At least 0, below 1. */
  readonly random: () => number
  /** Calls back whenever the device has a network again, where somebody tells. @returns takes that back. */
  readonly onNetwork: (callback: () => void) => () => void
}

/** Timers hold no more milliseconds. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The platform as it is. */
export const realPlatform: Platform = {
  fetch: (url, init) => fetch(url, init),
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, TIMER_MS_MAX))
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
  onNetwork: (callback) => {
    // Browsers tell it to their window and their workers; Node has nothing like it.
    const target: unknown = globalThis
    if (!isTarget(target)) return () => {}
    target.addEventListener('online', callback)
    return () => target.removeEventListener('online', callback)
  },
}

function isTarget(value: unknown): value is Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  return typeof value === 'object' && value !== null && 'addEventListener' in value
}
