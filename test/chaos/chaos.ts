/** What every fault test does: starts a herd, watches its processes, and sees that all servers end with the same. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FixLedger, readAtLine, type TableCheck } from '../support/fix-ledger.ts'
import { LineWire, type WireTarget } from '../support/line-wire.ts'
import { QUICK_LINK } from '../support/live-graphs.ts'
import { LiveHerd, type LiveHerdOptions } from '../support/live-herd.ts'
import { Traffic, type TrafficOptions } from '../support/traffic.ts'
import { readWholeTable, WHOLE_TABLE_LIMITS } from '../support/whole-table.ts'
import { Skipped } from './scenario.ts'

/** Whether a server without levels of acknowledgement fails the scenarios that need them. */
const ACK_LEVELS_REQUIRED = true
const CONVERGED_MS_MAX = 30_000
const POLL_MS = 50
const PROBE_MS_MAX = 5000

/** How a scenario waits for the end. */
export interface ConvergedOptions {
  /** What the tables must hold; what the ledger says by default. */
  readonly check?: () => TableCheck
  /** In how many parts a table is read. */
  readonly bands?: number
  readonly msMax?: number
  /** `acknowledged`: of this round only replies bind; `all` (default): nor may anything else be lost that all know now. */
  readonly keeps?: 'all' | 'acknowledged'
}

/** One run of a scenario. */
export class Chaos {
  readonly ledger: FixLedger = new FixLedger()
  readonly isShort: boolean
  /** How long the slowest `converged` took; -1 when there was none. */
  convergedMs = -1
  /** The most memory that each server's processes ever had, in MiB. */
  readonly rssMib: Map<string, number> = new Map()
  readonly #t: TestContext
  #herd: LiveHerd | undefined
  #servers: readonly string[] = []

  constructor(t: TestContext, isShort: boolean) {
    this.#t = t
    this.isShort = isShort
  }

  /** One number for the short form, one for the long. */
  pick<T>(short: T, long: T): T {
    return this.isShort ? short : long
  }

