import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FixJson } from '../gateways/http/shapes.ts'
import { durationSeconds, type Freshness, freshnessOf, STALE, secondsToNextStep } from './freshness.ts'
import { GLIDE_MS_MAX } from './glide.ts'
import { MOVERS_MAX, Movers } from './movers.ts'
import { ServerColors } from './server-colors.ts'
import { type LonLat, TRAIL_PARTS, TRAIL_POINTS_MAX, Trail, unwrapped } from './trail.ts'

const STALE_AFTER = 100

function fix(client: string, lon: number, lat: number, more: Partial<FixJson> = {}): FixJson {
  const time = '2026-11-21T12:00:00.000000000Z'
  return {
    ...{ client, lon, lat, server: 'Alford', position: '+1+1', time, time_ns: '0', received_at: time },
    ...{ skew_s: 0, age_s: 0, ...more },
  }
}

test('a fix becomes stale step by step, each exactly when it was foretold', () => {
  const ages = [0, 24.9, 25, 50, 99.9, 100, 999, 1000, 1e9]
  assert.deepEqual(
    ages.map((age) => freshnessOf(age, STALE_AFTER)),
    [0, 0, 1, 2, 2, 3, 3, 4, 4],
  )
  fc.assert(
    fc.property(fc.double({ min: -10, max: 2000, noNaN: true }), (age) => {
      const wait = secondsToNextStep(age, STALE_AFTER)
      const now = freshnessOf(age, STALE_AFTER)
      if (wait === Number.POSITIVE_INFINITY) return now === 4
      return (
        freshnessOf(age + wait + 1e-6, STALE_AFTER) === now + 1 &&
        freshnessOf(age + wait / 2, STALE_AFTER) === now
      )
    }),
  )
})

test('durations in the address of the page', () => {
  const known: [string | null, number | null][] = [
    ...([
      ['90', 90],
      ['1.5s', 1.5],
      ['2m', 120],
      ['3h', 10_800],
      ['1d', 86_400],
    ] as [string, number][]),
    ...([
      ['', null],
      [null, null],
      ['0', null],
      ['-1', null],
      ['5 s', null],
      ['soon', null],
    ] as [string, null][]),
  ]
  for (const [text, seconds] of known) assert.equal(durationSeconds(text), seconds, String(text))
})

test('a client looks older as time goes by, and fresh again with its next fix', () => {
  const movers = new Movers(STALE_AFTER)
  const look = (): Freshness | undefined => movers.get('kiwi')?.freshness
  movers.apply(fix('kiwi', 1, 2, { age_s: 30 }), 0)
  assert.equal(look(), 1)
  assert.equal(movers.takeChanges().added.length, 1)
  movers.age(10_000)
  assert.equal(movers.hasChanges, false)
  movers.age(71_000)
  assert.equal(look(), STALE)
  assert.equal(movers.takeChanges().changed.length, 1)
  movers.apply(fix('kiwi', 1, 2), 72_000)
  assert.equal(look(), 0)
})

test('a client glides to its next place, across the antimeridian too, and is there in time', () => {
  const movers = new Movers(STALE_AFTER)
  movers.apply(fix('ship', 179.9, 0), 0)
  movers.apply(fix('ship', -179.9, 0), 500)
  movers.glide(750)
  const [longitude = 0] = movers.get('ship')?.drawn ?? []
  assert.ok(Math.abs(Math.abs(longitude) - 180) < 0.01, String(longitude))
  movers.glide(500 + GLIDE_MS_MAX)
  assert.deepEqual(movers.get('ship')?.drawn, [-179.9, 0])
  movers.takeChanges()
  movers.glide(5000)
  assert.equal(movers.hasChanges, false)
})

test('a far jump, and less motion, are no glide', () => {
  const movers = new Movers(STALE_AFTER)
  movers.apply(fix('a', 0, 0), 0)
  movers.apply(fix('a', 30, 30), 500)
  assert.deepEqual(movers.get('a')?.drawn, [30, 30])
  movers.glides = false
  movers.apply(fix('a', 30.1, 30), 900)
  assert.deepEqual(movers.get('a')?.drawn, [30.1, 30])
})

test('what was added and removed before it was drawn is nothing to draw', () => {
  const movers = new Movers(STALE_AFTER)
  movers.apply(fix('a', 0, 0), 0)
  movers.apply(fix('a', 1, 0), 1)
  movers.remove('a')
  assert.equal(movers.hasChanges, false)
  movers.apply(fix('b', 0, 0), 2)
  const [mover] = movers.takeChanges().added
  movers.apply(fix('b', 1, 0), 3)
  movers.remove('b')
  movers.remove('nobody')
  assert.deepEqual(movers.takeChanges(), { added: [], changed: [], removed: [mover?.number] })
  assert.equal(movers.numbered(mover?.number ?? 0), undefined)
})

test('one page shows so many clients, and counts the others', () => {
  const movers = new Movers(STALE_AFTER)
  for (let index = 0; index < MOVERS_MAX + 3; index++) movers.apply(fix(`c${index}`, 0, 0), 0)
  assert.equal(movers.size, MOVERS_MAX)
  assert.equal(movers.leftOut, 3)
  movers.apply(fix('c0', 1, 1), 1)
  assert.equal(movers.leftOut, 3)
})

test('a trail keeps its last points, and no place twice in a row', () => {
  const trail = new Trail()
  for (let step = 0; step < TRAIL_POINTS_MAX * 2; step++) trail.add([Math.floor(step / 2) / 100, 0])
  assert.equal(trail.length, TRAIL_POINTS_MAX)
  trail.add([5, 5])
  assert.equal(trail.length, TRAIL_POINTS_MAX)
})

test('the parts of a trail are joined, in order, and end where the client is drawn', () => {
  const degree = fc.double({ min: -179, max: 179, noNaN: true })
  const points = fc.array(fc.tuple(degree, fc.double({ min: -80, max: 80, noNaN: true })), {
    minLength: 1,
    maxLength: 200,
  })
  fc.assert(
    fc.property(points, (list) => {
      const trail = new Trail()
      for (const at of list) trail.add(at)
      const head: LonLat = list.at(-1) ?? [0, 0]
      const parts = trail.parts(head)
      assert.ok(parts.length <= TRAIL_PARTS)
      if (trail.length < 2) return
      assert.deepEqual(parts.at(-1)?.at(-1), head)
      for (const [index, part] of parts.entries()) {
        assert.ok(part.length >= 2)
        if (index > 0) assert.deepEqual(part[0], parts[index - 1]?.at(-1))
      }
    }),
  )
})

test('lines across the antimeridian go on past 180°', () => {
  assert.deepEqual(
    unwrapped([
      [179, 0],
      [-179, 1],
      [178, 2],
      [-178, 3],
    ]),
    [
      [-181, 0],
      [-179, 1],
      [-182, 2],
      [-178, 3],
    ],
  )
})

test('servers have the colors of their names, whoever spoke first', () => {
  const colors = new ServerColors()
  assert.equal(colors.of('Welsh'), 0)
  assert.equal(colors.know(['Welsh', 'Alford', 'Ball']), true)
  assert.deepEqual(
    ['Alford', 'Ball', 'Welsh'].map((name) => colors.of(name)),
    [0, 1, 2],
  )
  assert.equal(colors.know(['Ball', 'Welsh', 'Alford']), false)
  assert.equal(colors.of('Newcomer'), 3)
})
