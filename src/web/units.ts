/** Figures as people read them. Pure. */

const SECOND_STEPS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
]

/** A time span in its two largest units: `3 s`, `2 min 5 s`, `4 h 10 min`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const at = SECOND_STEPS.findIndex(([unitSeconds]) => whole >= unitSeconds)
  const [unitSeconds, unit] = SECOND_STEPS[at] ?? [1, 's']
  const [nextSeconds, nextUnit] = SECOND_STEPS[at + 1] ?? [1, 's']
  const rest = Math.floor((whole % unitSeconds) / nextSeconds)
  const first = `${Math.floor(whole / unitSeconds)} ${unit}`
  return at === -1 || rest === 0 ? first : `${first} ${rest} ${nextUnit}`
}

/** Metres, or kilometres where that is shorter. */
export function distance(metres: number): string {
  if (metres < 1000) return `${figure(metres)} m`
  return `${figure(metres / 1000)} km`
}

/** Metres a second as kilometres an hour. */
export function speed(metresPerSecond: number): string {
  return `${figure(metresPerSecond * 3.6)} km/h`
}

/** Milliseconds with a unit. */
export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : span(ms / 1000)
}

/** Seconds with sign, for skews. */
export function signedSeconds(seconds: number): string {
  const sign = seconds < 0 ? '−' : '+'
  const size = Math.abs(seconds)
  if (size < 0.001) return `${sign}${(size * 1e6).toFixed(0)} µs`
  if (size < 1) return `${sign}${(size * 1000).toFixed(size < 0.1 ? 1 : 0)} ms`
  return size < 120 ? `${sign}${size.toFixed(2)} s` : `${sign}${span(size)}`
}

/** A whole number with its thousands apart. */
export function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}

/** A number with as many digits as are of use. */
export function figure(number: number): string {
  const size = Math.abs(number)
  return number.toLocaleString('en-US', { maximumFractionDigits: size < 10 ? 1 : 0 })
}

const WINDS = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'] as const

/** Degrees clockwise from north, with the wind. */
export function course(degrees: number): string {
  const wind = WINDS[Math.round(degrees / 45) % WINDS.length] ?? 'N'
  return `${Math.round(degrees)}° ${wind}`
}

/** Latitude and longitude in degrees, five decimals: about a metre. */
export function position(latitude: number, longitude: number): string {
  const part = (value: number, [plus, minus]: readonly [string, string]): string =>
    `${Math.abs(value).toFixed(5)}° ${value < 0 ? minus : plus}`
  return `${part(latitude, ['N', 'S'])}, ${part(longitude, ['E', 'W'])}`
}
