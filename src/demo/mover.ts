import type { Path } from './paths.ts'
import { type Leg, Timetable } from './timetable.ts'

/** What a phone knows of where it is. */
export interface Whereabouts {
  readonly lat: number
  readonly lon: number
  readonly altitudeMetres: number
  readonly accuracyMetres: number
  readonly speedMps: number
  /** Clockwise from north, from 0 up to, but not including, 360. */
  readonly headingDegrees: number
  /** 0 to 100. */
  readonly batteryPercent: number
}

/** How somebody moves. */
export interface MoverOptions {
  readonly path: Path
  readonly legs: readonly Leg[]
  /** By so many seconds it is ahead of its timetable at the beginning. */
  readonly aheadSeconds: number
  /** Height by how far one is on the path. */
  readonly altitude: (metres: number) => number
  /** From 0 up to, but not including, 1: what differs from one phone to the next. */
  readonly chance: number
}

const BATTERY_SECONDS = 10 * 3600
const CHARGE_SECONDS = 2 * 3600
const BATTERY_MIN = 12

/** Somebody who moves. Where they are is a pure function of time. */
export class Mover {
  readonly timetable: Timetable
  readonly #options: MoverOptions

  constructor(options: MoverOptions) {
    this.#options = options
    this.timetable = new Timetable(options.legs)
  }

  /** Where they are, so many seconds after the beginning. */
  at(seconds: number): Whereabouts {
    const { path, aheadSeconds, altitude, chance } = this.#options
    const { metres, speed } = this.timetable.at(seconds + aheadSeconds)
    const { lat, lon, heading, stretch } = path.at(Math.min(metres, path.metres))
    return {
      ...{ lat, lon, altitudeMetres: altitude(metres), headingDegrees: heading, speedMps: speed * stretch },
      // Satellites come and go.
      accuracyMetres: 4 + 3 * chance + 2.5 * (1 + Math.sin(seconds / (37 + 40 * chance) + chance * 6)),
      batteryPercent: battery(seconds + chance * (BATTERY_SECONDS + CHARGE_SECONDS)),
    }
  }
}

/** Runs down during the day, is charged, runs down. */
function battery(seconds: number): number {
  const time = seconds % (BATTERY_SECONDS + CHARGE_SECONDS)
  const [top, span] = [100, 100 - BATTERY_MIN]
  if (time < BATTERY_SECONDS) return top - (span * time) / BATTERY_SECONDS
  return BATTERY_MIN + (span * (time - BATTERY_SECONDS)) / CHARGE_SECONDS
}
