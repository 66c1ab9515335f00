import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineTable } from '../../test/support/fixes.ts'
import { isInBox, isInPolygons, type Spot, type SpotRings, spotText } from '../../test/support/naive-areas.ts'
import { readAt } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { type LonLat, makeBox, makePolygons, type Shape } from './index.ts'

/** The IDs of those in a shape. */
function within(table: LineTable, area: Shape): string[] {
  return table.search({ area, items: 1000, since: null, except: -1 })
}

function at(longitude: number, latitude: number): { latitude: number; longitude: number } {
  return { latitude, longitude }
}

/** A ring through these places and back to the first. */
function ring(...corners: LonLat[]): LonLat[] {
  return [...corners, ...corners.slice(0, 1)]
}

test('who stands on the border of a box or a polygon is found, also on that of a cell, also across ±180°', () => {
  for (let step = 1; step < 400; step++) {
    const table = new LineTable()
    // Borders of cells are 320ths of a degree at the equator.
    const east = -180 + step / 320
    const line = `AT Alford +0 kiwi +0${east.toFixed(9)} 1`
    table.apply(line)
    const { longitude } = readAt(line)
    assert.deepEqual(within(table, makeBox(at(179, 0), at(longitude, 0))), ['kiwi'], `box to ${longitude}`)
    const [end, start] = [longitude + 360, longitude]
    const across = makePolygons([[ring([179, -1], [end, -1], [end, 1], [179, 1])]])
    assert.deepEqual(within(table, across), ['kiwi'], `polygon to ${end}`)
    const beyond = makePolygons([[ring([start - 360, -1], [-539, -1], [-539, 1], [start - 360, 1])]])
    assert.deepEqual(within(table, beyond), ['kiwi'], `polygon from ${start - 360}`)
  }
})

/** 64ths of a degree about these, few enough that places lie on borders and in corners. */
const middle = fc.constantFrom(-180 * 64, -7, 0, 180 * 64 - 3)
const near = fc.integer({ min: -6, max: 6 })
const spots = fc.array(fc.tuple(near, near), { minLength: 1, maxLength: 30 })

function shifted([x, y]: Spot, east: number): Spot {
  return [x + east, y]
}

test('a box has whom the naive one has, wherever its corners are', () => {
  const corner = fc.tuple(fc.oneof(near, fc.constantFrom(-180 * 64, 180 * 64)), near)
  fc.assert(
    fc.property(middle, corner, corner, spots, (east, a, b, spots) => {
      const [sw, ne] = [a, b].map((spot) => readSpot(spotText(shifted(spot, east)))) as [Spot, Spot]
      const box = makeBox(
        at(sw[0] / 64, Math.min(sw[1], ne[1]) / 64),
        at(ne[0] / 64, Math.max(sw[1], ne[1]) / 64),
      )
      for (const spot of spots) {
        const fix = readAt(`AT Alford +0 kiwi ${spotText(shifted(spot, east))} 1`)
        const corners = [
          [sw[0], Math.min(sw[1], ne[1])],
          [ne[0], Math.max(sw[1], ne[1])],
        ] as const
        assert.equal(box.contains(fix.latitude, fix.longitude), isInBox(fix, ...corners))
      }
    }),
    runs(1500),
  )
})

function readSpot(text: string): Spot {
  const { latitude, longitude } = readAt(`AT Alford +0 kiwi ${text} 1`)
  return [longitude * 64, latitude * 64]
}

