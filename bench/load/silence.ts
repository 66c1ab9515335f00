/**
 * Ends a load that nobody answers, so that it never waits for ever: fails when `progress` (anything that grows) has
 * stood still for `msMax`. The returned timer is to be cleared.
 */
export function watchForSilence(
  progress: () => number,
  msMax: number,
  fail: (error: unknown) => void,
): NodeJS.Timeout {
  let last = progress()
  let changedAtMs = performance.now()
  return setInterval(() => {
    const now = progress()
    if (now !== last) {
      last = now
      changedAtMs = performance.now()
    } else if (performance.now() - changedAtMs > msMax) {
      fail(new Error(`no complete reply for ${msMax / 1000} s`))
    }
  }, 500)
}
