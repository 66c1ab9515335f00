/** How long to wait before dialing again. */
export interface RedialLimits {
  readonly redialMsMin: number
  readonly redialMsMax: number
}

/**
 * The next delay, in milliseconds: "decorrelated jitter" (Brooker, AWS Architecture Blog 2015). It grows up to
 * three times at each step, and is random, so that servers that lost a neighbor together don't return together.
 *
 * @param lastMs the delay before, or 0 for the first. @param random from [0, 1).
 */
export function nextRedialMs(lastMs: number, limits: RedialLimits, random: number): number {
  const { redialMsMin, redialMsMax } = limits
  const high = Math.max(redialMsMin, lastMs * 3)
  return Math.min(redialMsMax, redialMsMin + random * (high - redialMsMin))
}
