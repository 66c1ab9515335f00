import { CITIES, type City, FLIGHTS, RAILWAYS, VOYAGE } from './cities.ts'
import { Mover } from './mover.ts'
import { overGlobe, overStreets, type Path, type PlanePoint, thereAndBack } from './paths.ts'
import { SeededRandom } from './random.ts'
import type { Leg } from './timetable.ts'

/** How somebody gets about. */
export type Kind = 'walker' | 'cyclist' | 'bus' | 'train' | 'plane' | 'ship' | 'family'

/** Somebody in the demo, with a phone. */
export interface Actor {
  /** The client's ID; of the family, `<user>/<device>`. */
  readonly client: string
  readonly kind: Kind
  /** What people read. */
  readonly name: string
  readonly mover: Mover
}

/** Metres a second that each kind never goes beyond. */
export const SPEED_MAX: Readonly<Record<Kind, number>> = {
  ...{ walker: 1.8, cyclist: 7, bus: 13, train: 70, plane: 260, ship: 12, family: 13 },
}

/** One of each first, so that a small demo has some of everything; then by how many there are of a kind. */
const FIRST: readonly Kind[] = [
  ...(['bus', 'walker', 'plane', 'ship', 'family', 'train', 'cyclist'] as const),
  ...(['family', 'walker', 'bus', 'family', 'plane', 'walker', 'family', 'cyclist'] as const),
]
const SHARES: readonly (readonly [kind: Kind, upTo: number])[] = [
  ['walker', 0.5],
  ['cyclist', 0.72],
  ['bus', 0.92],
  ['train', 0.95],
  ['plane', 1],
]
const FAMILY = ['mia', 'joe', 'ana', 'leo'] as const
const BLOCK: PlanePoint = [110, 180]
/** This part of those in cities is in the first one. */
const HOME_SHARE = 0.45
const FLAT = (): number => 30

/** So many who move, the same for the same seed. The first of more are those of fewer. */
export function castOf(clients: number, seed: number): Actor[] {
  const random = new SeededRandom(seed)
  const counts = new Map<Kind, number>()
  return Array.from({ length: clients }, (_, index) => {
    const kind = FIRST[index] ?? kindAt(random.next())
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return actorOf(kind, count, new SeededRandom(seed + 7919 * (index + 1)))
  })
}

function kindAt(chance: number): Kind {
  return SHARES.find(([, upTo]) => chance < upTo)?.[0] ?? 'walker'
}

function actorOf(kind: Kind, count: number, random: SeededRandom): Actor {
  const client = `${kind}-${count}`
  switch (kind) {
    case 'walker':
      return {
        client,
        kind,
        ...stroll(count, random, { speed: [1.1, 1.7], blocks: [4, 10], wait: 12, round: 4 }),
      }
    case 'cyclist':
      return {
        client,
        kind,
        ...stroll(count, random, { speed: [3.8, 6.5], blocks: [10, 22], wait: 10, round: 9 }),
      }
    case 'bus':
      return { client, kind, ...line(count, random) }
    case 'train':
      return { client, kind, ...railway(count, random) }
    case 'plane':
      return { client, kind, ...flight(count, random) }
    case 'ship':
      return { client, kind, ...voyage(random) }
    case 'family':
      return { kind, ...member(count, random) }
    default:
      return kind satisfies never
  }
}

interface Stroll {
  readonly speed: readonly [min: number, max: number]
  /** Streets there and back. */
  readonly blocks: readonly [min: number, max: number]
  /** Seconds at a light. */
  readonly wait: number
  readonly round: number
}

type Part = Pick<Actor, 'name' | 'mover'>

/** Around some blocks, again and again, with a wait at some corners. */
function stroll(count: number, random: SeededRandom, { speed, blocks, wait, round }: Stroll): Part {
  const city = cityFor(count, random)
  const corners = walk(random, random.whole(...blocks))
  const path = overStreets(city, turned(loop(corners), city), { isClosed: true, round })
  const pace = random.between(...speed)
  const legs: Leg[] = []
  for (let left = path.metres; left > 1; ) {
    const metres = Math.min(left, random.between(150, 500))
    legs.push({ metres, speed: pace, acceleration: 0.7, dwellSeconds: random.between(0, wait) })
    left -= metres
  }
  return { name: `${city.name}`, mover: moverOf(path, legs, random) }
}

/** A bus: along some streets and back, with a stop every few hundred metres. */
function line(count: number, random: SeededRandom): Part {
  const city = cityFor(count, random)
  const path = thereAndBack(
    overStreets(city, turned(walk(random, random.whole(18, 40)), city), { isClosed: false, round: 10 }),
  )
  const speed = random.between(8, 12)
  const stops = Math.max(2, Math.round(path.metres / 2 / random.between(280, 420)))
  const metres = path.metres / 2 / stops
  const legs = Array.from({ length: stops * 2 }, (_, stop) => {
    const isEnd = stop % stops === stops - 1
    return { metres, speed, acceleration: 1, dwellSeconds: isEnd ? 60 : 10 + random.next() * 12 }
  })
  return { name: `${city.name}, line ${random.whole(1, 99)}`, mover: moverOf(path, legs, random) }
}

function railway(count: number, random: SeededRandom): Part {
  const { name, stations } = pick(RAILWAYS, count)
  const way = overGlobe(stations)
  const hops = stations
    .slice(1)
    .map((station, index) => overGlobe([stations[index] ?? station, station]).metres)
  const speed = random.between(38, 65)
  const legs = [...hops, ...hops.toReversed()].map((metres) => {
    return { metres, speed, acceleration: 0.5, dwellSeconds: 60 }
  })
  return { name, mover: moverOf(thereAndBack(way), legs, random) }
}

