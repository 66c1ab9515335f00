import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awkwardLatitude, awkwardLongitude } from '../../../test/support/awkward-places.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { ellipsoidMetres } from '../../locations/distance.ts'
import { cellsAround, DEPTH, spotOf, spotsAround } from './spots.ts'

const circle = fc.record({
  latitude: fc.oneof(awkwardLatitude, fc.double({ min: -90, max: 90, noNaN: true })),
  longitude: awkwardLongitude,
  radiusMetres: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50_000 })),
})

test('what is in a circle has a spot in its ranges and a cell among its cells, at any scale', () => {
  const offset = fc.record({
    north: fc.double({ min: -1, max: 1, noNaN: true }),
    east: fc.double({ min: -1, max: 1, noNaN: true }),
  })
  let within = 0
  fc.assert(
    fc.property(
      circle,
      offset,
      fc.integer({ min: 4, max: 64 }),
      fc.integer({ min: 0, max: 20 }),
      (c, o, cellsMax, depth) => {
        const latitude = Math.max(-90, Math.min(90, c.latitude + o.north * (c.radiusMetres / 110_000)))
        const shrink = Math.max(1e-3, Math.cos((latitude * Math.PI) / 180))
        const east = c.longitude + o.east * (c.radiusMetres / 110_000 / shrink)
        const longitude = Math.max(
          -180,
          Math.min(180, east > 180 ? east - 360 : east < -180 ? east + 360 : east),
        )
        if (ellipsoidMetres(c.latitude, c.longitude, latitude, longitude) > c.radiusMetres) return
        within++
        const spot = spotOf(latitude, longitude)
        const ranges = spotsAround(c, cellsMax)
        assert.ok(ranges.length <= cellsMax)
        assert.ok(ranges.some(({ from, to }) => spot >= from && spot < to))
        const cells = cellsAround(c, depth, 100)
        if (cells !== undefined) assert.ok(cells.includes(Math.floor(spot / 4 ** (DEPTH - depth))))
      },
    ),
    runs(2_000),
  )
  assert.ok(within > 200)
})

test('ranges are in order, apart, and much smaller than the world for a small circle', () => {
  fc.assert(
    fc.property(circle, (c) => {
      const ranges = spotsAround(c, 16)
      for (const [index, { from, to }] of ranges.entries()) {
        assert.ok(from < to && to <= 2 ** 52)
        assert.ok(from > (ranges[index - 1]?.to ?? -1))
      }
      const share = ranges.reduce((sum, { from, to }) => sum + to - from, 0) / 2 ** 52
      if (Math.abs(c.latitude) < 60) assert.ok(share < 1e-4, String(share))
    }),
  )
})

test('there are too many cells of a small size in a large circle', () => {
  assert.equal(cellsAround({ latitude: 0, longitude: 0, radiusMetres: 50_000 }, 20, 128), undefined)
  assert.equal(cellsAround({ latitude: 90, longitude: 0, radiusMetres: 50_000 }, 10, 128), undefined)
  assert.ok((cellsAround({ latitude: 60, longitude: 0, radiusMetres: 50_000 }, 10, 128)?.length ?? 0) > 20)
})
