import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixOf } from '../../test/support/fixes.ts'
import { naiveMetres, readAt } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { makeBox } from './areas.ts'
import { type Candidates, NearestCandidates, ShapeCandidates } from './candidates.ts'
import { quickErrorMax, quickMetres } from './distance.ts'
import { ServerNames } from './server-names.ts'
import { StoredFixes } from './stored-fixes.ts'

type Place = readonly [number, number]

/** Clients at these places, without a grid; numbered backwards, so that IDs have another order than records. */
function store(places: readonly Place[]): { fixes: StoredFixes; lines: string[] } {
  const names = new ServerNames(1)
  const fixes = new StoredFixes(1 << 20, names)
  const lines = places.map(([latitude, longitude], place) => {
    const id = String(9999 - place)
    return `AT Alford +0 ${id} ${signed(latitude)}${signed(longitude)} 1`
  })
  for (const line of lines) fixes.add(fixOf(line, names))
  return { fixes, lines }
}

function signed(degrees: number): string {
  return (degrees < 0 ? '' : '+') + degrees.toFixed(12)
}

/** Offers all records, in some order. @returns those taken, and what that cost. */
function choose(candidates: Candidates, order: readonly number[]): { taken: number[]; work: number } {
  for (const record of order) candidates.offer(record)
  return { taken: candidates.take(), work: candidates.work }
}

/** What those asked for are, by exact distances and IDs. */
function nearest(
  lines: readonly string[],
  [latitude, longitude]: Place,
  radius: number,
  items: number,
): number[] {
  return lines
    .map((line, record) => ({ record, metres: naiveMetres(latitude, longitude, readAt(line)) }))
    .filter(({ metres }) => metres <= radius)
    .toSorted((a, b) => a.metres - b.metres || b.record - a.record)
    .slice(0, items)
    .map(({ record }) => record)
}

/** Places about equally far: the nearer the ring's width is to nothing, the more often the quick distances tie. */
const middle = fc.constantFrom<Place>(
  [0, 0],
  [34.07, -118.45],
  [78.9, 10],
  [79.1, 10],
  [-89.99, 0],
  [10, 180],
)
const ring = fc
  .tuple(
    fc.array(fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }), { maxLength: 40, size: 'max' }),
    fc.constantFrom(0.000_01, 0.01, 0.4492, 1, 20),
    fc.constantFrom(0, 1e-12, 1e-9, 1e-6, 1e-3),
  )
  .map(([angles, degrees, width]) => ({ angles, degrees, width }))

type Ring = typeof ring extends fc.Arbitrary<infer T> ? T : never

function placesOn([latitude, longitude]: Place, { angles, degrees, width }: Ring): Place[] {
  return angles.map((angle, place) => {
    const reach = degrees * (1 + width * ((place % 7) - 3))
    const north = latitude + reach * Math.cos(angle)
    const east = longitude + (reach * Math.sin(angle)) / Math.max(0.01, Math.cos((latitude * Math.PI) / 180))
    return [Math.max(-90, Math.min(90, north)), east > 180 ? east - 360 : east < -180 ? east + 360 : east]
  })
}

test('the order is that of the exact distances, also where quick ones tie, in whatever order they were met', () => {
  let ties = 0
  const items = fc.constantFrom(1, 3, 20, 100)
  fc.assert(
    fc.property(middle, ring, items, fc.boolean(), (middle, ring, items, isThrough) => {
      const { fixes, lines } = store(placesOn(middle, ring))
      const [latitude, longitude] = middle
      // A circle that goes right through one of them, or around all.
      const [first] = lines
      const radiusMetres =
        isThrough && first !== undefined ? naiveMetres(latitude, longitude, readAt(first)) : 2e7
      const records = lines.map((_, record) => record)
      for (const order of [records, records.toReversed()]) {
        const circle = { kind: 'circle', center: { latitude, longitude }, radiusMetres } as const
        const { taken } = choose(new NearestCandidates(fixes, circle, items), order)
        assert.deepEqual(taken, nearest(lines, middle, radiusMetres, items))
      }
      ties += countTies(fixes, middle)
    }),
    runs(400),
  )
  assert.ok(ties > 1000, `${ties} pairs that quick distances do not tell apart`)
})

