import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineTable } from '../../test/support/fixes.ts'
import { NaiveTable, naiveMetres, readAt } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'

/** Places where geometry is awkward: poles, the antimeridian, the equator, and an ordinary one. */
const centre = fc.constantFrom<readonly [number, number]>(
  [34.06893, -118.445127],
  [90, 0],
  [-90, 180],
  [89.9999, 33],
  [-89.995, -179.99],
  [89.7, 90],
  [0, 180],
  [0.005, -180],
  [-16.5, 179.999],
  [60, -179.9999],
  [0, 0],
)

/** Degrees from micrometres to 50 km, in both directions. */
const offset = fc
  .tuple(fc.double({ min: 0.5, max: 9.5, noNaN: true }), fc.integer({ min: -10, max: -1 }), fc.boolean())
  .map(([mantissa, exponent, negative]) => (negative ? -1 : 1) * mantissa * 10 ** exponent)

/** How a place lies to the centre. At the border of a cell, which are hundredths of a degree in latitude. */
const placement = fc.oneof(
  { weight: 6, arbitrary: fc.record({ how: fc.constant('near' as const), north: offset, east: offset }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('there' as const), north: offset, east: offset }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('border' as const), north: offset, east: offset }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('meridian' as const), north: offset, east: offset }) },
)
type Placement = typeof placement extends fc.Arbitrary<infer T> ? T : never

function place([latitude, longitude]: readonly [number, number], { how, north, east }: Placement): string {
  if (how === 'there') return positionText(latitude, longitude)
  if (how === 'border') {
    return positionText(
      Math.round((latitude + north) * 100) / 100,
      Math.round((longitude + east) * 100) / 100,
    )
  }
  if (how === 'meridian') return positionText(latitude + north, longitude + east * 20_000)
  return positionText(latitude + north, longitude + east)
}

function positionText(latitude: number, longitude: number): string {
  const wrapped = longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude
  const clipped = Math.max(-180, Math.min(180, wrapped))
  return signed(Math.max(-90, Math.min(90, latitude))) + signed(clipped)
}

function signed(degrees: number): string {
  return (degrees < 0 ? '' : '+') + degrees.toFixed(11)
}

const radius = fc.oneof(
  fc.constantFrom(0, 0.01, 0.05, 1, 50_000),
  fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -3, max: 3 }))
    .map(([mantissa, exponent]) => mantissa * 10 ** exponent),
)

test('nearby equals a search through everything, everywhere on Earth', () => {
  fc.assert(
    fc.property(
      centre,
      fc.array(placement, { maxLength: 25 }),
      placement,
      radius,
      fc.integer({ min: 0, max: 20 }),
      (middle, placements, asker, radius, items) => {
        const table = new LineTable()
        const naive = new NaiveTable()
        placements.forEach((placement, index) => {
          // Clients are numbered backwards, so that the order of IDs isn't the order of coming.
          const line = `AT Alford +0 client${99 - index} ${place(middle, placement)} 1`
          table.apply(line)
          naive.apply(line)
        })
        const line = `AT Alford +0 asker ${place(middle, asker)} 1`
        table.apply(line)
        naive.apply(line)
        const { latitude, longitude } = table.table.read(table.get('asker'))
        for (const except of ['asker', undefined]) {
          assert.deepEqual(
            table.nearby(latitude, longitude, radius, items, except),
            naive.nearby(latitude, longitude, radius, items, except),
          )
        }
      },
    ),
    runs(1500),
  )
})

test('clients that move are found where they are, and nowhere else', () => {
  const moves = fc.array(fc.tuple(fc.nat(7), placement), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(centre, moves, radius, (middle, steps, radius) => {
      const table = new LineTable()
      const naive = new NaiveTable()
      steps.forEach(([client, placement], step) => {
        const line = `AT Alford +0 client${client} ${place(middle, placement)} ${step}`
        table.apply(line)
        naive.apply(line)
        if (step % 10 !== 0) return
        assert.deepEqual(table.nearby(...middle, radius, 20), naive.nearby(...middle, radius, 20))
      })
      assert.deepEqual(table.nearby(...middle, radius, 20), naive.nearby(...middle, radius, 20))
    }),
    runs(500),
  )
})

