import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followingZoom } from './following-zoom.ts'

test('who is slower is followed from nearer, within what the map can show', () => {
  const zooms = [0, 1.4, 10, 60, 250, 100_000].map((speed) => followingZoom({ lat: 34, speed_mps: speed }))
  assert.deepEqual(
    zooms,
    zooms.toSorted((a, b) => b - a),
  )
  assert.deepEqual([zooms[0], zooms.at(-1)], [12, 7])
  assert.equal(Math.round(followingZoom({ lat: 34, speed_mps: 20 }) * 10), 117)
  assert.equal(followingZoom({ lat: 34 }), 11, 'nobody knows how fast')
})
