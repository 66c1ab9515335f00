import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { type Actor, castOf, type Kind, SPEED_MAX } from './cast.ts'
import { VOYAGE } from './cities.ts'
import { bearing, metresBetween } from './sphere.ts'

const CAST = castOf(120, 1)
const actor: fc.Arbitrary<Actor> = fc.constantFrom(...CAST)
const aTime = fc.double({ min: 0, max: 200_000, noNaN: true })

function only(kind: Kind): Actor {
  const found = CAST.find((each) => each.kind === kind)
  assert.ok(found)
  return found
}

/** Degrees between two directions. */
function turn(one: number, other: number): number {
  const difference = Math.abs(one - other) % 360
  return Math.min(difference, 360 - difference)
}

test('the same seed gives the same cast, and a larger one begins with a smaller one', () => {
  const where = (cast: readonly Actor[]): unknown =>
    cast.map(({ client, name, mover }) => [client, name, mover.at(77)])
  assert.deepEqual(where(castOf(40, 5)), where(castOf(40, 5)))
  assert.deepEqual(where(castOf(40, 5)), where(castOf(90, 5).slice(0, 40)))
  assert.notDeepEqual(where(castOf(40, 5)), where(castOf(40, 6)))
  const clients = CAST.map(({ client }) => client)
  assert.equal(new Set(clients).size, clients.length)
})

test('a small demo has some of everything', () => {
  const kinds = new Set(castOf(7, 1).map(({ kind }) => kind))
  assert.deepEqual([...kinds].toSorted(), Object.keys(SPEED_MAX).toSorted())
})

test('nobody is faster than their kind can be, by their phone or over ground', () => {
  fc.assert(
    fc.property(actor, aTime, ({ kind, mover }, time) => {
      const [now, soon] = [mover.at(time), mover.at(time + 1)]
      assert.ok(now.speedMps >= 0 && now.speedMps <= SPEED_MAX[kind])
      const metres = metresBetween(now, soon)
      assert.ok(metres <= SPEED_MAX[kind] * 1.001, `${kind}: ${metres} m in a second`)
      // What the phone says is what it does: the means of both ends, but for a jerk between them.
      const said = (now.speedMps + soon.speedMps) / 2
      assert.ok(Math.abs(metres - said) <= 1.5, `${kind} says ${said} and does ${metres} m/s`)
    }),
    runs(2000),
  )
})

test('who moves goes where they head, and turns no faster than feet and wheels do', () => {
  fc.assert(
    fc.property(actor, aTime, ({ kind, mover }, time) => {
      const [now, soon] = [mover.at(time), mover.at(time + 0.1)]
      const metres = metresBetween(now, soon)
      // Where a way turns round, one stands or nearly.
      if (metres < 0.09 || now.speedMps < 0.9) return
      assert.ok(turn(bearing(now, soon), now.headingDegrees) < 30, `${kind} heads elsewhere`)
      assert.ok(turn(now.headingDegrees, soon.headingDegrees) < 30, `${kind} jumps round`)
    }),
    runs(2000),
  )
})

test('a phone says what phones say: degrees, metres, percent', () => {
  fc.assert(
    fc.property(actor, aTime, ({ mover }, time) => {
      const { lat, lon, headingDegrees, accuracyMetres, batteryPercent, altitudeMetres } = mover.at(time)
      assert.ok(Math.abs(lat) < 85 && lon >= -180 && lon < 180)
      assert.ok(headingDegrees >= 0 && headingDegrees < 360)
      assert.ok(accuracyMetres >= 3 && accuracyMetres <= 20)
      assert.ok(batteryPercent >= 12 && batteryPercent <= 100)
      assert.ok(altitudeMetres >= 0 && altitudeMetres < 12_000)
    }),
    runs(1000),
  )
})

test('a bus stops and goes; so does a train', () => {
  for (const kind of ['bus', 'train'] as const) {
    const { mover } = only(kind)
    const speeds = Array.from({ length: 2000 }, (_, second) => mover.at(second).speedMps)
    const starts = speeds.filter((speed, second) => speed > 0 && speeds[second - 1] === 0).length
    assert.ok(starts >= 1, `${kind} starts ${starts} times`)
    assert.ok(Math.max(...speeds) > 5)
  }
})

test('a ship crosses the antimeridian a minute after the beginning, without a jump', () => {
  const { mover } = only('ship')
  const [before, after] = [mover.at(50), mover.at(70)]
  assert.ok(before.lon > 179 && after.lon < -179, `${before.lon} to ${after.lon}`)
  for (let second = 0; second < 120; second++) {
    assert.ok(metresBetween(mover.at(second), mover.at(second + 1)) < 12)
  }
  const [suva = { lat: 0, lon: 0 }] = VOYAGE
  assert.ok(metresBetween(before, suva) < 200_000)
})

test('a plane is on its great circle: nowhere else is it nearer to both ends together', () => {
  const { mover } = only('plane')
  assert.ok(mover.at(0).altitudeMetres > 10_000, 'it is in the air when the demo begins')
  const [here, there] = [mover.at(0), mover.at(600)]
  const halfway = mover.at(300)
  const detour = metresBetween(here, halfway) + metresBetween(halfway, there) - metresBetween(here, there)
  assert.ok(Math.abs(detour) < 1)
})
