/** Clients that report again and again to the servers of a herd, whatever happens to these. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FixLedger } from './fix-ledger.ts'
import { LineWire, type WireTarget } from './line-wire.ts'

/** How much they report. */
export interface TrafficOptions {
  readonly clientsPerServer?: number
  readonly pauseMs?: number
  /** Asked for with `ACK <level>` on each connection; replies that reach less don't count. */
  readonly level?: string | undefined
}

/** In each batch so many clients report that have not reported for long, and won't: nothing newer hides their loss. */
const RARE_IN_BATCH = 2
/** There are so many of them at each server; then the first reports again. */
const RARE_CLIENTS = 5000
const CONNECT_MS_MAX = 500
const RECONNECT_MS = 50
const REPLY_MS_MAX = 5000

/** One connection for each server. Each batch is a report of each client, and waits for its replies. */
export class Traffic {
  readonly #ledger: FixLedger
  readonly #options: TrafficOptions
  readonly #reporters = new Map<string, Reporter>()

  constructor(ledger: FixLedger, options: TrafficOptions = {}) {
    this.#ledger = ledger
    this.#options = options
  }

  /** Begins to report to a server; clients have names of their own there. */
  start(server: string, target: WireTarget): void {
    if (this.#reporters.has(server)) return
    this.#reporters.set(server, new Reporter(server, target, this.#ledger, this.#options))
  }

  /** Reports no more to these servers; all by default. Resolves when nothing more comes from them. */
  async stop(servers: readonly string[] = [...this.#reporters.keys()]): Promise<void> {
    await Promise.all(
      servers.map(async (server) => {
        const reporter = this.#reporters.get(server)
        this.#reporters.delete(server)
        await reporter?.stop()
      }),
    )
  }
}

/** Reports to one server until it is stopped. */
class Reporter {
  readonly #server: string
  readonly #target: WireTarget
  readonly #ledger: FixLedger
  readonly #options: TrafficOptions
  readonly #stopping = new AbortController()
  readonly #done: Promise<void>
  #waiting = 0
  #rareReports = 0
  #heard: () => void = () => undefined

  constructor(server: string, target: WireTarget, ledger: FixLedger, options: TrafficOptions) {
    this.#server = server
    this.#target = target
    this.#ledger = ledger
    this.#options = options
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const wire = await LineWire.open(this.#target, (line) => this.#hear(line), CONNECT_MS_MAX).catch(
        () => null,
      )
      if (wire === null) await this.#pause(RECONNECT_MS)
      else await this.#reportOn(wire).finally(() => wire.destroy())
    }
  }

  async #reportOn(wire: LineWire): Promise<void> {
    const { clientsPerServer = 50, pauseMs = 15, level } = this.#options
    if (level !== undefined && !(await this.#exchange(wire, [`ACK ${level}\n`]))) return
    const regulars = Array.from({ length: clientsPerServer }, (_, index) => `${this.#server}-${index}`)
    while (!this.#stopping.signal.aborted) {
      const clients = [...regulars, ...this.#rare()]
      if (
        !(await this.#exchange(
          wire,
          clients.map((client) => this.#ledger.next(client).line),
        ))
      )
        return
      await this.#pause(pauseMs)
    }
  }

  #rare(): string[] {
    return Array.from(
      { length: RARE_IN_BATCH },
      () => `${this.#server}-rare-${this.#rareReports++ % RARE_CLIENTS}`,
    )
  }

  /** Sends lines and waits for as many; `false` when the connection ends, stays mute, or we are to stop. */
  async #exchange(wire: LineWire, lines: readonly string[]): Promise<boolean> {
    const replied = Promise.withResolvers<boolean>()
    const giveUp = (): void => replied.resolve(false)
    const timer = setTimeout(giveUp, REPLY_MS_MAX)
    const { signal } = this.#stopping
    signal.addEventListener('abort', giveUp)
    void wire.closed.then(giveUp)
    this.#waiting = lines.length
    this.#heard = () => replied.resolve(true)
    await wire.send(lines.join(''))
    const isAnswered = await replied.promise
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    return isAnswered
  }

  #hear(line: string): void {
    // Anything else says that the report was not kept, or not at the level that we asked for.
    if (line.startsWith('AT ')) this.#ledger.acknowledged(this.#server, line)
    if (--this.#waiting === 0) this.#heard()
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}
