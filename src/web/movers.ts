/** Every client on the map, and what of it must be drawn anew. Pure: times are handed in, in milliseconds of any steady clock. */
import type { FixJson } from '../gateways/http/shapes.ts'
import { type Freshness, freshnessOf, secondsToNextStep } from './freshness.ts'
import { type Glide, glidePoint, glideTo } from './glide.ts'
import { type LonLat, Trail } from './trail.ts'

/** Clients that one page shows. More would make a browser slow; those that come then are counted only. */
export const MOVERS_MAX = 50_000
/** With more clients than this, each jumps to its next place. */
export const GLIDING_MAX = 400

/** One client. */
export interface Mover {
  /** What it is called on the map. */
  readonly number: number
  readonly client: string
  readonly fix: FixJson
  readonly trail: Trail
  /** Where it is drawn now. */
  readonly drawn: LonLat
  readonly freshness: Freshness
}

/** What must be drawn anew. */
export interface MoverChanges {
  readonly added: readonly Mover[]
  readonly changed: readonly Mover[]
  readonly removed: readonly number[]
}

interface Movement {
  number: number
  client: string
  fix: FixJson
  trail: Trail
  drawn: LonLat
  freshness: Freshness
  /** When the client was where `fix` says. */
  fixedMs: number
  /** When the fix came. */
  cameMs: number
  nextStepMs: number
  glide: Glide | null
}

/** All of them, by ID. */
export class Movers {
  readonly #staleAfterSeconds: number
  readonly #byClient = new Map<string, Movement>()
  readonly #byNumber = new Map<number, Movement>()
  readonly #added = new Set<Movement>()
  readonly #changed = new Set<Movement>()
  readonly #removed = new Set<number>()
  readonly #gliding = new Set<Movement>()
  #numbers = 0
  #leftOut = 0

  /** Whether clients move smoothly; not for people who asked for less motion. */
  glides = true

  constructor(staleAfterSeconds: number) {
    this.#staleAfterSeconds = staleAfterSeconds
  }

  get size(): number {
    return this.#byClient.size
  }

  /** Fixes that were not shown because of `MOVERS_MAX`. */
  get leftOut(): number {
    return this.#leftOut
  }

  /** The IDs of all clients. */
  get clients(): Iterable<string> {
    return this.#byClient.keys()
  }

  /** All clients. */
  get all(): Iterable<Mover> {
    return this.#byClient.values()
  }

  /** A client by its ID. */
  get(client: string): Mover | undefined {
    return this.#byClient.get(client)
  }

  /** A client by its number on the map. */
  numbered(number: number): Mover | undefined {
    return this.#byNumber.get(number)
  }

  /** Takes a fix that came just now. */
  apply(fix: FixJson, nowMs: number): void {
    const at: LonLat = [fix.lon, fix.lat]
    const fixedMs = nowMs - fix.age_s * 1000
    const known = this.#byClient.get(fix.client)
    if (known === undefined) {
      this.#add(fix, at, fixedMs, nowMs)
      return
    }
    known.fix = fix
    known.glide =
      this.glides && this.size <= GLIDING_MAX ? glideTo(known.drawn, at, nowMs, nowMs - known.cameMs) : null
    if (known.glide === null) known.drawn = at
    else this.#gliding.add(known)
    known.trail.add(at)
    known.fixedMs = fixedMs
    known.cameMs = nowMs
    this.#age(known, nowMs)
    this.#change(known)
  }

  /** Takes a client off the map. */
  remove(client: string): void {
    const known = this.#byClient.get(client)
    if (known === undefined) return
    this.#byClient.delete(client)
    this.#byNumber.delete(known.number)
    this.#gliding.delete(known)
    this.#changed.delete(known)
    if (!this.#added.delete(known)) this.#removed.add(known.number)
  }

  /** Seconds since a client was where it is drawn. */
  ageSeconds({ client }: Pick<Mover, 'client'>, nowMs: number): number {
    const known = this.#byClient.get(client)
    return known === undefined ? 0 : (nowMs - known.fixedMs) / 1000
  }

  /** Lets those who glide move on. */
  glide(nowMs: number): void {
    for (const mover of this.#gliding) {
      if (mover.glide !== null) {
        mover.drawn = glidePoint(mover.glide, nowMs)
        if (nowMs - mover.glide.startMs >= mover.glide.lastsMs) mover.glide = null
      }
      if (mover.glide === null) this.#gliding.delete(mover)
      this.#change(mover)
    }
  }

  /** Lets everyone look as old as they are. */
  age(nowMs: number): void {
    for (const mover of this.#byClient.values()) {
      if (nowMs < mover.nextStepMs) continue
      this.#age(mover, nowMs)
      this.#change(mover)
    }
  }

  /** Has all of them drawn anew. */
  changeAll(): void {
    for (const mover of this.#byClient.values()) this.#change(mover)
  }

  /** Whether anything must be drawn anew. */
  get hasChanges(): boolean {
    return this.#added.size + this.#changed.size + this.#removed.size > 0
  }

  /** What must be drawn anew since the last time. */
  takeChanges(): MoverChanges {
    const changes = { added: [...this.#added], changed: [...this.#changed], removed: [...this.#removed] }
    this.#added.clear()
    this.#changed.clear()
    this.#removed.clear()
    return changes
  }

  #add(fix: FixJson, at: LonLat, fixedMs: number, nowMs: number): void {
    if (this.size >= MOVERS_MAX) {
      this.#leftOut++
      return
    }
    const trail = new Trail()
    trail.add(at)
    const number = ++this.#numbers
    const mover: Movement = {
      ...{ number, client: fix.client, fix, trail, drawn: at, freshness: 0, fixedMs, cameMs: nowMs },
      ...{ nextStepMs: 0, glide: null },
    }
    this.#age(mover, nowMs)
    this.#byClient.set(fix.client, mover)
    this.#byNumber.set(number, mover)
    this.#added.add(mover)
  }

  #age(mover: Movement, nowMs: number): void {
    const age = (nowMs - mover.fixedMs) / 1000
    mover.freshness = freshnessOf(age, this.#staleAfterSeconds)
    mover.nextStepMs = nowMs + secondsToNextStep(age, this.#staleAfterSeconds) * 1000
  }

  #change(mover: Movement): void {
    if (!this.#added.has(mover)) this.#changed.add(mover)
  }
}
