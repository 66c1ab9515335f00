/** A network in virtual time: connections with the semantics of TCP over paths that are slow, stalled or cut. */
import type { Agenda } from './agenda.ts'
import type { Random } from './random.ts'

/** How bytes go one way between two servers. */
export interface PathLimits {
  latencyMs: number
  /** Up to so much comes on top, by chance. */
  jitterMs: number
  /** Infinity: all at once. */
  bytesPerMs: number
  /** Bytes that the sender's system takes before it makes the sender wait. */
  windowBytes: number
  /** Chunks are cut to random sizes of at most this. */
  chunkBytesMax: number
}

/** One way between two servers, for all connections that take it. */
export class Path {
  limits: PathLimits
  readonly pipes: Set<Pipe> = new Set()
  #stalls = 0

  constructor(limits: PathLimits) {
    this.limits = limits
  }

  get isStalled(): boolean {
    return this.#stalls > 0
  }

  /** Nothing gets through from now on, until `go` was called as often. */
  stop(): void {
    this.#stalls++
  }

  /** What waited gets through again. */
  go(): void {
    this.#stalls = Math.max(0, this.#stalls - 1)
    if (!this.isStalled) for (const pipe of [...this.pipes]) pipe.resume()
  }

  /** However often it was stopped. */
  heal(): void {
    this.#stalls = 0
    this.go()
  }
}

/** What a packet is besides bytes: an attempt to connect, its success, an end. */
export type Packet = Buffer | 'syn' | 'synack' | 'close'

const NOTHING = Buffer.alloc(0)

/** One direction of a connection: in order, and whole, but for its end. */
export class Pipe {
  readonly #agenda: Agenda
  readonly #random: Random
  readonly #path: Path
  readonly #deliver: (packet: Packet) => void
  readonly #queue: Packet[] = []
  readonly #flight: Packet[] = []
  #writers: { readonly end: number; readonly done: () => void }[] = []
  #written = 0
  #sent = 0
  #isSending = false
  #lastArrivalMs = 0
  /** Packets that should have come, while the path was stalled. */
  #late = 0

  constructor(agenda: Agenda, random: Random, path: Path, deliver: (packet: Packet) => void) {
    this.#agenda = agenda
    this.#random = random
    this.#path = path
    this.#deliver = deliver
    path.pipes.add(this)
  }

  /** Sends a packet. @param done called when the sender's system has taken all its bytes. */
  send(packet: Packet, done?: () => void): void {
    this.#written += packet.length
    if (done !== undefined) this.#writers.push({ end: this.#written, done })
    this.#queue.push(packet)
    this.#path.pipes.add(this)
    this.#pump()
  }

  /** Loses all but some of the bytes that have not arrived, and nobody is told of the others. */
  truncate(): void {
    this.#writers = []
    let bytes = 0
    for (const packet of [...this.#flight, ...this.#queue]) bytes += packet.length
    let kept = this.#random.below(bytes + 1)
    for (const packets of [this.#flight, this.#queue]) {
      for (const [index, packet] of packets.entries()) {
        if (typeof packet === 'string') continue
        packets[index] = packet.subarray(0, kept)
        kept = Math.max(0, kept - packet.length)
      }
    }
  }

  /** Nothing is on its way any more, nor will be. */
  close(): void {
    this.#path.pipes.delete(this)
    this.#writers = []
    this.#queue.length = 0
    this.#flight.fill(NOTHING)
  }

  /** The path lets bytes through again. */
  resume(): void {
    for (let late = this.#late; late > 0; late--) {
      this.#late--
      this.#next()
    }
    this.#pump()
  }

  #pump(): void {
    while (!this.#isSending && !this.#path.isStalled) {
      const first = this.#queue[0]
      if (first === undefined) return
      const { bytesPerMs, chunkBytesMax } = this.#path.limits
      if (typeof first !== 'string' && first.length > 1) {
        const bytes = 1 + this.#random.below(Math.min(first.length, chunkBytesMax))
        if (bytes < first.length) this.#queue.splice(0, 1, first.subarray(0, bytes), first.subarray(bytes))
      }
      if (bytesPerMs === Number.POSITIVE_INFINITY) this.#launch()
      else {
        this.#isSending = true
        this.#agenda.after((this.#queue[0]?.length ?? 0) / bytesPerMs, () => {
          this.#isSending = false
          // It may have been lost meanwhile, with all others.
          if (this.#queue.length > 0) this.#launch()
          this.#pump()
        })
      }
    }
  }

  #launch(): void {
    const packet = this.#queue.shift() ?? NOTHING
    this.#sent += packet.length
    const { latencyMs, jitterMs, windowBytes } = this.#path.limits
    const arrivalMs = this.#agenda.nowMs + latencyMs + this.#random.next() * jitterMs
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs)
    this.#flight.push(packet)
    this.#agenda.after(this.#lastArrivalMs - this.#agenda.nowMs, () => this.#arrive())
    while ((this.#writers[0]?.end ?? Number.POSITIVE_INFINITY) - this.#sent <= windowBytes) {
      const writer = this.#writers.shift()
      if (writer !== undefined) this.#agenda.after(0, writer.done)
    }
  }

