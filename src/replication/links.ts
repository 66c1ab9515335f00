import { lookup } from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'
import { plainAddress } from './addresses.ts'
import { ClockGuard } from './clock-guard.ts'
import {
  type Admit,
  answerGreeting,
  awaitGreeting,
  type Greeted,
  type HeardGreeting,
  limitsLeft,
  wrongGreeting,
} from './greet.ts'
import { OPERATOR, readHandshakeLine, refusedLine } from './handshake.ts'
import { HandshakeSocket } from './handshake-socket.ts'
import { receiveAt } from './link-reader.ts'
import { plainChannel } from './link-security.ts'
import type { Neighbor, NeighborAddress } from './neighbor.ts'
import { Neighborhood, type NeighborhoodContext } from './neighborhood.ts'
import { type OperatorAnswers, serveOperator } from './operators.ts'
import type { LinkStatus, Readiness } from './status.ts'

/** What links need. */
export interface LinksContext extends NeighborhoodContext {
  /** A neighbor won't have a link with this server, and says why. */
  readonly onRefused: (neighbor: string, reason: string) => void
}

/**
 * All links of a server: one to each neighbor, whoever dialed. Gateways hand over connections that begin with a
 * greeting, and AT lines that come from the address of a classic neighbor.
 */
export class Links {
  readonly #context: LinksContext
  readonly #neighbors: Neighborhood
  readonly #classicAddresses = new Map<string, Neighbor[]>()
  readonly #answers: OperatorAnswers
  readonly #greetings = new Set<Socket>()
  readonly #clock: ClockGuard
  #cancelLook: () => void = () => {}
  #started = false
  #stopped = false

