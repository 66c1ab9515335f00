/** How a server joins a herd that runs: which servers it has a link with, and the herd file that says so. Pure. */
import { stringify } from 'yaml'
import { writeDuration } from '../config.ts'
import { isAnyHost, isLoopbackHost, type ListenAddress, writeAddress } from '../replication/addresses.ts'
import type { HerdStatus, MemberStatus } from '../replication/status.ts'

/** A server and where it is. */
export interface NamedAddress extends ListenAddress {
  readonly name: string
}

/**
 * Chooses whom a new server has a link with: the server that was asked, and of the others those with the fewest links, so
 * that one failure doesn't cut it off.
 *
 * @param asked where the server that was asked was found. @param count how many links; fewer if there are fewer servers.
 */
export function chooseNeighbors(
  herd: HerdStatus,
  self: string,
  asked: ListenAddress,
  count: number,
): NamedAddress[] {
  const others = herd.members.filter(({ name }) => name !== herd.server && name !== self)
  const usable = others.filter((member) => isUsable(member, asked))
  // Whoever has a link with us already keeps it: joining again changes nothing.
  const isOurs = ({ links }: MemberStatus): number => (links.includes(self) ? 0 : 1)
  usable.sort(
    (a, b) => isOurs(a) - isOurs(b) || a.links.length - b.links.length || (a.name < b.name ? -1 : 1),
  )
  const chosen = usable.slice(0, count - 1).map(({ name, host, port }) => ({ name, host, port }))
  return [{ name: herd.server, host: asked.host, port: asked.port }, ...chosen]
}

/** Why a server can't join there; `null` if it can. */
export function joinObjection(herd: HerdStatus, self: string, at: ListenAddress): string | null {
  if (self === herd.server) return `${self} is the name of the server that was asked; take another`
  const holder = herd.members.find(
    ({ name, state, reachable }) => name === self && state === 'up' && reachable,
  )
  const isSamePlace = holder?.port === at.port && (holder.host === at.host || isAnyHost(at.host))
  if (holder !== undefined && !isSamePlace) {
    return `the name ${self} is taken: a server at ${writeAddress(holder)} has it, and is up`
  }
  if (herd.encryption === 'certificates') {
    return `links of herd ${herd.herd} have certificates: write a herd file for ${self}, with its own`
  }
  if (herd.joined.includes(self) || herd.joined.length < herd.joinedMax) return null
  const { length } = herd.joined
  return length === 0
    ? `nobody may join ${herd.server} (link.joinedMax: 0); ask another server`
    : `${length} servers have joined ${herd.server} already (link.joinedMax); ask another server`
}

/** The herd file of a server that joins: it knows itself and its neighbors, and has the herd's settings. */
export function joinFileText(
  herd: HerdStatus,
  self: NamedAddress,
  neighbors: readonly NamedAddress[],
  folders: { readonly stateFolder: string; readonly secretFile: string | undefined },
): string {
  const { forgetAfterSeconds, encryption, settings } = herd
  const servers = [self, ...neighbors].map(({ name, host, port }) => [name, { host, port }] as const)
  const file = {
    herd: herd.herd,
    servers: Object.fromEntries(servers),
    links: neighbors.map(({ name }) => [self.name, name]),
    stateFolder: folders.stateFolder,
    ...(folders.secretFile && { secretFile: folders.secretFile }),
    forgetAfter: writeDuration(forgetAfterSeconds ?? Number.POSITIVE_INFINITY),
    link: { encryption, ...settings.link },
    limits: settings.limits,
  }
  const note = `# Written by herd join. After a restart of the machine: herd start ${self.name} --herd <this file>\n`
  return note + stringify(file)
}

function isUsable({ state, reachable, host }: MemberStatus, asked: ListenAddress): boolean {
  if (state !== 'up' || !reachable || isAnyHost(host)) return false
  // Another machine's loopback is not ours.
  return !isLoopbackHost(host) || isLoopbackHost(asked.host)
}
