/** Searches that take several turns, while clients come, go, move and expire between these. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FixWriter } from '../../test/support/fix-writer.ts'
import { TEST_KEY, WIDE_LIMITS } from '../../test/support/fixes.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { ellipsoidMetres } from './distance.ts'
import { type Circle, LiveTable, type LonLat, makePolygons, type Query, ServerNames } from './index.ts'
import { TURN_LOOKS_MAX } from './search.ts'

const START = 1_000_000_000
/** In each second after the start one of so many clients expires. */
const AGES = 50

interface Walker {
  readonly record: number
  readonly seconds: number
  readonly isInside: boolean
}

/** A table of clients who are within 0.2° of the middle, or 2° off, and who of them was inside all the time. */
class Walkers {
  readonly table: LiveTable
  readonly #writer = new FixWriter()
  readonly #walkers = new Map<number, Walker>()
  readonly #stayed = new Set<number>()
  #fresh = 0
  #forgetBefore = START

  constructor(count: number) {
    const names = new ServerNames(1)
    names.indexOf(Buffer.from('Alford'), 0, 6)
    this.table = new LiveTable(WIDE_LIMITS, names, TEST_KEY)
    while (this.#fresh < count) {
      if (this.#fresh % 10 !== 0) this.#stayed.add(this.#fresh)
      this.come(this.#fresh % 10 !== 0, this.#fresh)
    }
  }

  come(isInside: boolean, spot: number): void {
    this.#put(this.#fresh++, isInside, spot)
  }

  move(choice: number, isInside: boolean): void {
    this.#put(choice % this.#fresh, isInside, choice)
  }

  remove(choice: number): void {
    const client = choice % this.#fresh
    const walker = this.#walkers.get(client)
    if (walker === undefined) return
    this.table.remove(walker.record)
    this.#drop(client)
  }

  /** Forgets what is older than one second more. */
  forget(): void {
    this.#forgetBefore++
    this.table.forgetBefore({ seconds: this.#forgetBefore, nanoseconds: 0 })
    for (const [client, { seconds }] of this.#walkers) {
      if (seconds < this.#forgetBefore) this.#stayed.delete(client)
    }
  }

  sweep(): void {
    this.table.sweep(this.table.recordsEnd)
    for (const [client, { seconds }] of this.#walkers) if (seconds < this.#forgetBefore) this.#drop(client)
  }

  /** Everyone who was inside all the time is among these records, and nobody who isn't there now. */
  assertFound(found: readonly number[]): void {
    const clients = found.map((record) => this.#clientOf(record))
    assert.equal(new Set(clients).size, clients.length, 'nobody comes twice')
    for (const client of clients) {
      const walker = this.#walkers.get(client)
      assert.ok(walker?.isInside && walker.seconds >= this.#forgetBefore, `${client} is there`)
    }
    assert.deepEqual([...this.#stayed.difference(new Set(clients))], [], 'nobody is missing')
  }

  #put(client: number, isInside: boolean, spot: number): void {
    const middle = isInside ? 0 : 2_000_000
    const latitude = middle + ((spot * 7919) % 200_000)
    const longitude = -middle - ((spot * 104_729) % 200_000)
    const known = this.#walkers.get(client)
    const seconds = Math.max((known?.seconds ?? 0) + 1, this.#forgetBefore + (client % AGES))
    // IDs of several lengths, so that their order isn't that of the numbers.
    const fix = this.#writer.write({ client, idDigits: 5 + (client % 3), latitude, longitude, seconds })
    const record = this.table.apply(fix)
    assert.ok(record >= 0)
    this.#walkers.set(client, { record, seconds, isInside })
    if (!isInside) this.#stayed.delete(client)
  }

  #drop(client: number): void {
    this.#walkers.delete(client)
    this.#stayed.delete(client)
  }

  #clientOf(record: number): number {
    return Number(this.table.read(record).client.toString())
  }
}

type Change = (walkers: Walkers) => void

const choice = fc.nat(100_000)
const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(choice, fc.boolean()).map(
      ([c, to]): Change =>
        (w) =>
          w.move(c, to),
    ),
  },
  {
    weight: 3,
    arbitrary: choice.map(
      (choice): Change =>
        (walkers) =>
          walkers.remove(choice),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.boolean(), choice).map(
      ([to, c]): Change =>
        (w) =>
          w.come(to, c),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Change>((walkers) => walkers.forget()) },
  { weight: 1, arbitrary: fc.constant<Change>((walkers) => walkers.sweep()) },
)
/** What happens between two turns, for some turns. */
const changes = fc.array(fc.array(change, { maxLength: 40, size: 'max' }), { minLength: 1, maxLength: 6 })

/** Searches while the walkers walk. @returns the records found. */
function search(
  walkers: Walkers,
  area: Query['area'],
  items: number,
  changes: readonly Change[][],
): number[] {
  const search = walkers.table.search({ area, items, since: null, except: -1 })
  let turns = 0
  while (!search.step()) {
    for (const change of changes[turns] ?? []) change(walkers)
    turns++
  }
  assert.ok(turns > 0, 'there are turns to do something between')
  return [...search.found]
}

const circle: Circle = { kind: 'circle', center: { latitude: 0, longitude: 0 }, radiusMetres: 50_000 }

/** About the same, with so many corners that a turn looks at few records. */
const corners = Array.from({ length: 2000 }, (_, corner): LonLat => {
  const angle = (corner * 2 * Math.PI) / 2000
  return [0.4 * Math.cos(angle), 0.4 * Math.sin(angle)]
})
const polygon = makePolygons([[[...corners, [0.4, 0]]]])

test('a polygon searched in turns has everyone who stayed, nobody who is gone, in the order of IDs', () => {
  fc.assert(
    fc.property(changes, (changes) => {
      const walkers = new Walkers(500)
      const found = search(walkers, polygon, 1000, changes)
      walkers.assertFound(found)
      const ids = found.map((record) => Buffer.from(walkers.table.read(record).client))
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => Buffer.compare(a, b)),
      )
    }),
    runs(60),
  )
})

test('a circle searched in turns has everyone who stayed, nobody who is gone, the nearest first', () => {
  fc.assert(
    fc.property(changes, (changes) => {
      const walkers = new Walkers(1.4 * TURN_LOOKS_MAX)
      const found = search(walkers, circle, 2 * TURN_LOOKS_MAX, changes)
      walkers.assertFound(found)
      const metres = found.map((record) => {
        const { latitude, longitude } = walkers.table.read(record)
        return ellipsoidMetres(0, 0, latitude, longitude)
      })
      assert.ok(metres.every((one, place) => one <= (metres[place + 1] ?? one)))
    }),
    runs(4),
  )
})

test('what is forgotten between two turns is in no answer, also when younger fixes were asked for', () => {
  const walkers = new Walkers(500)
  const since = { seconds: START + 10, nanoseconds: 0 }
  const search = walkers.table.search({ area: polygon, items: 1000, since, except: -1 })
  assert.equal(search.step(), false)
  for (let second = 0; second < 20; second++) walkers.forget()
  while (!search.step());
  walkers.assertFound(search.found)
})
