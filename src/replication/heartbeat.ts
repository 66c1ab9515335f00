import type { Nanotime, OutputBuffer } from '../protocol/index.ts'
import { clockOffsetMs } from './clock-offset.ts'
import { appendPing } from './link-words.ts'

/** The pace of a link that has nothing to say, and its patience. */
export interface HeartbeatLimits {
  /** How often the other end is asked whether it is there. */
  readonly heartbeatMs: number
  /** A neighbor that says nothing for this long is taken for dead. */
  readonly silenceMsMax: number
  /** So is one that leaves a ping unanswered for this long: it doesn't get to what it was sent. */
  readonly progressMsMax: number
}

/** A clock that only goes on, and the wall clock. */
export interface HeartbeatWorld {
  readonly nowMs: () => number
  readonly readClock: (time: Nanotime) => void
}

interface Sample {
  readonly roundTripMs: number
  readonly offsetMs: number
}

/** Of so many pings the one that was answered soonest tells how far the clocks are apart. */
const SAMPLES = 8

/**
 * Asks the other end, again and again, whether it is there and what its clock shows. A ping is answered behind all that
 * was sent before it, so an answer also tells that this was taken. Pure: it is told when to beat.
 */
export class Heartbeat {
  readonly #limits: HeartbeatLimits
  readonly #world: HeartbeatWorld
  readonly #samples: Sample[] = []
  #heardMs: number
  /** When the oldest ping without an answer was due; `null` when none is. */
  #askedMs: number | null = null
  #pingDue = false
  /** Only the last ping heard is answered: one that asks too often doesn't make a queue. */
  #pongDue: string | null = null

  constructor(limits: HeartbeatLimits, world: HeartbeatWorld) {
    this.#limits = limits
    this.#world = world
    this.#heardMs = world.nowMs()
  }

  /** Milliseconds from a ping to its answer, of the soonest lately; `null` before the first. */
  get roundTripMs(): number | null {
    return this.#best?.roundTripMs ?? null
  }

  /** The other end's clock minus ours, in milliseconds, give or take half a round trip; `null` before the first answer. */
  get clockOffsetMs(): number | null {
    return this.#best?.offsetMs ?? null
  }

  /** Whether there is something to say. */
  get hasMore(): boolean {
    return this.#pingDue || this.#pongDue !== null
  }

  /** Something came. */
  heard(): void {
    this.#heardMs = this.#world.nowMs()
  }

  /** A heartbeat has passed. @returns why the link must be closed, or `null`. */
  beat(): string | null {
    const { silenceMsMax, progressMsMax } = this.#limits
    const nowMs = this.#world.nowMs()
    if (nowMs - this.#heardMs >= silenceMsMax) return `silent for ${silenceMsMax} ms`
    if (this.#askedMs !== null && nowMs - this.#askedMs >= progressMsMax) {
      return `no progress for ${progressMsMax} ms`
    }
    this.#askedMs ??= nowMs
    this.#pingDue = true
    return null
  }

  /** Appends what there is to say. */
  pull(output: OutputBuffer): void {
    if (this.#pongDue !== null) appendPing(output, 'pong', this.#pongDue, this.#clock())
    if (this.#pingDue)
      appendPing(output, 'ping', String(Math.floor(this.#world.nowMs() * 1000)), this.#clock())
    this.#pongDue = null
    this.#pingDue = false
  }

  /** The other end asks. */
  pingHeard(number: string): void {
    this.#pongDue = number
  }

  /** The other end answers. @param number what was asked: our clock that only goes on, in microseconds. */
  pongHeard(number: string, clock: Nanotime): void {
    const nowMs = this.#world.nowMs()
    const roundTripMs = nowMs - Number(number) / 1000
    if (!(roundTripMs >= 0 && roundTripMs <= this.#limits.progressMsMax)) return
    this.#askedMs = null
    const ours = this.#clock()
    this.#samples.push({ roundTripMs, offsetMs: clockOffsetMs(clock, ours, ours) + roundTripMs / 2 })
    if (this.#samples.length > SAMPLES) this.#samples.shift()
  }

  get #best(): Sample | undefined {
    return this.#samples.reduce<Sample | undefined>((best, sample) => {
      return best === undefined || sample.roundTripMs < best.roundTripMs ? sample : best
    }, undefined)
  }

  #clock(): Nanotime {
    const time = { seconds: 0, nanoseconds: 0 }
    this.#world.readClock(time)
    return time
  }
}
