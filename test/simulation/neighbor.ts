import { type Candidate, replaces } from '../../src/replication/one-link.ts'
import { nextRedialMs } from '../../src/replication/redial.ts'
import { SimLink } from './link.ts'
import type { SimServer } from './server.ts'
import type { End } from './wire.ts'

const LF = 10

/** Reads the lines of a greeting; what comes behind the last of them belongs to the link. */
class GreetingReader {
  #bytes: Buffer = Buffer.alloc(0)

  /** Takes bytes. @returns the next line, without its end, or `null`. */
  line(chunk: Buffer): string | null {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const end = this.#bytes.indexOf(LF)
    if (end === -1) return null
    const line = this.#bytes.toString('latin1', 0, end)
    this.#bytes = this.#bytes.subarray(end + 1)
    return line
  }

  /** What came behind the lines that were read. */
  get rest(): Buffer {
    return this.#bytes
  }
}

/** Answers a connection that came in: `greet`, `challenge`, `proof`, `welcome`, as `greet.ts` does, without secrets. */
export function answerGreeting(server: SimServer, end: End): void {
  const reader = new GreetingReader()
  const cancel = server.world.agenda.after(server.limits.handshakeMsMax, () => end.destroy())
  let from = ''
  let run = ''
  const take = (line: string): void => {
    const [word = '', ...fields] = line.split(' ')
    if (word === 'greet') {
      from = fields[0] ?? ''
      run = fields[1] ?? ''
      end.write(Buffer.from(`challenge ${server.runId}\n`))
      return
    }
    cancel()
    const neighbor = server.neighbors.get(from)
    if (neighbor === undefined || neighbor.objects(run)) {
      end.destroy()
      return
    }
    end.write(Buffer.from('welcome\n'))
    neighbor.accept(end, run, reader.rest)
  }
  end.socket = {
    onOpen: () => {},
    onData: (chunk) => {
      if (!server.isUp) return
      for (let line = reader.line(chunk); line !== null; line = reader.line(Buffer.alloc(0))) {
        take(line)
        if (line.startsWith('proof') || end.isClosed) return
      }
    },
    onClose: () => cancel(),
  }
}

type Phase =
  | { readonly is: 'waiting'; readonly cancel: () => void }
  | { readonly is: 'dialing'; readonly end: End }
  | { readonly is: 'open'; readonly link: SimLink; readonly candidate: Candidate; readonly sinceMs: number }
  | { readonly is: 'stopped' }

/** Keeps one link to a neighbor, as `neighbor.ts` does, in virtual time. */
export class SimNeighbor {
  readonly name: string
  readonly classic: boolean
  readonly #server: SimServer
  #phase: Phase
  #delayMs = 0

  constructor(server: SimServer, name: string, classic: boolean) {
    this.#server = server
    this.name = name
    this.classic = classic
    const first = classic || server.name < name
    this.#phase = this.#wait(first ? 0 : server.limits.redialMsMin)
  }

  /** The open link, if there is one. */
  get link(): SimLink | null {
    return this.#phase.is === 'open' ? this.#phase.link : null
  }

  /** Whether a link that the neighbor dialed is not welcome. */
  objects(peerRun: string): boolean {
    if (this.#phase.is === 'stopped') return true
    const candidate = { dialer: this.name, peerRun }
    return this.#phase.is === 'open' && !replaces(candidate, this.#phase.candidate)
  }

  /** Takes a link that the neighbor dialed and that was welcome. */
  accept(end: End, peerRun: string, rest: Buffer): void {
    this.#open(end, rest, { dialer: this.name, peerRun })
  }

  /** Ends what there is, for good, as the end of its server does. */
  abandon(isSilent: boolean): void {
    const phase = this.#phase
    this.#phase = { is: 'stopped' }
    if (phase.is === 'waiting') phase.cancel()
    if (phase.is === 'open') phase.link.abandon(isSilent)
    if (phase.is === 'dialing') {
      if (isSilent) phase.end.vanish()
      else phase.end.destroy()
    }
  }

  /** Dials, though there may be a link already: a second connection, as a race makes it. */
  dialNow(): void {
    const phase = this.#phase
    if (phase.is === 'waiting') {
      phase.cancel()
      this.#dial()
    } else if (phase.is === 'open' && !this.classic)
      this.#greet(this.#server.world.connect(this.#server, this.name))
  }

  #wait(ms: number): Phase {
    return { is: 'waiting', cancel: this.#server.world.agenda.after(ms, () => this.#dial()) }
  }

  #dial(): void {
    const end = this.#server.world.connect(this.#server, this.name)
    this.#phase = { is: 'dialing', end }
    this.#greet(end)
  }

  #greet(end: End): void {
    const { world, limits, name, runId } = this.#server
    const reader = new GreetingReader()
    const fail = (): void => {
      cancel()
      this.#failed(end)
    }
    let cancel = world.agenda.after(limits.handshakeMsMax, fail)
    const onOpen = (): void => {
      cancel()
      if (this.classic) {
        this.#open(end, Buffer.alloc(0), { dialer: name, peerRun: '' })
        return
      }
      cancel = world.agenda.after(limits.handshakeMsMax, fail)
      end.write(Buffer.from(`greet ${name} ${runId}\n`))
    }
    let peerRun = ''
    const onData = (chunk: Buffer): void => {
      let line = reader.line(chunk)
      if (line?.startsWith('challenge ')) {
        peerRun = line.slice('challenge '.length)
        end.write(Buffer.from('proof\n'))
        line = reader.line(Buffer.alloc(0))
      }
      if (line !== 'welcome') return
      cancel()
      this.#greeted(end, peerRun, reader.rest)
    }
    end.socket = { onOpen, onData, onClose: fail }
    end.connect()
  }

  #greeted(end: End, peerRun: string, rest: Buffer): void {
    const candidate = { dialer: this.#server.name, peerRun }
    const phase = this.#phase
    if (phase.is === 'stopped' || (phase.is === 'open' && !replaces(candidate, phase.candidate)))
      end.destroy()
    else this.#open(end, rest, candidate)
  }

  #open(end: End, rest: Buffer, candidate: Candidate): void {
    const before = this.#phase
    if (before.is === 'open') before.link.close('replaced by a newer link')
    const link: SimLink = new SimLink(this.#server, this.name, end, this.classic, rest, () =>
      this.#lost(link),
    )
    this.#phase = { is: 'open', link, candidate, sinceMs: this.#server.world.agenda.nowMs }
    if (before.is === 'waiting') before.cancel()
    this.#server.announceLinks()
  }

  #lost(link: SimLink): void {
    const phase = this.#phase
    if (phase.is !== 'open' || phase.link !== link) return
    this.#server.announceLinks()
    const { limits, world } = this.#server
    if (world.agenda.nowMs - phase.sinceMs >= limits.silenceMsMax) this.#delayMs = 0
    this.#redial()
  }

  #failed(end: End): void {
    end.destroy()
    const phase = this.#phase
    if (phase.is === 'dialing' && phase.end === end) this.#redial()
  }

  #redial(): void {
    const { limits, world } = this.#server
    this.#delayMs = nextRedialMs(this.#delayMs, limits, world.random.next())
    this.#phase = this.#wait(this.#delayMs)
  }
}
