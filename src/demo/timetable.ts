/** From one stop to the next. */
export interface Leg {
  readonly metres: number
  /** Metres a second at most. */
  readonly speed: number
  /** Metres a second, each second. */
  readonly acceleration: number
  /** How long one stands at its end. */
  readonly dwellSeconds: number
}

/** How far one is, and how fast. */
export interface Progress {
  readonly metres: number
  readonly speed: number
}

interface TimedLeg extends Leg {
  readonly fromSeconds: number
  readonly fromMetres: number
  readonly rampSeconds: number
  readonly topSpeed: number
  readonly moveSeconds: number
}

/** Legs one after the other, and again from the first: gathers speed, goes, brakes, stands. A pure function of time. */
export class Timetable {
  readonly #legs: readonly TimedLeg[]
  readonly periodSeconds: number

  constructor(legs: readonly Leg[]) {
    const timed: TimedLeg[] = []
    let [fromSeconds, fromMetres] = [0, 0]
    for (const leg of legs) {
      // On a short leg the top speed is never reached.
      const topSpeed = Math.min(leg.speed, Math.sqrt(leg.metres * leg.acceleration))
      const rampSeconds = topSpeed / leg.acceleration
      const cruiseMetres = Math.max(0, leg.metres - topSpeed * rampSeconds)
      const moveSeconds = 2 * rampSeconds + cruiseMetres / topSpeed
      timed.push({ ...leg, fromSeconds, fromMetres, rampSeconds, topSpeed, moveSeconds })
      fromSeconds += moveSeconds + leg.dwellSeconds
      fromMetres += leg.metres
    }
    this.#legs = timed
    this.periodSeconds = fromSeconds
  }

  /** How far one is at a time, from 0 up to the sum of all legs. */
  at(seconds: number): Progress {
    const time = ((seconds % this.periodSeconds) + this.periodSeconds) % this.periodSeconds
    const leg = this.#legs.findLast(({ fromSeconds }) => fromSeconds <= time) ?? this.#legs[0]
    if (leg === undefined) return { metres: 0, speed: 0 }
    const { fromMetres, fromSeconds, rampSeconds, topSpeed, moveSeconds, acceleration, metres } = leg
    const since = time - fromSeconds
    if (since >= moveSeconds) return { metres: fromMetres + metres, speed: 0 }
    const left = moveSeconds - since
    if (since < rampSeconds) {
      return { metres: fromMetres + (acceleration * since ** 2) / 2, speed: acceleration * since }
    }
    if (left < rampSeconds) {
      return { metres: fromMetres + metres - (acceleration * left ** 2) / 2, speed: acceleration * left }
    }
    const cruised = since - rampSeconds
    return { metres: fromMetres + (topSpeed * rampSeconds) / 2 + topSpeed * cruised, speed: topSpeed }
  }

  /** The first time at which one is so far. */
  timeAt(metres: number): number {
    let [early, late] = [0, this.periodSeconds]
    for (let step = 0; step < 60; step++) {
      const middle = (early + late) / 2
      if (this.at(middle).metres < metres) early = middle
      else late = middle
    }
    return late
  }
}