  #arrive(): void {
    if (this.#path.isStalled) this.#late++
    else this.#next()
  }

  #next(): void {
    const packet = this.#flight.shift() ?? NOTHING
    if (packet === 'close') this.#path.pipes.delete(this)
    this.#deliver(packet)
  }
}

/** One life of a server's memory, from its start to the loss of what it knew. */
export interface Life {
  readonly server: string
  readonly runId: string
  /** Whether that memory is lost. */
  isOver: boolean
}

/** Whom one end of a connection tells what happens. */
export interface Socket {
  readonly onOpen: () => void
  readonly onData: (chunk: Buffer) => void
  /** Once, however the connection ended, unless this end ended it. */
  readonly onClose: (reason: string) => void
}

/** One end of a connection. */
export class End {
  /** Who hears of it; `null`: nobody yet. */
  socket: Socket | null = null
  /** Called instead of `socket.onOpen` where a connection comes in; it must set the socket, or destroy the end. */
  onIncoming: (() => void) | null = null
  /** Whether somebody is there who could answer bytes for an end that has vanished. */
  isHostUp: () => boolean = () => true
  /** The end at the other side. */
  other: End | null = null
  /** Which life of which server holds a link at this end. */
  life: Life | null = null
  #state: 'new' | 'open' | 'closed' | 'vanished' = 'new'
  #out: Pipe | null = null

  /** Sets the way out of this end. */
  attach(out: Pipe): void {
    this.#out = out
  }

  get isClosed(): boolean {
    return this.#state === 'closed' || this.#state === 'vanished'
  }

  /** Begins to connect. */
  connect(): void {
    this.#out?.send('syn')
  }

  /** Sends bytes. @param done called when more may be written. */
  write(bytes: Buffer, done: () => void = () => {}): void {
    if (this.#state === 'open') this.#out?.send(bytes, done)
  }

  /** Asks, by no bytes at all, whether the other end is still there (TCP's keep-alive). */
  probe(): void {
    this.write(NOTHING)
  }

  /** Ends the connection: what hasn't arrived there may be lost, and what comes from there is. */
  destroy(): void {
    if (this.isClosed) return
    this.#state = 'closed'
    this.#out?.truncate()
    this.#out?.send('close')
  }

  /** The host is gone, and nobody says so. */
  vanish(): void {
    if (this.isClosed) return
    this.#state = 'vanished'
    this.#out?.close()
  }

  /** Loses what is on its way from here, and ends it there. */
  cut(): void {
    if (this.#state === 'vanished') return
    this.#out?.truncate()
    this.#out?.send('close')
  }

  /** Takes what came. */
  take(packet: Packet): void {
    if (this.#state === 'vanished') {
      if (this.isHostUp() && packet !== 'close') this.#out?.send('close')
      return
    }
    if (this.#state === 'closed') return
    if (packet === 'syn') {
      this.#state = 'open'
      this.onIncoming?.()
      if (!this.isClosed) this.#out?.send('synack')
    } else if (packet === 'synack') {
      this.#state = 'open'
      this.socket?.onOpen()
    } else if (packet === 'close') {
      this.#state = 'closed'
      this.cut()
      this.socket?.onClose('closed by the other end')
    } else if (packet.length > 0) this.socket?.onData(packet)
  }
}

/** Makes a connection, not yet open, that goes by these two paths. @returns the end that dials, and the other. */
export function makeConnection(agenda: Agenda, random: Random, there: Path, back: Path): [End, End] {
  const dialer = new End()
  const accepter = new End()
  dialer.other = accepter
  accepter.other = dialer
  dialer.attach(new Pipe(agenda, random, there, (packet) => accepter.take(packet)))
  accepter.attach(new Pipe(agenda, random, back, (packet) => dialer.take(packet)))
  return [dialer, accepter]
}
