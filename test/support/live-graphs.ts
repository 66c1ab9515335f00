/** Herds that live tests start, and the pace at which their links notice things. */

/** The herd of the exercise. */
export const UCLA: readonly string[] = ['Alford', 'Ball', 'Hamilton', 'Holiday', 'Welsh']

/** Who talks with whom in it: a ring. */
export const UCLA_LINKS: readonly (readonly [string, string])[] = [
  ['Alford', 'Hamilton'],
  ['Alford', 'Welsh'],
  ['Ball', 'Holiday'],
  ['Ball', 'Welsh'],
  ['Hamilton', 'Holiday'],
]

/** Silence, failed greetings and redials take a fraction of what they take outside, so that no test waits long. */
export const QUICK_LINK = {
  heartbeatMs: 50,
  silenceMsMax: 1000,
  handshakeMsMax: 1000,
  redialMsMin: 20,
  redialMsMax: 200,
} as const

/** Each server linked with the next. */
export function chainOf(servers: readonly string[]): [string, string][] {
  return servers.slice(1).map((name, index) => [servers[index] ?? '', name])
}

/** Each server linked with every other. */
export function meshOf(servers: readonly string[]): [string, string][] {
  return servers.flatMap((name, index) =>
    servers.slice(index + 1).map((other): [string, string] => [name, other]),
  )
}