  /** @param answers what operators are told who ask. */
  constructor(context: LinksContext, answers: OperatorAnswers) {
    this.#context = context
    this.#answers = answers
    this.#neighbors = new Neighborhood(context, {
      dialed: (neighbor, address) => this.#noteClassic(neighbor, address),
      refused: context.onRefused,
    })
    const { log, limits } = context
    this.#clock = new ClockGuard(limits.clockOffsetMsMax, {
      apart: (neighbor, offsetMs) => {
        log.event('warning', 'clocks differ', { neighbor, offsetMs: Math.round(offsetMs) })
      },
      off: (offsetMs) => {
        if (offsetMs === null) log.event('info', 'clock in order')
        else log.event('error', 'clock off, reports refused', { offsetMs: Math.round(offsetMs) })
      },
    })
  }

  /** By how many milliseconds our clock is behind most neighbors'; `null`: it isn't far off. */
  get clockOffMs(): number | null {
    return this.#clock.offMs
  }

  /** There may be something to send. */
  wake(): void {
    this.#neighbors.wake()
  }

  /** Begins to keep a link to each neighbor. Resolves when the addresses of classic ones are known. */
  async start(addresses: readonly NeighborAddress[]): Promise<void> {
    for (const address of addresses) this.#neighbors.add(address)
    this.#started = true
    this.#lookAtClocks()
    const classic = this.#neighbors.all.filter((neighbor) => neighbor.address.classic)
    await Promise.all(classic.map((neighbor) => this.#lookUpClassic(neighbor)))
  }

  /** Ends all links, each once everything that is owed to the neighbor was sent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelLook()
    for (const socket of this.#greetings) socket.destroy()
    await this.#neighbors.stop()
  }

  /** How many neighbors of our kind there are, linked or not. */
  get ownNeighbors(): number {
    return this.#neighbors.own
  }

  /** One row for each neighbor: in the order of the herd file, and then in which they came. */
  get statuses(): LinkStatus[] {
    return this.#neighbors.statuses
  }

  /** The names of neighbors that came by themselves. */
  get joined(): string[] {
    return this.#neighbors.joined
  }

  /** Whether what the neighbors know is known here. */
  get readiness(): Readiness {
    // Before it knows its neighbors a server has caught up with nobody.
    return this.#started ? this.#neighbors.readiness : 'catching up'
  }

  /**
   * Reads a line that begins with HERD as the greeting of a link.
   *
   * @returns `null` when it isn't one: an invalid command like any other.
   */
  readGreeting(line: Buffer): HeardGreeting | 'other-version' | null {
    if (line.length > this.#context.limits.handshakeLineBytesMax) return null
    const text = line.toString('latin1')
    const read = readHandshakeLine(text)
    if (read.type === 'version') return 'other-version'
    return read.type === 'greet' ? { line: text, greeting: read.greeting } : null
  }

  /** Takes over a socket whose first line was a greeting. @param rest bytes that came behind that line. */
  accept(socket: Socket, connection: number, heard: HeardGreeting | 'other-version', rest: Buffer): void {
    const { identity, limits, security } = this.#context
    // Whoever dialed may reset the connection at any time; that shows as its end.
    socket.on('error', () => {})
    if (heard === 'other-version') {
      this.#refuse(socket, connection, rest, wrongGreeting())
    } else if (security.mode !== 'none') {
      const reason = `links to this server are encrypted (link.encryption: ${security.mode})`
      this.#refuse(socket, connection, rest, reason)
    } else {
      const greeted = answerGreeting(plainChannel(socket), heard, rest, identity, limits, this.#admit)
      this.#settle(socket, connection, greeted, heard.greeting.from)
    }
  }

  /** Takes over a socket that begins with TLS: only a greeting may come in it. @param chunk what was read of it. */
  acceptTls(socket: Socket, connection: number, chunk: Buffer): void {
    socket.on('error', () => {})
    if (this.#context.security.mode === 'none') {
      this.#refuse(
        socket,
        connection,
        chunk,
        'links to this server are not encrypted (link.encryption: none)',
      )
      return
    }
    this.#greetings.add(socket)
    void this.#secure(socket, connection, chunk)
  }

  #lookAtClocks(): void {
    const { system, limits } = this.#context
    this.#cancelLook = system.after(limits.heartbeatMs, () => {
      const ours = this.#neighbors.all.filter(({ address }) => !address.classic)
      this.#clock.look(
        ours.flatMap(({ address, link }) =>
          link === null ? [] : [{ neighbor: address.name, clockOffsetMs: link.clockOffsetMs }],
        ),
      )
      this.#lookAtClocks()
    })
  }

  async #secure(socket: Socket, connection: number, chunk: Buffer): Promise<void> {
    const { identity, limits, security, system, counters } = this.#context
    const beganMs = system.nowMs()
    const secured = await security.accept(socket, chunk, limits.handshakeMsMax)
    this.#greetings.delete(socket)
    if (secured.outcome !== 'secure') {
      counters.tlsFailed++
      this.#noteFailed(connection, secured)
      return
    }
    const { channel } = secured
    const left = limitsLeft(limits, system.nowMs() - beganMs)
    this.#settle(channel.socket, connection, awaitGreeting(channel, identity, left, this.#admit))
  }

  /** Waits for the end of a greeting on a connection that was accepted. */
  #settle(socket: Socket, connection: number, greeting: Promise<Greeted>, from = ''): void {
    if (this.#stopped) socket.destroy()
    this.#greetings.add(socket)
    void greeting.then((greeted) => {
      this.#greetings.delete(socket)
      this.#greeted(socket, connection, greeted, from)
    })
  }

  #refuse(socket: Socket, connection: number, rest: Buffer, reason: string): void {
    new HandshakeSocket(socket, this.#context.limits, rest).close(refusedLine(reason))
    this.#noteFailed(connection, { outcome: 'refused', reason })
  }

  /** The classic neighbors that have this address; AT lines are believed when they come from there. */
  classicAt(address: string | undefined): readonly Neighbor[] {
    if (this.#classicAddresses.size === 0 || address === undefined) return []
    return this.#classicAddresses.get(plainAddress(address)) ?? []
  }

  /** Takes the AT line that the parser has just read in `buffer`, from one of these classic neighbors. */
  receiveClassic(neighbors: readonly Neighbor[], buffer: Buffer): void {
    // With several at one address nobody knows which it was: what goes back to it is not new to it, and ends there.
    const from = neighbors.length === 1 ? (neighbors[0]?.link?.owed ?? null) : null
    receiveAt(this.#context, buffer, from)
  }

  readonly #admit: Admit = (peer, peerRun, at) => this.#neighbors.objection(peer, peerRun, at)

  #greeted(socket: Socket, connection: number, greeted: Greeted, from: string): void {
    if (greeted.outcome !== 'open') {
      this.#noteFailed(connection, greeted, from)
      return
    }
    if (greeted.peer === OPERATOR) {
      serveOperator(socket, greeted.rest, this.#context, this.#answers)
      return
    }
    const { peer, at } = greeted
    this.#neighbors.welcome(peer, at, socket.remoteAddress ?? '')?.accept(socket, connection, greeted)
  }

  #noteFailed(
    connection: number,
    { outcome, reason }: { readonly outcome: 'refused' | 'lost'; readonly reason: string },
    from = '',
  ): void {
    if (outcome === 'refused') this.#context.counters.greetingsRefused++
    this.#context.log.event('warning', 'greeting failed', { connection, from, outcome, reason })
  }

  async #lookUpClassic(neighbor: Neighbor): Promise<void> {
    const { host, name } = neighbor.address
    const addresses =
      isIP(host) === 0 ? await lookup(host, { all: true }).catch(() => []) : [{ address: host }]
    if (addresses.length === 0) {
      this.#context.log.event('error', 'no address of a classic neighbor', { neighbor: name, host })
    }
    for (const { address } of addresses) this.#noteClassic(neighbor, address)
  }

  #noteClassic(neighbor: Neighbor, address: string): void {
    const key = plainAddress(address)
    const known = this.#classicAddresses.get(key) ?? []
    if (!known.includes(neighbor)) this.#classicAddresses.set(key, [...known, neighbor])
  }
}