test('polygons have whom the naive ones have: borders, holes, crossing edges, repeated corners', () => {
  const ringOf = fc.array(fc.tuple(near, near), { minLength: 3, maxLength: 7 })
  const hole = fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 })), {
    ...{ minLength: 3, maxLength: 4 },
  })
  // The same place by three names: 181 is −179 is −539.
  const turn = fc.constantFrom(-360 * 64, 0, 360 * 64)
  const polygon = fc.tuple(ringOf, fc.array(hole, { maxLength: 2 }), turn)
  fc.assert(
    fc.property(middle, fc.array(polygon, { minLength: 1, maxLength: 3 }), spots, (east, parts, spots) => {
      const polygons = parts.map(([outline, holes, turn]): SpotRings => {
        // What lies within its outline is a hole: here the outline has these corners besides.
        const wide: Spot[] = [...outline, [-2, -2], [2, -2], [2, 2], [-2, 2]]
        return [wide, ...holes].map((corners) => {
          const moved = corners.map((spot) => shifted(spot, east + turn))
          return [...moved, ...moved.slice(0, 1)]
        })
      })
      const shape = makePolygons(polygons.map((rings) => rings.map((corners) => corners.map(toLonLat))))
      for (const spot of spots) {
        const fix = readAt(`AT Alford +0 kiwi ${spotText(shifted(spot, east))} 1`)
        assert.equal(shape.contains(fix.latitude, fix.longitude), isInPolygons(fix, polygons))
      }
    }),
    runs(1500),
  )
})

function toLonLat([x, y]: Spot): LonLat {
  return [x / 64, y / 64]
}

/** A client at each of these places, called as the place is written. */
function tableOf(...places: string[]): LineTable {
  const table = new LineTable()
  for (const place of places) table.apply(`AT Alford +0 ${place} ${place} 1`)
  return table
}

test('a box may be a line or a point, and the antimeridian is one line with two names', () => {
  const table = tableOf('+10+180', '+10-180', '+10+179.999', '+10-179.999', '+11+180', '-90+0')
  assert.deepEqual(within(table, makeBox(at(180, 10), at(180, 10))), ['+10+180', '+10-180'])
  assert.deepEqual(within(table, makeBox(at(-180, 10), at(-180, 10))), ['+10+180', '+10-180'])
  assert.deepEqual(within(table, makeBox(at(180, 10), at(-180, 11))), ['+10+180', '+10-180', '+11+180'])
  assert.deepEqual(within(table, makeBox(at(-179.999, 10), at(-179.999, 10))), ['+10-179.999'])
  assert.deepEqual(within(table, makeBox(at(179.999, 10), at(-179.999, 10))).length, 4)
  assert.deepEqual(within(table, makeBox(at(-180, -90), at(180, 90))).length, 6)
  assert.deepEqual(within(table, makeBox(at(0, -90), at(0, -90))), ['-90+0'])
  // East of 0 and west of −0.001 is everything but a thousandth of a degree.
  assert.deepEqual(within(table, makeBox(at(0, -90), at(-0.001, 90))).length, 6)
})

test('a polygon that goes on beyond ±180° has whom its two halves have', () => {
  const table = tableOf('+5+179', '+5-179', '+5+180', '+5-180', '+5+177.9', '+5-177.9', '-5-179')
  const beyond = makePolygons([[ring([178, 0], [182, 0], [182, 9], [178, 9])]])
  const before = makePolygons([[ring([-182, 0], [-178, 0], [-178, 9], [-182, 9])]])
  const halves = makePolygons([
    [ring([178, 0], [180, 0], [180, 9], [178, 9])],
    [ring([-180, 0], [-178, 0], [-178, 9], [-180, 9])],
  ])
  for (const shape of [beyond, before, halves]) {
    assert.deepEqual(within(table, shape), ['+5+179', '+5+180', '+5-179', '+5-180'])
  }
})

test('a polygon may be a cap around a pole, as flat maps have it', () => {
  const table = tableOf('+90+0', '+90-77', '+80+180', '+79.999+180', '+85-180', '+85+12')
  const cap = makePolygons([[ring([-180, 80], [180, 80], [180, 90], [-180, 90])]])
  assert.deepEqual(within(table, cap), ['+80+180', '+85+12', '+85-180', '+90+0', '+90-77'])
})

test('a polygon costs more the more corners it has', () => {
  const corners = Array.from({ length: 1000 }, (_, corner): LonLat => {
    const angle = (corner * 2 * Math.PI) / 1000
    return [Math.cos(angle), Math.sin(angle)]
  })
  const square = makePolygons([[ring([0, 0], [1, 0], [1, 1], [0, 1])]])
  assert.ok(makePolygons([[ring(...corners)]]).cost > 20 * square.cost)
  assert.ok(square.cost >= 1 && makeBox(at(0, 0), at(1, 1)).cost >= 1)
})
