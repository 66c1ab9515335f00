import { lookup } from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'
import { LineFramer } from '../protocol/index.ts'
import { ClockGuard } from './clock-guard.ts'
import {
  answerGreeting,
  awaitGreeting,
  type Greeted,
  type HeardGreeting,
  limitsLeft,
  wrongGreeting,
} from './greet.ts'
import { LINK_VERSION, OPERATOR, readHandshakeLine, refusedLine } from './handshake.ts'
import { HandshakeSocket } from './handshake-socket.ts'
import { receiveAt } from './link-reader.ts'
import { plainChannel } from './link-security.ts'
import { Neighbor, type NeighborAddress, type NeighborContext } from './neighbor.ts'
import type { LinkStatus, ServerStatus } from './status.ts'

/** An operator asks little and stays briefly. */
const OPERATOR_LINES_MAX = 100

/**
 * All links of a server: one to each neighbor, whoever dialed. Gateways hand over connections that begin with a
 * greeting, and AT lines that come from the address of a classic neighbor.
 */
export class Links {
  readonly #context: NeighborContext
  readonly #neighbors = new Map<string, Neighbor>()
  readonly #classicAddresses = new Map<string, Neighbor[]>()
  readonly #status: () => ServerStatus
  readonly #greetings = new Set<Socket>()
  readonly #clock: ClockGuard
  #cancelLook: () => void = () => {}
  #stopped = false

  /** @param status what an operator is told who asks for it. */
  constructor(context: NeighborContext, status: () => ServerStatus) {
    this.#context = context
    this.#status = status
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
    for (const neighbor of this.#neighbors.values()) neighbor.link?.wake()
  }

  /** Begins to keep a link to each neighbor. Resolves when the addresses of classic ones are known. */
  async start(addresses: readonly NeighborAddress[]): Promise<void> {
    for (const address of addresses) {
      const neighbor: Neighbor = new Neighbor(address, this.#context, (dialed) => {
        this.#noteClassic(neighbor, dialed)
      })
      this.#neighbors.set(address.name, neighbor)
    }
    this.#lookAtClocks()
    const classic = [...this.#neighbors.values()].filter((neighbor) => neighbor.address.classic)
    await Promise.all(classic.map((neighbor) => this.#lookUpClassic(neighbor)))
  }

  /** Ends all links, each once everything that is owed to the neighbor was sent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelLook()
    for (const socket of this.#greetings) socket.destroy()
    await Promise.all([...this.#neighbors.values()].map((neighbor) => neighbor.stop()))
  }

  /** How many neighbors of our kind there are, linked or not. */
  get ownNeighbors(): number {
    return [...this.#neighbors.values()].filter(({ address }) => !address.classic).length
  }

  /** One row for each neighbor, in the order of the herd file. */
  get statuses(): LinkStatus[] {
    return [...this.#neighbors.values()].map((neighbor) => neighbor.status)
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
      const open = [...this.#neighbors].filter(([, { address }]) => !address.classic)
      this.#clock.look(
        open.flatMap(([neighbor, { link }]) =>
          link === null ? [] : [{ neighbor, clockOffsetMs: link.clockOffsetMs }],
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

  readonly #admit = (peer: string, peerRun: string): string | null => {
    const neighbor = this.#neighbors.get(peer)
    if (this.#stopped) return 'this server is stopping'
    if (neighbor === undefined || neighbor.address.classic) {
      return `${peer} is no neighbor of ${this.#context.identity.name} in the herd file`
    }
    return neighbor.objection(peerRun)
  }

  #greeted(socket: Socket, connection: number, greeted: Greeted, from: string): void {
    if (greeted.outcome !== 'open') {
      this.#noteFailed(connection, greeted, from)
      return
    }
    if (greeted.peer === OPERATOR) {
      this.#serveOperator(socket, greeted.rest)
      return
    }
    this.#neighbors.get(greeted.peer)?.accept(socket, connection, greeted)
  }

  #noteFailed(
    connection: number,
    { outcome, reason }: { readonly outcome: 'refused' | 'lost'; readonly reason: string },
    from = '',
  ): void {
    if (outcome === 'refused') this.#context.counters.greetingsRefused++
    this.#context.log.event('warning', 'greeting failed', { connection, from, outcome, reason })
  }

  /** Answers the `herd` command, which has proved that it holds the secret. */
  #serveOperator(socket: Socket, rest: Buffer): void {
    const { limits, system } = this.#context
    const framer = new LineFramer(limits.handshakeLineBytesMax)
    const cancel = system.after(limits.silenceMsMax, () => socket.destroy())
    let lines = 0
    const take = (chunk: Buffer): void => {
      if (socket.destroyed) return
      framer.push(chunk)
      for (let framed = framer.next(); framed !== 'need-more'; framed = framer.next()) {
        if (framed === 'too-long' || ++lines > OPERATOR_LINES_MAX) {
          socket.destroy()
          return
        }
        const line = framer.buffer.toString('utf8', framer.start, framer.end).trim()
        const prefix = `HERD ${LINK_VERSION} status`
        socket.write(line === prefix ? `${prefix} ${JSON.stringify(this.#status())}\n` : `? ${line}\n`)
      }
    }
    socket.on('close', cancel)
    socket.on('end', () => socket.end())
    socket.on('data', take)
    take(rest)
    socket.resume()
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

/** IPv4 addresses come as `::ffff:127.0.0.1` on a socket that listens on both. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
