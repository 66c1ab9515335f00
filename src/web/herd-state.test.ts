import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HealthJson, HerdJson, HerdServerJson, LinkHealthJson } from '../gateways/http/shapes.ts'
import { readPlaces } from './google-places.ts'
import { layoutGraph, uniqueLinks } from './graph-layout.ts'
import { budgetsOf, hopsOf, linkStates, serverLevel, verdictOf } from './herd-state.ts'

function link(neighbor: string, more: Partial<LinkHealthJson> = {}): LinkHealthJson {
  return { neighbor, open: true, round_trip_ms: 2, queued: 0, in_per_s: 1, out_per_s: 2, ...more }
}

function server(
  name: string,
  links: readonly LinkHealthJson[],
  more: Partial<HerdServerJson> = {},
): HerdServerJson {
  const health: HealthJson = {
    ...{ clients: 3, connections: 1, readiness: 'ready', up_s: 5, links, fixes_per_s: 1, audits_failed: 0 },
    ...{ budgets: [], version: '1', run: 'ab', age_s: 0, watchers: 0, accepted_per_s: 1, busy_pct: 1 },
    ...{ clock_off_ms: null, http: true, mqtt: true, vector: '0' },
  }
  const open = links.filter((one) => one.open).map(({ neighbor }) => neighbor)
  return { name, host: 'localhost', port: 1, reachable: true, state: 'up', links: open, health, ...more }
}

function herd(servers: readonly HerdServerJson[], agree: boolean | null = true): HerdJson {
  return { herd: 'ucla', server: 'Alford', servers, agree }
}

test('each link once, with what both ends know of it', () => {
  const servers = [
    server('Alford', [link('Ball', { queued: 5, round_trip_ms: null })]),
    server('Ball', [link('Alford', { queued: 2, in_per_s: 0, out_per_s: 9 }), link('Nobody')]),
  ]
  assert.deepEqual(linkStates(herd(servers)), [
    { ends: ['Alford', 'Ball'], open: true, roundTripMs: 2, queued: 7, perSecond: 9 },
  ])
})

test('hops: as many links as the shortest way has, over those that are open', () => {
  const names = ['Alford', 'Ball', 'Hamilton', 'Holiday', 'Welsh']
  const chain = names.map((name, at) =>
    server(
      name,
      [names[at - 1], names[at + 1]].flatMap((other) => (other === undefined ? [] : [link(other)])),
    ),
  )
  assert.deepEqual(
    [...hopsOf(herd(chain))],
    names.map((name, at) => [name, at]),
  )
  const ring = chain.map((one) =>
    one.name === 'Alford' ? server('Alford', [link('Ball'), link('Welsh')]) : one,
  )
  assert.deepEqual(
    new Map(hopsOf(herd(ring))),
    new Map([
      ['Alford', 0],
      ['Ball', 1],
      ['Welsh', 1],
      ['Hamilton', 2],
      ['Holiday', 2],
    ]),
  )
  const cut = chain.map((one) => (one.name === 'Hamilton' ? { ...one, reachable: false } : one))
  assert.deepEqual([...hopsOf(herd(cut)).keys()], ['Alford', 'Ball'])
})

test('a link to a server that is not reached is closed, whatever that server said last', () => {
  const servers = [
    server('Alford', [link('Ball', { open: false, round_trip_ms: null })]),
    server('Ball', [link('Alford', { queued: 900 })], { reachable: false }),
  ]
  const [state] = linkStates(herd(servers))
  assert.equal(state?.open, false)
  assert.equal(state?.queued, 0)
})

