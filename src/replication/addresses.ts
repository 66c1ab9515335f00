/** Where servers listen, as they say it to each other: a host and a port. Pure. */

/** Where a server listens. */
export interface ListenAddress {
  /** A host name or an address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

const HOST = /^[A-Za-z0-9_.:%-]{1,255}$/
const ADDRESS = /^(?:\[([^\]\s]+)\]|([^:\s[\]]+)):(\d{1,5})$/

/** `127.0.0.1:12000`, `[::1]:12000`. */
export function writeAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Reads what `writeAddress` writes; `null` if it is nothing of the kind. */
export function readAddress(text: string): ListenAddress | null {
  const [, bracketed, bare, digits] = ADDRESS.exec(text) ?? []
  const host = bracketed ?? bare ?? ''
  const port = Number(digits)
  return HOST.test(host) && port >= 1 && port <= 65_535 ? { host, port } : null
}

/** Whether a host may stand in a row about a member. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/** Whether a server that listens there listens on all of its addresses: nobody can dial that. */
export function isAnyHost(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]*:[0:]*$/.test(host)
}

/** Whether only the machine that it is said on can reach a host. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host)
}

/** IPv4 addresses come as `::ffff:127.0.0.1` on a socket that listens on both. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}

/** Whoever listens on all IPv4 addresses isn't there by an IPv6 address that it dialed from; `::` takes both. */
function isOneFamily(host: string, seen: string): boolean {
  const isVersion4 = /^[\d.]+$/.test(host)
  return seen.includes(':') ? !isVersion4 : host !== '::1'
}

/**
 * The host to dial a server by that says it listens on `host`, and is seen at `address`: on all addresses is no place to
 * dial, and another machine's loopback is our own.
 */
export function hostAsSeen(host: string, address: string): string {
  const seen = plainAddress(address)
  if (!isHost(seen) || !isOneFamily(host, seen)) return host
  return isAnyHost(host) || (isLoopbackHost(host) && !isLoopbackHost(seen)) ? seen : host
}
