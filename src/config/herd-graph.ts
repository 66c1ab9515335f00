/** What must hold between servers and links, so that every fix can reach every server. Pure. */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import type { HerdFile } from './herd-config.ts'
import { didYouMean } from './suggestion.ts'

/** Returns the names that each server has a link with, in the order of the file. */
export function neighborsOf(file: HerdFile): ReadonlyMap<string, readonly string[]> {
  const names = Object.keys(file.servers)
  const sets = new Map(names.map((name) => [name, new Set<string>()]))
  for (const [one, other] of file.links) {
    sets.get(one)?.add(other)
    sets.get(other)?.add(one)
  }
  return new Map(names.map((name) => [name, names.filter((other) => sets.get(name)?.has(other))]))
}

/** Returns what is wrong with the addresses and the links of a herd. */
export function graphProblems(file: HerdFile): string[] {
  return [...hostProblems(file), ...addressProblems(file), ...linkProblems(file)]
}

/** An address without the brackets of a URL, in lower case. */
export function plainHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

/** Whether only this machine can reach a host. */
export function isLoopback(host: string): boolean {
  const plain = plainHost(host)
  return plain === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

function hostProblems(file: HerdFile): string[] {
  const wrong = Object.entries(file.servers).filter(([, { host }]) => {
    const plain = plainHost(host)
    return (plain.includes(':') && !isIPv6(plain)) || (/^[\d.]+$/.test(plain) && isIP(plain) === 0)
  })
  return wrong.map(
    ([name, { host }]) =>
      `servers.${name}.host: "${host}" is not a host name or an address; for example 127.0.0.1`,
  )
}

function addressProblems(file: HerdFile): string[] {
  const problems: string[] = []
  const taken = new Map<string, string>()
  const ports = new Set(Object.values(file.servers).flatMap(({ port, alsoPorts }) => [port, ...alsoPorts]))
  for (const [name, { host, port, alsoPorts }] of Object.entries(file.servers)) {
    const plain = plainHost(host)
    const also = alsoPorts.map((port, index) => [`alsoPorts[${index}]`, port] as const)
    for (const [setting, number] of [['port', port] as const, ...also]) {
      const address = `${plain === 'localhost' ? '127.0.0.1' : plain} ${number}`
      if (host === '' || Number.isNaN(number)) continue // reported already
      const owner = taken.get(address)
      if (owner === undefined) taken.set(address, name)
      else
        problems.push(
          `servers.${name}.${setting}: ${number} is already ${owner}'s; for example ${freePort(ports)}`,
        )
    }
  }
  return problems
}

function freePort(ports: ReadonlySet<number>): number {
  const highest = Math.max(...ports)
  if (highest < 65_535) return highest + 1
  let port = 12_000
  while (ports.has(port)) port++
  return port
}

function linkProblems(file: HerdFile): string[] {
  const names = Object.keys(file.servers)
  const problems: string[] = []
  const seen = new Map<string, number>()
  for (const [index, [one, other]] of file.links.entries()) {
    if (one === undefined || other === undefined) continue // reported already
    const unknown = [one, other].filter((name) => !Object.hasOwn(file.servers, name))
    for (const name of new Set(unknown)) {
      const hint = didYouMean(name, names) || `; there are ${names.join(', ')}`
      problems.push(`links[${index}]: there is no server ${JSON.stringify(name)}${hint}`)
    }
    const pair = [one, other].toSorted().join(' ')
    const first = seen.get(pair)
    if (one === other)
      problems.push(
        `links[${index}]: ${one} can't have a link with itself; for example ${pairExample(one, names)}`,
      )
    else if (first !== undefined)
      problems.push(
        `links[${index}]: ${one} and ${other} have a link already, links[${first}]; leave one of them out`,
      )
    seen.set(pair, first ?? index)
  }
  return problems
}

function pairExample(one: string, names: readonly string[]): string {
  return `[${one}, ${names.find((name) => name !== one) ?? 'another server'}]`
}

/** Returns one problem that names the parts, when no way leads from some servers to others. */
export function partsProblems(file: HerdFile): string[] {
  const neighbors = neighborsOf(file)
  const left = new Set(neighbors.keys())
  const parts: string[][] = []
  for (const start of neighbors.keys()) {
    if (!left.has(start)) continue
    const part = new Set([start])
    // A set that grows while it is walked: each name is visited once.
    for (const name of part) for (const neighbor of neighbors.get(name) ?? []) part.add(neighbor)
    for (const name of part) left.delete(name)
    parts.push([...neighbors.keys()].filter((name) => part.has(name)))
  }
  if (parts.length < 2) return []
  const named = parts.map((part) => part.join(', ')).join(' | ')
  const example = `[${parts[0]?.[0]}, ${parts[1]?.[0]}]`
  return [
    `links: the herd falls into ${parts.length} parts: ${named}; join them, for example with ${example}`,
  ]
}
