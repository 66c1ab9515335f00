import { connect, type Socket } from 'node:net'
import type { System } from '../system.ts'
import type { ListenAddress } from './addresses.ts'
import { connected, secureAndGreet } from './dial.ts'
import type { Greeted, GreetLimits, Identity } from './greet.ts'
import type { LinkSecurity } from './link-security.ts'
import { type Candidate, replaces } from './one-link.ts'
import { type LinkContext, type LinkLimits, OpenLink } from './open-link.ts'
import { nextRedialMs, type RedialLimits } from './redial.ts'
import type { LinkStatus } from './status.ts'

/** Bounds of all that concerns links. */
export interface LinksLimits extends LinkLimits, GreetLimits, RedialLimits {
  /** A clock that is further than this from most neighbors' is wrong. */
  readonly clockOffsetMsMax: number
}

/** Where a neighbor is, and of which kind. */
export interface NeighborAddress {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Speaks bare AT lines, without a greeting. */
  readonly classic: boolean
}

/** What its owner wants to hear of a neighbor. */
export interface NeighborEvents {
  /** It was reached at this address. */
  readonly dialed: (address: string) => void
  /** Its link is open, or lost. */
  readonly changed: () => void
  /** It won't have a link with us, and says why; told again only when that changes. */
  readonly refused: (reason: string) => void
}

/** What all neighbors of a server share. */
export interface NeighborContext extends LinkContext {
  readonly identity: Identity
  readonly security: LinkSecurity
  readonly system: System
  readonly limits: LinksLimits
  /** Numbers a connection, for the log. */
  readonly nextConnection: () => number
}

type OpenGreeted = Greeted & { readonly outcome: 'open' }

/** When a server stops, a neighbor has this long to take what is owed to it. */
const DRAIN_MS_MAX = 1000

/** A neighbor's life. What only one phase needs lives on that phase. */
type Phase =
  | { readonly is: 'waiting'; readonly cancel: () => void }
  | { readonly is: 'dialing'; readonly socket: Socket }
  | { readonly is: 'open'; readonly link: OpenLink; readonly candidate: Candidate; readonly sinceMs: number }
  /** It has left the herd: nobody dials it until it is back. */
  | { readonly is: 'resting' }
  | { readonly is: 'stopped' }

/**
 * Keeps one link to a neighbor, for ever: dials, greets, dials again after growing delays; takes a link that the
 * neighbor dialed as gladly.
 */
export class Neighbor {
  /** Whether it came by itself, and isn't one of the herd file. */
  readonly joined: boolean
  readonly #context: NeighborContext
  readonly #events: NeighborEvents
  #address: NeighborAddress
  #phase: Phase
  #changedMs: number
  #delayMs = 0
  #lastTrouble = ''

  /** @param joined whether it came by itself, and isn't one of the herd file. */
  constructor(address: NeighborAddress, joined: boolean, context: NeighborContext, events: NeighborEvents) {
    this.#events = events
    this.joined = joined
    this.#address = address
    this.#context = context
    this.#changedMs = context.system.nowMs()
    // Of two servers that start together one dials first: crossing connections are settled, but cost a greeting.
    const first = address.classic || context.identity.name < address.name
    this.#phase = this.#wait(first ? 0 : context.limits.redialMsMin)
  }

  /** The open link, if there is one. */
  get link(): OpenLink | null {
    return this.#phase.is === 'open' ? this.#phase.link : null
  }

  /** Where it is. */
  get address(): NeighborAddress {
    return this.#address
  }

  /** Milliseconds since its link was opened or lost. */
  get unchangedMs(): number {
    return this.#context.system.nowMs() - this.#changedMs
  }

  get status(): LinkStatus {
    const { link, joined, unchangedMs } = this
    const { name, classic } = this.address
    return {
      ...{ neighbor: name, open: link !== null, classic, joined, forSeconds: unchangedMs / 1000 },
      queued: link?.owed.length ?? 0,
      caughtUp: link?.isCaughtUp ?? false,
      roundTripMs: link?.roundTripMs ?? null,
      clockOffsetMs: link?.clockOffsetMs ?? null,
      lines: link?.lines ?? { in: 0, out: 0 },
    }
  }

  /** It is somewhere else now; the next attempt is made there. */
  moved({ host, port }: ListenAddress): void {
    this.#address = { ...this.#address, host, port }
  }

