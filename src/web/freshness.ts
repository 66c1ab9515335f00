/** How fresh a fix looks: in a few steps, so that a client changes its look seldom. Pure. */

/** 0: fresh, to 4: hardly there. From `STALE` on it is drawn hollow and grey. */
export type Freshness = 0 | 1 | 2 | 3 | 4

/** The first step at which a fix is called stale. */
export const STALE: Freshness = 3

/** Seconds after which a fix is stale, unless the address of the page says otherwise (`?stale=30s`). */
export const STALE_AFTER_SECONDS = 120

/** Where the steps end, in parts of the time after which a fix is stale. */
const ENDS = [0.25, 0.5, 1, 10] as const

/** The step of a fix. @param ageSeconds may be negative when clocks differ. */
export function freshnessOf(ageSeconds: number, staleAfterSeconds: number): Freshness {
  const age = ageSeconds / staleAfterSeconds
  if (age < ENDS[0]) return 0
  if (age < ENDS[1]) return 1
  if (age < ENDS[2]) return 2
  return age < ENDS[3] ? 3 : 4
}

/** Seconds until a fix of this age comes to its next step; infinity: never. */
export function secondsToNextStep(ageSeconds: number, staleAfterSeconds: number): number {
  const end = ENDS.find((part) => ageSeconds < part * staleAfterSeconds)
  return end === undefined ? Number.POSITIVE_INFINITY : end * staleAfterSeconds - ageSeconds
}

/** Reads `90`, `90s`, `5m`, `2h` or `1d` as seconds; `null`: it is none of these. */
export function durationSeconds(text: string | null): number | null {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text ?? '') ?? []
  const seconds = Number(number) * (UNIT_SECONDS[unit] ?? 1)
  return seconds > 0 ? seconds : null
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
