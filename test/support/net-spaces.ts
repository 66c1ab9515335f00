/**
 * Network namespaces for servers, one each, joined by a bridge: there a test can do to the network what it likes,
 * packet by packet. Nothing of the machine's own network is touched but one interface of ours.
 */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const PREFIX = 'hchaos'
const NAME = new RegExp(`^${PREFIX}(\\d+)-`)
const HUB = 'hub'
const PREFIX_BITS = 24
const NETEM_PROBE = ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']
const INTERFACE = 'eth0'

/** Why network namespaces can't be used here, or `undefined` when they can. */
export async function whyNoNetSpaces(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const tool of ['ip', 'nft', 'tc']) {
    // Each prints its version; one that isn't there can't be run.
    const missing = await exec(tool, ['-V']).then(
      () => undefined,
      () => `${tool} is missing: npm run setup`,
    )
    if (missing !== undefined) return missing
  }
  await removeStale()
  return undefined
}

/** The namespaces. The test itself is at `.254`, and no fault is between it and a server but `unplug`. */
export class NetSpaces {
  readonly #names: readonly string[]
  #dropped = 0

  /** Makes one for each server; they are gone when the test is over. */
  static async make(t: TestContext, names: readonly string[]): Promise<NetSpaces> {
    const spaces = new NetSpaces(names)
    t.after(() => spaces.#remove())
    await ip(`netns add ${space(HUB)}`)
    await ip(`-n ${space(HUB)} link add bridge type bridge`)
    await ip(`-n ${space(HUB)} link set bridge up`)
    await ip(`link add ${rootInterface()} type veth peer name root netns ${space(HUB)}`)
    await ip(`-n ${space(HUB)} link set root master bridge up`)
    await ip(`addr add ${subnet()}.254/${PREFIX_BITS} dev ${rootInterface()}`)
    await ip(`link set ${rootInterface()} up`)
    for (const name of names) await spaces.#add(name)
    return spaces
  }

  private constructor(names: readonly string[]) {
    this.#names = names
  }

  /** Where each server listens, for a herd's `hosts`. */
  get hosts(): Record<string, string> {
    return Object.fromEntries(this.#names.map((name) => [name, this.host(name)]))
  }

  /** What runs each server in its namespace, for a herd's `runners`. */
  get runners(): Record<string, readonly string[]> {
    return Object.fromEntries(this.#names.map((name) => [name, ['ip', 'netns', 'exec', space(name)]]))
  }

  /** The address of a server. */
  host(name: string): string {
    return `${subnet()}.${this.#names.indexOf(name) + 1}`
  }

  /** One way: what `from` sends doesn't arrive at `to`. */
  async block(from: string, to: string): Promise<void> {
    await nft(to, `add rule ip chaos in ip saddr ${this.host(from)} counter drop`)
  }

  /** Both ways, between each server of one side and each of the other. */
  async part(side: readonly string[], other: readonly string[]): Promise<void> {
    for (const a of side) for (const b of other) await Promise.all([this.block(a, b), this.block(b, a)])
  }

  /** So many of a hundred packets between servers don't arrive, whoever sends them. */
  async lose(percent: number): Promise<void> {
    for (const name of this.#names) {
      for (const other of this.#names.filter((each) => each !== name)) {
        const rule = `ip saddr ${this.host(other)} numgen random mod 100 < ${percent} counter drop`
        await nft(name, `add rule ip chaos in ${rule}`)
      }
    }
  }

  /** What a server sends goes through a narrow pipe, with room for a quarter of a second. */
  async narrow(name: string, kilobitsPerSecond: number): Promise<void> {
    const shape = `tbf rate ${kilobitsPerSecond}kbit burst 8kb latency 250ms`
    await inSpace(name, `tc qdisc replace dev ${INTERFACE} root ${shape}`)
  }

  /** Whether this kernel has netem. */
  async hasNetem(): Promise<boolean> {
    const [command = '', ...args] = NETEM_PROBE
    return await exec('ip', ['netns', 'exec', space(HUB), command, ...args]).then(
      () => true,
      () => false,
    )
  }

  /** What a server sends is late by some milliseconds, more or less, and some packets of a hundred are lost. */
  async netem(name: string, delayMs: number, jitterMs: number, lossPercent: number): Promise<void> {
    const shape = `netem delay ${delayMs}ms ${jitterMs}ms loss ${lossPercent}%`
    await inSpace(name, `tc qdisc replace dev ${INTERFACE} root ${shape}`)
  }

  /** Pulls a server's cable: it and the others hear nothing of each other, not even that somebody went. */
  async unplug(name: string): Promise<void> {
    await ip(`-n ${space(HUB)} link set ${portOf(this.#names, name)} down`)
  }

  /** Puts the cable back. */
  async plug(name: string): Promise<void> {
    await ip(`-n ${space(HUB)} link set ${portOf(this.#names, name)} up`)
  }

  /** Ends every fault but pulled cables. */
  async heal(): Promise<void> {
    await Promise.all(
      this.#names.map(async (name) => {
        const drops = await dropsOf(name)
        this.#dropped += drops
        await nft(name, 'flush chain ip chaos in')
        // There is none where nothing was shaped.
        await inSpace(name, `tc qdisc del dev ${INTERFACE} root`).catch(() => undefined)
      }),
    )
  }

  /** How many packets `block`, `part` and `lose` have dropped so far. */
  async dropped(): Promise<number> {
    const drops = await Promise.all(this.#names.map((name) => dropsOf(name)))
    return drops.reduce((sum, packets) => sum + packets, this.#dropped)
  }

  async #add(name: string): Promise<void> {
    const port = portOf(this.#names, name)
    await ip(`netns add ${space(name)}`)
    await ip(`-n ${space(HUB)} link add ${port} type veth peer name ${INTERFACE} netns ${space(name)}`)
    await ip(`-n ${space(HUB)} link set ${port} master bridge up`)
    await ip(`-n ${space(name)} addr add ${this.host(name)}/${PREFIX_BITS} dev ${INTERFACE}`)
    await ip(`-n ${space(name)} link set ${INTERFACE} up`)
    await ip(`-n ${space(name)} link set lo up`)
    await nft(name, 'add table ip chaos')
    await nft(name, 'add chain ip chaos in { type filter hook input priority 0; }')
  }

  async #remove(): Promise<void> {
    // The hub's end goes with it, and ours with that.
    for (const name of [HUB, ...this.#names]) await ip(`netns del ${space(name)}`).catch(() => undefined)
    await ip(`link del ${rootInterface()}`).catch(() => undefined)
  }
}

/** Removes what test runs left that were killed: each name tells the process that made it. */
async function removeStale(): Promise<void> {
  const spaces = await readdir('/run/netns').catch((): string[] => [])
  for (const name of spaces) {
    const pid = Number(NAME.exec(name)?.[1])
    if (Number.isNaN(pid) || isRunning(pid)) continue
    await ip(`netns del ${name}`)
    await ip(`link del ${PREFIX}${pid}`).catch(() => undefined)
  }
}

/** Whether a process runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function space(name: string): string {
  return `${PREFIX}${process.pid}-${name}`
}

function rootInterface(): string {
  return `${PREFIX}${process.pid}`
}

/** Of 198.18.0.0/15, which is nobody's: it is for tests of networks (RFC 2544). */
function subnet(): string {
  return `198.${18 + (Math.floor(process.pid / 256) % 2)}.${process.pid % 256}`
}

function portOf(names: readonly string[], name: string): string {
  return `port${names.indexOf(name) + 1}`
}

async function ip(words: string): Promise<void> {
  await exec('ip', words.split(' '))
}

async function inSpace(name: string, words: string): Promise<void> {
  await exec('ip', ['netns', 'exec', space(name), ...words.split(' ')])
}

async function nft(name: string, command: string): Promise<void> {
  await exec('ip', ['netns', 'exec', space(name), 'nft', command])
}

async function dropsOf(name: string): Promise<number> {
  const { stdout } = await exec('ip', ['netns', 'exec', space(name), 'nft', 'list chain ip chaos in'])
  return [...stdout.matchAll(/\bpackets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0)
}