  /** Rows about members have changed: a neighbor that had left may be back. */
  reconsider(): void {
    if (this.#phase.is === 'resting' && !this.#hasLeft) this.#phase = this.#wait(0)
  }

  /** Says whether a link that the neighbor dialed is welcome: `null`, or why not. */
  objection(peerRun: string): string | null {
    if (this.#phase.is === 'stopped') return 'this server is stopping'
    const candidate = { dialer: this.address.name, peerRun }
    if (this.#phase.is === 'open' && !replaces(candidate, this.#phase.candidate))
      return 'there is a link already'
    return null
  }

  /** Takes a link that the neighbor dialed and that was welcome. */
  accept(socket: Socket, connection: number, greeted: OpenGreeted): void {
    const candidate = { dialer: this.address.name, peerRun: greeted.peerRun }
    this.#open(socket, connection, greeted.rest, candidate, greeted)
  }

  /** Ends the link once it owes nothing, or the attempts to make one, for good. */
  async stop(): Promise<void> {
    const phase = this.#phase
    this.#phase = { is: 'stopped' }
    if (phase.is === 'waiting') phase.cancel()
    if (phase.is === 'dialing') phase.socket.destroy()
    if (phase.is === 'open') {
      const cancel = this.#context.system.after(DRAIN_MS_MAX, () =>
        phase.link.close('this server is stopping'),
      )
      await phase.link.finish()
      cancel()
    }
  }

  get #hasLeft(): boolean {
    return this.#context.members.get(this.address.name)?.state === 'left'
  }

  #wait(ms: number): Phase {
    return { is: 'waiting', cancel: this.#context.system.after(ms, () => void this.#dial()) }
  }

  async #dial(): Promise<void> {
    if (this.#hasLeft) {
      this.#phase = { is: 'resting' }
      return
    }
    const { host, port, name, classic } = this.address
    const { limits, identity, security, nextConnection } = this.#context
    const socket = connect({ host, port, noDelay: true })
    this.#phase = { is: 'dialing', socket }
    const trouble = await connected(socket, limits.handshakeMsMax)
    if (trouble !== null) {
      this.#attemptFailed(socket, trouble)
    } else if (classic) {
      this.#events.dialed(socket.remoteAddress ?? '')
      this.#open(socket, nextConnection(), Buffer.alloc(0), { dialer: identity.name, peerRun: '' })
    } else {
      const { socket: secure, greeted } = await secureAndGreet(socket, security, identity, name, limits)
      if (greeted.outcome === 'open') this.#greeted(secure, greeted)
      else this.#attemptFailed(socket, greeted.reason, greeted.outcome === 'refused')
    }
  }

  #greeted(socket: Socket, greeted: OpenGreeted): void {
    const candidate = { dialer: this.#context.identity.name, peerRun: greeted.peerRun }
    const phase = this.#phase
    if (phase.is === 'stopped' || (phase.is === 'open' && !replaces(candidate, phase.candidate))) {
      socket.destroy()
      return
    }
    this.#open(socket, this.#context.nextConnection(), greeted.rest, candidate, greeted)
  }

  #open(socket: Socket, connection: number, rest: Buffer, candidate: Candidate, greeted?: OpenGreeted): void {
    const { log, counters, system } = this.#context
    const before = this.#phase
    const { name, classic } = this.address
    counters.linksOpened++
    this.#lastTrouble = ''
    log.event('info', 'link open', {
      ...{ neighbor: name, connection, dialer: candidate.dialer, classic },
      ...(greeted && { version: greeted.version, clockOffsetMs: Math.round(greeted.clockOffsetMs) }),
    })
    // First, so that this neighbor is never counted twice among those who hold something.
    if (before.is === 'open') before.link.close('replaced by a newer link')
    const audits = this.#context.identity.name < name
    const peer = { name, address: socket.remoteAddress ?? '' }
    const options = { classic, connection, audits, peer }
    const link: OpenLink = new OpenLink(this.#context, socket, options, rest, (reason) => {
      this.#lost(link, connection, reason)
    })
    this.#phase = { is: 'open', link, candidate, sinceMs: system.nowMs() }
    this.#changedMs = system.nowMs()
    if (before.is === 'waiting') before.cancel()
    // An attempt under way goes on: it is settled like any other second connection when it comes through.
    this.#events.changed()
  }

  #lost(link: OpenLink, connection: number, reason: string): void {
    const { log, counters, system, limits } = this.#context
    counters.linksLost++
    log.event('warning', 'link lost', { neighbor: this.address.name, connection, reason })
    const phase = this.#phase
    if (phase.is !== 'open' || phase.link !== link) return
    this.#changedMs = system.nowMs()
    // Only a link that has lasted makes the next attempt an early one again.
    if (this.#changedMs - phase.sinceMs >= limits.silenceMsMax) this.#delayMs = 0
    this.#redial()
    this.#events.changed()
  }

  #attemptFailed(socket: Socket, reason: string, isRefusal = false): void {
    socket.destroy()
    const phase = this.#phase
    if (phase.is !== 'dialing' || phase.socket !== socket) return
    if (reason !== this.#lastTrouble) {
      this.#lastTrouble = reason
      this.#context.log.event('warning', 'no link', { neighbor: this.address.name, reason })
      if (isRefusal) this.#events.refused(reason)
    }
    this.#redial()
  }

  #redial(): void {
    this.#delayMs = nextRedialMs(this.#delayMs, this.#context.limits, this.#context.system.random())
    this.#phase = this.#wait(this.#delayMs)
  }
}
