import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientId, positionOf } from './city.ts'
import { haversineKm, NearestTruth } from './nearest-truth.ts'

const CLIENTS = 20_000
const ASKER = 77
const TRUTH = new NearestTruth(CLIENTS)

/** Written another way than what is tested: all others with their distances, sorted by them. */
function othersByDistance(): { id: string; km: number }[] {
  const here = positionOf(ASKER, 0)
  return Array.from({ length: CLIENTS }, (_, client) => {
    const there = positionOf(client, 0)
    const km = haversineKm(here.latitude, here.longitude, there.latitude, there.longitude)
    return { id: clientId(client), km }
  })
    .filter(({ id }) => id !== clientId(ASKER))
    .toSorted((left, right) => left.km - right.km)
}

const OTHERS = othersByDistance()
const NEAREST = OTHERS.slice(0, 20).map(({ id }) => id)

test('a degree of the meridian is 111.2 km, and one of the parallel of 60° half of it', () => {
  assert.ok(Math.abs(haversineKm(10, 7, 11, 7) - 111.195) < 0.001)
  assert.ok(Math.abs(haversineKm(60, 7, 60, 8) - 55.5975) < 0.002)
})

test('the nearest are right, and so are all within a small radius', () => {
  assert.equal(TRUTH.problemWith(ASKER, 10, 20, NEAREST), undefined)
  const near = OTHERS.filter(({ km }) => km < 1.5).map(({ id }) => id)
  assert.ok(near.length > 5 && near.length < 20)
  assert.equal(TRUTH.problemWith(ASKER, 1.5, 20, near), undefined)
})

test('whatever is wrong is told', () => {
  const far = OTHERS[100]?.id ?? ''
  const wrong: [ids: string[], problem: RegExp][] = [
    [NEAREST.slice(0, 19), /19 clients, not 20 to 20/],
    [[...NEAREST, far], /21 clients, not 20 to 20/],
    [[...NEAREST.slice(0, 19), NEAREST[0] ?? ''], /twice/],
    [[...NEAREST.slice(0, 19), clientId(ASKER)], /the asker/],
    [[...NEAREST.slice(0, 19), far], /others are nearer/],
    [[...NEAREST.slice(1), far], /others are nearer/],
    [[...NEAREST.slice(0, 19), 'nobody'], /others are nearer/],
    [NEAREST.toReversed(), /further away/],
  ]
  for (const [ids, problem] of wrong) assert.match(TRUTH.problemWith(ASKER, 10, 20, ids) ?? '', problem)
})

test('two that are equally near, but for the error of the measure, may change places', () => {
  const twins = OTHERS.findIndex(({ km }, index) => km - (OTHERS[index - 1]?.km ?? 0) < 1e-4)
  const ids = OTHERS.slice(0, twins).map(({ id }) => id)
  const last = OTHERS[twins]?.id ?? ''
  assert.ok(twins > 0)
  assert.equal(TRUTH.problemWith(ASKER, 50, twins, ids), undefined)
  assert.equal(TRUTH.problemWith(ASKER, 50, twins, [...ids.slice(0, -1), last]), undefined)
  // But not the place of one that is surely nearer.
  const leftOut = TRUTH.problemWith(ASKER, 50, twins, [...ids.slice(1), last])
  assert.match(leftOut ?? '', /1 nearer clients are left out/)
})