const CRUISE_METRES = 10_700
const CLIMB_METRES = 200_000
const BETWEEN_FLIGHTS_SECONDS = 2400

function flight(count: number, random: SeededRandom): Part {
  const [name, from, to] = pick(FLIGHTS, count)
  const way = overGlobe([from, to])
  const leg = {
    metres: way.metres,
    ...{ speed: random.between(235, 255), acceleration: 0.8, dwellSeconds: BETWEEN_FLIGHTS_SECONDS },
  }
  const altitude = (metres: number): number => {
    const along = metres % way.metres
    const climbed = Math.min(1, Math.min(along, way.metres - along) / CLIMB_METRES)
    return CRUISE_METRES * climbed ** 2 * (3 - 2 * climbed)
  }
  const { periodSeconds } = new Mover(moverOptions(thereAndBack(way), [leg, leg], random)).timetable
  // In the air, somewhere between the two.
  const aheadSeconds = (periodSeconds / 2 - BETWEEN_FLIGHTS_SECONDS) * random.between(0.2, 0.8)
  const options = { ...moverOptions(thereAndBack(way), [leg, leg], random), aheadSeconds, altitude }
  return { name, mover: new Mover(options) }
}

/** It crosses the antimeridian soon after the beginning, for those who look. */
const BEFORE_ANTIMERIDIAN_SECONDS = 60

function voyage(random: SeededRandom): Part {
  const way = overGlobe(VOYAGE)
  const leg = { metres: way.metres, speed: 11, acceleration: 0.05, dwellSeconds: 3600 }
  const options = moverOptions(thereAndBack(way), [leg, leg], random)
  let [west, east] = [0, way.metres]
  for (let step = 0; step < 60; step++) {
    const middle = (west + east) / 2
    if (way.at(middle).lon > 0) west = middle
    else east = middle
  }
  const aheadSeconds = new Mover(options).timetable.timeAt(east) - BEFORE_ANTIMERIDIAN_SECONDS
  return { name: 'Suva – Apia', mover: new Mover({ ...options, aheadSeconds, altitude: () => 0 }) }
}

/** The family lives in the first city: two walk, one cycles, one drives. */
function member(count: number, random: SeededRandom): Part & Pick<Actor, 'client'> {
  const name = FAMILY[(count - 1) % FAMILY.length] ?? 'mia'
  const device = count > FAMILY.length ? `phone${count}` : 'phone'
  const ways: readonly Stroll[] = [
    { speed: [1.2, 1.6], blocks: [4, 8], wait: 10, round: 4 },
    { speed: [8, 11], blocks: [24, 40], wait: 20, round: 10 },
    { speed: [4, 6], blocks: [10, 16], wait: 10, round: 9 },
    { speed: [1.2, 1.6], blocks: [4, 8], wait: 10, round: 4 },
  ]
  const { mover } = stroll(0, random, pick(ways, count))
  return { client: `${name}/${device}`, name: `${name[0]?.toUpperCase()}${name.slice(1)}`, mover }
}

function moverOptions(
  path: Path,
  legs: readonly Leg[],
  random: SeededRandom,
): ConstructorParameters<typeof Mover>[0] {
  return { path, legs, aheadSeconds: random.between(0, 36_000), altitude: FLAT, chance: random.next() }
}

function moverOf(path: Path, legs: readonly Leg[], random: SeededRandom): Mover {
  return new Mover(moverOptions(path, legs, random))
}

/** Corners of a way through streets that cross at right angles: mostly straight on, never at once back. */
function walk(random: SeededRandom, blocks: number): PlanePoint[] {
  let [east, north] = [random.whole(-8, 8), random.whole(-5, 5)]
  let direction = random.whole(0, 3)
  const corners: PlanePoint[] = [[east * BLOCK[0], north * BLOCK[1]]]
  for (let block = 0; block < blocks; block++) {
    const chance = random.next()
    if (block > 0 && chance < 0.36) direction = (direction + (chance < 0.18 ? 1 : 3)) % 4
    east += [0, 1, 0, -1][direction] ?? 0
    north += [1, 0, -1, 0][direction] ?? 0
    corners.push([east * BLOCK[0], north * BLOCK[1]])
  }
  return corners
}

/** Back to where a way began, along two more streets. */
function loop(corners: readonly PlanePoint[]): PlanePoint[] {
  const [first = [0, 0], last = [0, 0]] = [corners[0], corners.at(-1)]
  const isStraight = first[0] === last[0] || first[1] === last[1]
  // A way that lies on one street goes back by the next one.
  const aside = isStraight
    ? ([
        [last[0] + BLOCK[0], last[1] + BLOCK[1]],
        [first[0] + BLOCK[0], first[1] + BLOCK[1]],
      ] as const)
    : ([[first[0], last[1]]] as const)
  return [...corners, ...aside]
}

function turned(corners: readonly PlanePoint[], city: City): PlanePoint[] {
  const angle = (city.turned * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return corners.map(([east, north]) => [east * cos + north * sin, north * cos - east * sin])
}

function cityFor(count: number, random: SeededRandom): City {
  return count < 3 || random.next() < HOME_SHARE
    ? pick(CITIES, 1)
    : pick(CITIES, random.whole(1, CITIES.length))
}

/** The `count`th, from 1 on; behind the last comes the first. */
function pick<Item>(items: readonly Item[], count: number): Item {
  const item = items[(count + items.length - 1) % items.length]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}