test('the one light', () => {
  const fine = [server('Alford', []), server('Ball', [])]
  assert.equal(verdictOf(herd(fine)).light, 'good')
  assert.equal(verdictOf(herd(fine, null)).light, 'unknown')
  assert.deepEqual(verdictOf(herd(fine, false)), { light: 'bad', text: 'Tables differ' })
  const lost = [server('Alford', []), server('Ball', [], { reachable: false })]
  assert.deepEqual(verdictOf(herd(lost, null)), { light: 'bad', text: 'Ball is not reached' })
  assert.deepEqual(verdictOf(herd(lost, false)), { light: 'bad', text: 'Ball is not reached, tables differ' })
  const left = [server('Alford', []), server('Ball', [], { reachable: false, state: 'left' })]
  assert.equal(verdictOf(herd(left)).light, 'good')
  assert.equal(serverLevel(server('Ball', [], { reachable: false })).level, 'bad')
})

test('a budget of the herd is shown once, as whoever knows most says', () => {
  const budget = {
    provider: 'google',
    per: 'day',
    period: '2026-11-21',
    budget: 100,
    used_here: 1,
    left_here: 9,
  } as const
  const withBudget = (name: string, used: number): HerdServerJson => {
    const one = server(name, [])
    return one.health === undefined
      ? one
      : { ...one, health: { ...one.health, budgets: [{ ...budget, used_by_herd: used }] } }
  }
  assert.deepEqual(
    budgetsOf(herd([withBudget('Alford', 40), withBudget('Ball', 42)])).map((one) => one.used_by_herd),
    [42],
  )
})

test('a herd in a ring is drawn as a ring, however it is told', () => {
  const ring = ['Alford', 'Hamilton', 'Holiday', 'Ball', 'Welsh']
  const links = ring.map((name, index) => [name, ring[(index + 1) % ring.length] ?? ''] as const)
  const places = layoutGraph(ring, links)
  const side = 2 * Math.sin(Math.PI / 5)
  for (const [a, b] of links) {
    const [p = { x: 0, y: 0 }, q = { x: 9, y: 9 }] = [places.get(a), places.get(b)]
    assert.ok(Math.abs(Math.hypot(p.x - q.x, p.y - q.y) - side) < 1e-9, `${a}–${b}`)
  }
})

test('a layout depends on the herd alone, and no two servers lie on each other', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(names, fc.array(fc.tuple(fc.nat(8), fc.nat(8)), { maxLength: 15 }), (all, pairs) => {
      const links = pairs.flatMap(([a, b]) => {
        const [from, to] = [all[a], all[b]]
        return from === undefined || to === undefined ? [] : [[from, to] as const]
      })
      const places = layoutGraph(all, links)
      const turned = links.toReversed().map(([a, b]) => [b, a] as const)
      assert.deepEqual(layoutGraph(all.toReversed(), turned), places)
      assert.equal(
        new Set([...places.values()].map(({ x, y }) => `${x.toFixed(6)} ${y.toFixed(6)}`)).size,
        all.length,
      )
      for (const { x, y } of places.values()) assert.ok(Math.hypot(x, y) <= 1 + 1e-9)
    }),
  )
  assert.deepEqual(
    uniqueLinks([
      ['b', 'a'],
      ['a', 'b'],
      ['c', 'c'],
    ]),
    [['a', 'b']],
  )
})

test('places out of what Google answers, and what is wrong when there are none', () => {
  const results = [
    { name: 'Kerckhoff', vicinity: 'Westwood', geometry: { location: { lat: 34, lng: -118 } } },
    { name: 'nowhere' },
  ]
  const answer = readPlaces({ status: 'OK', html_attributions: ['x'], results })
  assert.deepEqual(answer, {
    places: [{ name: 'Kerckhoff', vicinity: 'Westwood', at: [-118, 34] }],
    attributions: ['x'],
    problem: '',
  })
  assert.equal(readPlaces({ status: 'ZERO_RESULTS', results: [] }).problem, '')
  assert.equal(
    readPlaces({ status: 'OVER_QUERY_LIMIT', results: [], error_message: 'too many' }).problem,
    'too many',
  )
  assert.equal(readPlaces({ status: 'UNKNOWN_ERROR', results: [] }).problem, 'UNKNOWN_ERROR')
})