  /** Starts a herd and waits for its links. `settings` are added to those of all scenarios. */
  async startHerd(options: LiveHerdOptions): Promise<LiveHerd> {
    const { limits = {}, link = {}, logs = {}, ...others } = options.settings ?? {}
    const settings = {
      limits: { ...WHOLE_TABLE_LIMITS, ...Object(limits) },
      link: { ...QUICK_LINK, ...Object(link) },
      logs: { level: 'events', ...Object(logs) },
      ...others,
    }
    const herd = await LiveHerd.start(this.#t, { ...options, settings })
    this.#herd = herd
    this.#servers = options.servers
    this.#watchMemory(herd)
    await herd.linked()
    return herd
  }

  /** Clients that report; they stop with the test. */
  traffic(options: TrafficOptions = {}): Traffic {
    const traffic = new Traffic(this.ledger, options)
    this.#t.after(() => traffic.stop())
    return traffic
  }

  /** Where a server is. */
  target(name: string): WireTarget {
    const herd = this.#running
    return { host: herd.host(name), port: herd.port(name) }
  }

  /** Skips the scenario when there is a reason. */
  skipIf(reason: string | undefined): void {
    if (reason !== undefined) throw new Skipped(reason)
  }

  /** Skips (or fails) the scenario when servers don't know a level of acknowledgement. */
  async needLevel(server: string, level: string): Promise<void> {
    const reply = Promise.withResolvers<string>()
    const wire = await LineWire.open(this.target(server), (line) => reply.resolve(line))
    const timer = setTimeout(() => reply.reject(new Error(`no reply to ACK ${level}`)), PROBE_MS_MAX)
    await wire.send(`ACK ${level}\n`)
    const isThere = !(await reply.promise.finally(() => clearTimeout(timer))).startsWith('? ')
    wire.destroy()
    assert.ok(isThere || !ACK_LEVELS_REQUIRED, `ACK ${level} is not known`)
    this.skipIf(isThere ? undefined : `the servers don't know ACK ${level} yet`)
  }

  /** The serial of each client in the tables of these servers, the newest of them. */
  async held(servers: readonly string[]): Promise<Map<string, number>> {
    const serials = new Map<string, number>()
    for (const server of servers) {
      await readWholeTable(this.target(server), 1, (line) => {
        const fix = readAtLine(line)
        if (fix !== undefined) serials.set(fix.client, Math.max(fix.serial, serials.get(fix.client) ?? 0))
      })
    }
    return serials
  }

  /**
   * Waits until all links are open, all servers know exactly the same, and nothing is missing. Nothing may be
   * reported meanwhile.
   */
  async converged(options: ConvergedOptions = {}): Promise<void> {
    const { msMax = CONVERGED_MS_MAX, keeps = 'all' } = options
    const startedAt = performance.now()
    for (;;) {
      // Whoever can't be asked just now may be, soon.
      const problems = await this.#problems(options).catch((error: unknown) => [String(error)])
      const ms = performance.now() - startedAt
      if (problems.length === 0) {
        this.convergedMs = Math.max(this.convergedMs, Math.round(ms))
        break
      }
      if (ms > msMax) {
        assert.fail(
          `not converged within ${msMax} ms: ${problems.join('; ')}\n${this.#running.output.slice(-4000)}`,
        )
      }
      await sleep(POLL_MS)
    }
    if (keeps === 'all') this.ledger.settled(await this.held(this.#servers.slice(0, 1)))
  }

  /** What must hold at the end of every scenario, whatever it did. */
  finish(rssMibMax: number): void {
    assert.ok(this.convergedMs >= 0, 'the scenario looked at the tables')
    assert.doesNotMatch(this.#running.output, /ended by itself/)
    for (const [name, mib] of this.rssMib) {
      assert.ok(mib <= rssMibMax, `${name} had ${Math.round(mib)} MiB resident, more than ${rssMibMax}`)
    }
  }

  async #problems({ check, bands = 1 }: ConvergedOptions): Promise<string[]> {
    const statuses = await Promise.all(this.#servers.map((name) => this.#running.status(name)))
    const closed = statuses.flatMap(({ server, links }) =>
      links.filter(({ open }) => !open).map(({ neighbor }) => `${server} has no link to ${neighbor}`),
    )
    const counts = statuses.map(({ server, clients }) => `${server} knows ${clients}`)
    if (closed.length > 0) return closed
    if (new Set(statuses.map(({ clients }) => clients)).size > 1) return counts
    const [first = '', ...others] = this.#servers
    const looking = check?.() ?? this.ledger.check()
    const tables = [await readWholeTable(this.target(first), bands, looking.line)]
    for (const name of others) tables.push(await readWholeTable(this.target(name), bands))
    if (new Set(tables.map(({ digest }) => digest)).size > 1) return ['the tables differ', ...counts]
    // What is in no answer is in no count either: whoever counts more hides something.
    if (tables[0]?.clients !== statuses[0]?.clients)
      return [`${tables[0]?.clients} were told, but ${counts[0]}`]
    return looking.problems()
  }

  #watchMemory(herd: LiveHerd): void {
    const timer = setInterval(() => void this.#readMemory(herd), 100)
    this.#t.after(() => clearInterval(timer))
  }

  async #readMemory(herd: LiveHerd): Promise<void> {
    for (const name of this.#servers) {
      try {
        const status = await readFile(`/proc/${herd.pid(name)}/status`, 'latin1')
        // The kernel keeps the peak: nothing between two looks is missed, but the end of who is killed.
        const mib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
        this.rssMib.set(name, Math.max(mib, this.rssMib.get(name) ?? 0))
      } catch {
        // It doesn't run just now.
      }
    }
  }

  get #running(): LiveHerd {
    assert.ok(this.#herd !== undefined, 'a herd was started')
    return this.#herd
  }
}
