/**
 * The clients of a city of 1° × 1° (34° to 35° north, 118° to 119° west), each known by its number alone: any
 * process can say who a client is and where, without having been told.
 */

/** As many as numbers of eight digits, less than what a table of herd can hold. */
export const CLIENTS_MAX = 50_000_000

const MILLION = 1_000_000
/** Millionths of a degree that a client goes with every move, some 30 m. */
const STEP = 300

/** The ID of a client: 20 bytes. */
export function clientId(client: number): string {
  return `client-${String(client).padStart(8, '0')}.city`
}

/** The number in an ID; not a number for any other text. */
export function clientOf(id: string): number {
  return Number(/^client-(\d{8})\.city$/.exec(id)?.[1])
}

/** How far north of 34° a client is after some moves, in millionths of a degree: 0 to 999,999. */
export function northOf(client: number, move: number): number {
  return (spread(client * 2) + move * STEP) % MILLION
}

/** How far west of 118° a client is after some moves, in millionths of a degree: 0 to 999,999. */
export function westOf(client: number, move: number): number {
  return (spread(client * 2 + 1) + move * STEP) % MILLION
}

/** Where a client is, in degrees. */
export function positionOf(client: number, move: number): { latitude: number; longitude: number } {
  return {
    latitude: 34 + northOf(client, move) / MILLION,
    longitude: -118 - westOf(client, move) / MILLION,
  }
}

/** A client from [0, clients) for every number, each about as often. */
export function anyClient(number: number, clients: number): number {
  return Math.floor((mix(number) / 2 ** 32) * clients)
}

function spread(number: number): number {
  return Math.floor((mix(number) / 2 ** 32) * MILLION)
}

/** Scatters whole numbers evenly over 32 bits (the last steps of MurmurHash3). */
function mix(number: number): number {
  let bits = number | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