/** How many neighbors by number are as far as each other, as far as quick distances tell. */
function countTies(fixes: StoredFixes, [latitude, longitude]: Place): number {
  let ties = 0
  for (let record = 1; record < fixes.records.end; record++) {
    const [a, b] = [record - 1, record].map((one) =>
      quickMetres(latitude, longitude, fixes.latitude(one), fixes.longitude(one)),
    ) as [number, number]
    if (Math.abs(a - b) <= quickErrorMax(latitude, a) + quickErrorMax(latitude, b)) ties++
  }
  return ties
}

test('a crowd at one place costs one exact distance, and equal distances are ordered by ID', () => {
  const { fixes, lines } = store(Array.from({ length: 2000 }, () => [50, 7]))
  const records = lines.map((_, record) => record)
  const circle = { kind: 'circle', center: { latitude: 50.1, longitude: 7.1 }, radiusMetres: 2e7 } as const
  const { taken, work } = choose(new NearestCandidates(fixes, circle, 100), records)
  assert.deepEqual(taken, records.toReversed().slice(0, 100))
  const alone = choose(new NearestCandidates(fixes, circle, 2), records.slice(0, 2))
  assert.ok(work > 0)
  assert.equal(work, alone.work)
})

test('distances that differ by more than their errors cost no exact ones', () => {
  const { fixes, lines } = store(Array.from({ length: 2000 }, (_, place) => [50 + place * 1e-5, 7]))
  const circle = { kind: 'circle', center: { latitude: 50, longitude: 7 }, radiusMetres: 50_000 } as const
  const { taken, work } = choose(
    new NearestCandidates(fixes, circle, 20),
    lines.map((_, record) => record),
  )
  assert.deepEqual(
    taken,
    Array.from({ length: 20 }, (_, place) => place),
  )
  assert.equal(work, 0)
})

test('those in a shape come in the order of their IDs, whatever order they were met in', () => {
  const area = makeBox({ latitude: 0, longitude: 0 }, { latitude: 1, longitude: 1 })
  const inside = fc.array(fc.boolean(), { maxLength: 400, size: 'max' })
  fc.assert(
    fc.property(inside, fc.constantFrom(1, 2, 50, 1000), fc.nat(), (inside, items, turn) => {
      const { fixes, lines } = store(inside.map((is) => (is ? [0.5, 1] : [0.5, 1.001])))
      const records = lines.map((_, record) => record)
      const cut = turn % (records.length + 1)
      const order = [...records.slice(cut), ...records.slice(0, cut)]
      const { taken, work } = choose(new ShapeCandidates(fixes, area, items), order)
      const expected = records.toReversed().filter((record) => inside[record])
      assert.deepEqual(taken, expected.slice(0, items))
      assert.equal(work, records.length * area.cost)
    }),
    runs(100),
  )
})

test('there are as many as were asked for within a distance only when the last of them surely is', () => {
  const { fixes, lines } = store([
    [0, 0.001],
    [0, 0.002],
    [0, 0.003],
  ])
  const circle = { kind: 'circle', center: { latitude: 0, longitude: 0 }, radiusMetres: 50_000 } as const
  const candidates = new NearestCandidates(fixes, circle, 3)
  for (const record of [0, 1]) candidates.offer(record)
  assert.equal(candidates.count, 2)
  assert.equal(candidates.hasWithin(50_000), false)
  candidates.offer(2)
  const last = naiveMetres(0, 0, readAt(lines[2] ?? ''))
  assert.equal(candidates.count, 3)
  assert.equal(candidates.hasWithin(last + 0.001), true)
  assert.equal(candidates.hasWithin(last - 0.001), false)
})
