/** A client's way from where it was drawn to where it is. Pure. */
import type { LonLat } from './trail.ts'

/** A client glides for as long as its fixes are apart, and no longer than this. */
export const GLIDE_MS_MAX = 1000
/** Farther than this nobody glides: it would look like a flight. Degrees. */
const GLIDE_DEGREES_MAX = 2

/** One movement on the screen. */
export interface Glide {
  readonly from: LonLat
  readonly to: LonLat
  readonly startMs: number
  readonly lastsMs: number
}

/** The movement from where a client is drawn to its new place; `null`: it jumps. */
export function glideTo(from: LonLat, to: LonLat, nowMs: number, sinceLastMs: number): Glide | null {
  const [longitude] = to
  const near: LonLat = [from[0] + 360 * Math.round((longitude - from[0]) / 360), from[1]]
  const degrees = Math.hypot(near[0] - longitude, near[1] - to[1])
  if (degrees === 0 || degrees > GLIDE_DEGREES_MAX) return null
  return { from: near, to, startMs: nowMs, lastsMs: Math.min(GLIDE_MS_MAX, Math.max(1, sinceLastMs)) }
}

/** Where a client is drawn at a time; once there, exactly `to`. Between ±180°. */
export function glidePoint({ from, to, startMs, lastsMs }: Glide, nowMs: number): LonLat {
  const part = Math.min(1, Math.max(0, (nowMs - startMs) / lastsMs))
  if (part === 1) return to
  const longitude = from[0] + (to[0] - from[0]) * part
  return [wrapped(longitude), from[1] + (to[1] - from[1]) * part]
}

function wrapped(longitude: number): number {
  return longitude - 360 * Math.round(longitude / 360)
}
