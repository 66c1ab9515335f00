import type { OutputBuffer } from '../../src/protocol/index.ts'
import { LinkSession } from '../../src/replication/link-session.ts'
import type { Agenda } from './agenda.ts'
import type { SimServer } from './server.ts'
import type { End } from './wire.ts'

/** What happens to a link, for whoever watches. */
export interface LinkEvents {
  /** It is open. */
  opened(link: SimLink): void
  /** A batch is about to go out. */
  pulled(link: SimLink, batch: Buffer, lines: number): void
  /** A chunk is about to be read. */
  receiving(link: SimLink): void
  /** A chunk was read. */
  received(link: SimLink): void
}

/** An open link in virtual time: it does to an `End` what `OpenLink` does to a socket, at the same instants. */
export class SimLink {
  readonly server: SimServer
  /** Whose link it is: the neighbor's name. */
  readonly neighbor: string
  readonly session: LinkSession
  readonly classic: boolean
  readonly end: End
  readonly #agenda: Agenda
  readonly #events: LinkEvents
  readonly #output: OutputBuffer
  readonly #onClose: (reason: string) => void
  #isFlushing = false
  #isWriting = false
  #isClosed = false
  #cancelBeat: () => void
  #cancelWait: (() => void) | null = null

  /** Takes over an end that is open. @param onClose told once, when the link is lost. */
  constructor(
    server: SimServer,
    neighbor: string,
    end: End,
    classic: boolean,
    rest: Buffer,
    onClose: (reason: string) => void,
  ) {
    this.server = server
    this.neighbor = neighbor
    this.end = end
    this.classic = classic
    this.#agenda = server.world.agenda
    this.#events = server.world.watch
    this.#output = server.output
    this.#onClose = onClose
    this.session = new LinkSession(server.sessions, {
      classic,
      connection: server.world.nextNumber(),
      audits: server.name < neighbor,
    })
    server.world.mutant?.link?.(this.session.owed, { neighbor, server })
    this.#cancelBeat = this.#nextBeat()
    end.socket = {
      onOpen: () => {},
      onData: (chunk) => this.#take(chunk),
      onClose: (reason) => this.#closed(reason),
    }
    end.life = server.life
    this.#events.opened(this)
    this.#take(rest)
    this.wake()
  }

  /** Says that there may be something to send: it is sent after the events at hand. */
  wake(): void {
    if (this.#isFlushing || this.#isWriting || this.#isClosed) return
    const { waitMs } = this.session
    if (waitMs === 0) {
      this.#isFlushing = true
      this.#agenda.after(0, () => {
        this.#isFlushing = false
        this.#flush()
      })
    } else if (waitMs !== Number.POSITIVE_INFINITY && this.#cancelWait === null) {
      this.#cancelWait = this.#agenda.after(waitMs, () => {
        this.#cancelWait = null
        this.wake()
      })
    }
  }

  /** Ends the link. */
  close(reason: string): void {
    if (this.#isClosed) return
    this.end.destroy()
    this.session.close()
    this.#closed(reason)
  }

  /** Ends it as the end of its server does: nobody is told. @param isSilent the other end isn't told either. */
  abandon(isSilent: boolean): void {
    if (isSilent) this.end.vanish()
    else this.end.destroy()
    this.#stop()
  }

  #stop(): void {
    this.#isClosed = true
    this.#cancelBeat()
    this.#cancelWait?.()
  }

  #closed(reason: string): void {
    if (this.#isClosed) return
    this.#stop()
    // A socket tells of its end after the events at hand.
    this.#agenda.after(0, () => {
      this.session.close()
      this.#onClose(reason)
    })
  }

  #flush(): void {
    if (this.#isWriting || this.#isClosed) return
    const lines = this.session.pull(this.#output)
    const batch = this.#output.take()
    if (batch.length === 0) {
      this.wake()
      return
    }
    this.#events.pulled(this, batch, lines)
    this.#isWriting = true
    this.end.write(batch, () => {
      this.#isWriting = false
      this.wake()
    })
  }

  #take(chunk: Buffer): void {
    if (this.#isClosed) return
    this.#events.receiving(this)
    const trouble = this.session.receive(chunk)
    this.#events.received(this)
    if (trouble !== null) this.close(trouble)
    else this.wake()
  }

  #nextBeat(): () => void {
    return this.#agenda.after(this.server.limits.heartbeatMs, () => {
      this.#cancelBeat = this.#nextBeat()
      if (this.classic) this.end.probe()
      const trouble = this.session.beat()
      if (trouble !== null) this.close(trouble)
      else this.wake()
    })
  }
}