test('who stands right on the circle is inside it, in every direction', () => {
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(centre, part, part, fc.integer({ min: -7, max: 0 }), (middle, turn, size, exponent) => {
      const [latitude, longitude] = middle
      const reach = 0.44 * (0.1 + 0.9 * size) * 10 ** exponent
      const north = reach * Math.cos(turn * 2 * Math.PI)
      // Nearly as wide as high, away from the poles; near them anything is good.
      const wide = Math.max(0.01, Math.cos((latitude * Math.PI) / 180))
      const east = (reach * Math.sin(turn * 2 * Math.PI)) / wide
      const line = `AT Alford +0 there ${positionText(latitude + north, longitude + east)} 1`
      const table = new LineTable()
      table.apply(line)
      const metres = naiveMetres(latitude, longitude, readAt(line))
      assert.deepEqual(table.nearby(latitude, longitude, metres, 20), ['there'])
      assert.deepEqual(table.nearby(latitude, longitude, metres * (1 - 1e-9) - 1e-9, 20), [])
    }),
    runs(3000),
  )
})

test('a radius of centimetres reaches over the border of a cell', () => {
  // Cells of the band at the equator are 0.01° wide: 12.34 is a border. A millionth of a degree is 11 cm.
  const table = new LineTable()
  table.apply('AT Alford +0 east +0.005+12.3400001 1')
  table.apply('AT Alford +0 west +0.005+12.3399999 1')
  assert.deepEqual(table.nearby(0.005, 12.3400001, 0.03, 20, 'east'), ['west'])
  assert.deepEqual(table.nearby(0.005, 12.3400001, 0.02, 20, 'east'), [])
})

test('who stands on the pole stands together, whatever the longitude', () => {
  const table = new LineTable()
  for (const longitude of ['-180', '-90', '+0', '+90', '+180']) {
    table.apply(`AT Alford +0 at${longitude} +90${longitude} 1`)
  }
  assert.equal(table.nearby(90, 0, 0, 20).length, 5)
  assert.equal(table.nearby(90, 120, 0.01, 20, 'at+0').length, 4)
  assert.deepEqual(table.nearby(90, 0, 1000, 2), ['at+0', 'at+180'])
})

test('equal distances are ordered by the bytes of the ID', () => {
  const table = new LineTable()
  for (const client of ['b', '\xff', 'a', 'Z', 'ab']) table.apply(`AT Alford +0 ${client} +10+10 1`)
  assert.deepEqual(table.nearby(10, 10, 0, 20), ['Z', 'a', 'ab', 'b', '\xff'])
  assert.deepEqual(table.nearby(10.001, 10, 1000, 3), ['Z', 'a', 'ab'])
})

test('a crowd in a few cells gives the nearest few', () => {
  const table = new LineTable()
  const naive = new NaiveTable()
  for (let client = 0; client < 3000; client++) {
    const north = ((client * 7919) % 3001) / 150_000
    const east = ((client * 104_729) % 3001) / 150_000
    const line = `AT Alford +0 c${client} ${positionText(51 + north, -north + east)} 1`
    table.apply(line)
    naive.apply(line)
  }
  for (const [latitude, longitude] of [
    [51.01, 0],
    [51, 0.02],
    [51.5, 0],
  ] as const) {
    for (const radius of [100, 2000, 50_000]) {
      assert.deepEqual(
        table.nearby(latitude, longitude, radius, 20),
        naive.nearby(latitude, longitude, radius, 20),
      )
    }
  }
})

test('two clients a few centimetres from a pole, on either side of the antimeridian, find each other', () => {
  const table = new LineTable()
  table.apply('AT Alford +0 east -89.9999995+179.95 1')
  table.apply('AT Alford +0 west -89.9999995-179.95 1')
  assert.deepEqual(table.nearby(-89.9999995, -179.95, 0.05, 20, 'west'), ['east'])
})
