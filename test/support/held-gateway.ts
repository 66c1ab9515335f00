/** A gateway whose disk, neighbors, places and time are in a test's hand. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { EVERYTHING } from '../../src/gateways/access/grant.ts'
import { AddressBook } from '../../src/gateways/address-book.ts'
import { SearchTurns } from '../../src/gateways/calls/search-turns.ts'
import { Port } from '../../src/gateways/port.ts'
import type { Log } from '../../src/logs/server-log.ts'
import { type AckLevel, parseAckLevel } from '../../src/protocol/index.ts'
import { Acks } from '../../src/replication/acks.ts'
import type { Owed } from '../../src/replication/owed.ts'
import { runOf, seqOf } from '../../src/replication/stamps.ts'
import { realSystem, type System } from '../../src/system.ts'
import { LineClient } from './live-client.ts'
import { MemoryServer } from './memory-herd.ts'

/** Bounds that a test may set. */
export interface HeldLimits {
  readonly pendingWhatsatsMax: number
  readonly replyBytesMax: number
  readonly ackMsMax: number
}

const NO_LOG: Log = {
  traffic: false,
  event: () => undefined,
  lineIn: () => undefined,
  linesOut: () => undefined,
}
const WIDE = 1 << 20
const LINGER_MS = 2000

/** It listens on loopback; clients reach it by `connect`. */
export class HeldGateway {
  readonly server: MemoryServer = new MemoryServer('Alford')
  readonly acks: Acks = new Acks(this.server.replica)
  readonly disk: Owed = this.server.replica.connect('disk')
  readonly neighbor: Owed = this.server.replica.connect('neighbor')
  /** Finds the places that were asked for, one for each ask. */
  readonly places: (() => void)[] = []
  readonly #t: TestContext
  readonly #timers = new Set<{ readonly ms: number; readonly callback: () => void }>()
  #gateway: Port | null = null
  #stopped: Promise<void> | undefined
  #port = 0

  /** @param ack the level of connections that don't ask for another. */
  static async start(
    t: TestContext,
    limits: Partial<HeldLimits> = {},
    ack: string = 'memory',
  ): Promise<HeldGateway> {
    const held = new HeldGateway(t)
    await held.#listen(limits, parseAckLevel(ack) ?? { disk: false, peers: 0 })
    return held
  }

  private constructor(t: TestContext) {
    this.#t = t
    this.server.replica.listen({ owed: () => undefined, claimed: () => this.acks.advance() })
  }

  /** A client's connection. */
  connect(): Promise<LineClient> {
    return LineClient.connect(this.#t, { port: this.#port })
  }

  /** The disk, or the neighbor, claims all that was accepted up to now; or only so many changes. */
  claim(who: Owed, seq: number = seqOf(this.server.replica.ownStamp)): void {
    const { ownStamp } = this.server.replica
    this.server.replica.vectorHeard(who, runOf(ownStamp), seq)
    this.server.replica.claimsHeard()
  }

  /** Calls back all timers of that many milliseconds. */
  elapse(ms: number): void {
    for (const timer of [...this.#timers]) {
      if (timer.ms !== ms || !this.#timers.delete(timer)) continue
      timer.callback()
    }
  }

  /** Ends the gateway. */
  stop(): Promise<void> {
    this.#stopped ??= this.#gateway?.stop()
    return this.#stopped ?? Promise.resolve()
  }

  /** How many timers of that many milliseconds run. */
  timers(ms: number): number {
    return [...this.#timers].filter((timer) => timer.ms === ms).length
  }

  async #listen(limits: Partial<HeldLimits>, ack: AckLevel): Promise<void> {
    const { replica, parser, output, counters, now } = this.server
    const system: System = { ...realSystem, after: (ms, callback) => this.#after(ms, callback) }
    const bytes = Buffer.from('Alford')
    const gateway = new Port({
      ...{ replica, parser, output, counters, now, system, acks: this.acks, ack },
      log: NO_LOG,
      server: replica.names.indexOf(bytes, 0, bytes.length),
      clock: { clockOffMs: null },
      nextConnection: () => 1,
      links: {
        classicAt: () => [],
        receiveClassic: () => undefined,
        readGreeting: () => null,
        accept: () => undefined,
      },
      takers: { http: null, mqtt: null, tls: () => undefined },
      addresses: new AddressBook({
        ...{ connectionsMax: 100, connectionsPerAddressMax: 100, fixesPerSecondPerAddressMax: 0 },
        ...limits,
      }),
      searchTurns: new SearchTurns(),
      gatekeeper: { admit: () => EVERYTHING },
      hub: { watch: () => assert.fail('nobody watches here') },
      ackObjection: ({ peers }) => (peers > 1 ? 'there is one neighbor' : null),
      findPlaces: (_, items) =>
        new Promise((resolve) => {
          this.places.push(() => resolve(`{${items}}`))
        }),
      limits: {
        ...{ lineBytesMax: 65_536, firstLineMsMax: 10_000, lingerMsMax: LINGER_MS, slowReaderMsMax: 30_000 },
        watchesPerConnectionMax: 64,
        ...{ pendingWhatsatsMax: 16, replyBytesMax: WIDE, ackMsMax: 2500 },
        ...{ clientsMax: WIDE, tableBytesMax: WIDE, whosatItemsMax: 100, whosatBytesMax: WIDE },
        ...{ connectionsMax: 100, connectionsPerAddressMax: 100, fixesPerSecondPerAddressMax: 0 },
        ...limits,
      },
    })
    this.#port = await gateway.listen('127.0.0.1', 0)
    this.#gateway = gateway
    this.#t.after(() => {
      const stopped = this.stop()
      this.elapse(LINGER_MS)
      return stopped
    })
  }

  #after(ms: number, callback: () => void): () => void {
    const timer = { ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
}
