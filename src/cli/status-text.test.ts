import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkStatus, MemberStatus, ProviderStatus, ServerStatus } from '../replication/status.ts'
import { jsonOf, type Row, textOf } from './status-text.ts'

const LINK: LinkStatus = {
  ...{
    neighbor: 'Ball',
    open: true,
    classic: false,
    joined: false,
    forSeconds: 5,
    queued: 3,
    caughtUp: true,
  },
  ...{ roundTripMs: 0.25, clockOffsetMs: -12.5 },
}

function rowOf(name: string, answer: Row['answer'], joined = false): Row {
  return {
    server: { name, host: '127.0.0.1', port: 5, alsoPorts: [], classic: false, neighbors: ['Ball'] },
    joined,
    answer,
  }
}

function up(parts: Partial<ServerStatus> = {}): Row['answer'] {
  const status: ServerStatus = {
    ...{ server: 'A', herd: 'ucla', run: 'aa', pid: 1, upSeconds: 60, readiness: 'ready', journal: 'ok' },
    ...{
      hasTwin: false,
      clients: 7,
      lastFix: null,
      connections: 2,
      links: [LINK],
      members: [],
      counters: {},
    },
    ...parts,
  }
  return { state: 'up', status }
}

function told(parts: Partial<MemberStatus>): Row['answer'] {
  const row = {
    name: 'N',
    host: '10.0.0.1',
    port: 5,
    version: 1,
    state: 'up',
    links: ['A'],
    run: '-',
  } as const
  return { state: 'told', member: { ...row, reachable: true, ...parts } }
}

function textOfRows(rows: readonly Row[], { links = false, left = [] as string[] } = {}): string {
  return textOf({ herd: 'ucla', ok: true, rows, left: new Set(left), splits: [] }, links)
}

test('each kind of server has its row', () => {
  const rows = [
    rowOf('Alford', up()),
    rowOf('Ball', { state: 'down', reason: 'nobody\u001b there' }),
    rowOf('Gone', { state: 'down', reason: 'nobody there' }),
    rowOf('Old', { state: 'classic' }),
    rowOf('Newton', up({ readiness: 'catching up' }), true),
    rowOf('Near', told({})),
    rowOf('Far', told({ reachable: false, links: [] })),
    rowOf('Ex', told({ state: 'left', reachable: false })),
  ]
  const text = textOfRows(rows, { left: ['Gone', 'Ex'] })
  assert.match(text, /^herd ucla: 3 of 5 servers up\n\n/)
  assert.match(text, /\nAlford +127\.0\.0\.1:5 +up 60 s, ready +Ball open +7 +2 +none\n/)
  assert.match(text, /\nBall +127\.0\.0\.1:5 +down\n/)
  assert.match(text, /\nGone +127\.0\.0\.1:5 +left\n/)
  assert.match(text, /\nOld +127\.0\.0\.1:5 +classic\n/)
  assert.match(text, /\nNewton \(joined\) +127\.0\.0\.1:5 +up 60 s, catching up /)
  assert.match(text, /\nNear +127\.0\.0\.1:5 +reachable +A\n/)
  assert.match(text, /\nFar +127\.0\.0\.1:5 +NOT REACHABLE +none\n/)
  assert.match(text, /\nEx +127\.0\.0\.1:5 +left\n/)
  assert.match(text, /\n\nBall: nobody\\x1b there\n$/)
})

test('links: those that should be there and aren’t, those of others, and their figures', () => {
  const links = [LINK, { ...LINK, neighbor: 'Newton', open: false, roundTripMs: null, clockOffsetMs: null }]
  const text = textOfRows([rowOf('Alford', up({ links }))], { links: true })
  assert.match(text, / Ball open, Newton DOWN /)
  assert.match(text, /\nAlford – Ball +open +5 s +0\.3 ms +−12\.5 ms +3\n/)
  assert.match(text, /\nAlford – Newton +DOWN +5 s +\? +\? +3\n/)
  assert.match(textOfRows([rowOf('Alford', up({ links: [] }))]), / Ball DOWN /)
  assert.match(textOfRows([rowOf('Alford', up({ links: [] }))], { left: ['Ball'] }), / Ball left /)
})

test('a line for each source of places that was asked', () => {
  const refused = {
    ...{ breaker: 3, asksInFlightMax: 0, callsPerSecondMax: 0, callsPerSecondPerAddressMax: 0 },
    ...{ callsPerDayMax: 1, callsPerMonthMax: 0 },
  }
  const google: ProviderStatus = {
    ...{ name: 'google', local: false, breaker: 'open', asks: 20, calls: 4, retries: 1, hits: 5, stale: 2 },
    ...{ refreshes: 0, coalesced: 5, refused, errors: 2, breakerOpened: 1, usd: 0.128 },
    latency: { count: 4, sumMs: 1000, buckets: [] },
  }
  const none = Object.fromEntries(Object.keys(refused).map((limit) => [limit, 0])) as typeof refused
  const local = { ...google, name: 'local', local: true, breaker: 'closed', refused: none } as const
  const unasked = { ...local, name: 'embedded', asks: 0 }
  const places = { providers: [google, local, unasked], budgets: [] }
  const text = textOfRows([rowOf('Alford', up({ places }))])
  assert.match(
    text,
    /\nAlford – google +LEFT ALONE +20 +12 +4 +2 +3 breaker, 1 callsPerDayMax +250 ms +\$0\.13\n/,
  )
  assert.match(text, /\nAlford – local +on this machine +20 +12 +4 +2 +0 +250 ms +–\n/)
  assert.doesNotMatch(text, /embedded/)
  assert.doesNotMatch(textOfRows([rowOf('Alford', up())]), /mean time/)
})

test('what is wrong with a server that is up has a line', () => {
  const text = textOfRows([rowOf('A', up({ journal: 'failing', hasTwin: true, readiness: 'alone' }))])
  assert.match(text, /\nA: its journal can’t be written: what is new is in memory only\n/)
  assert.match(text, /\nA: another server of this name is in the herd: give one of them another\n/)
  assert.match(text, /\nA: alone: it reaches none of its neighbors\n/)
})

test('the same for programs', () => {
  const splits = [{ servers: ['A'], missed: ['B'] }]
  const rows = [rowOf('A', up(), true)]
  const { ok, servers, ...more } = JSON.parse(
    jsonOf({ herd: 'ucla', ok: false, rows, left: new Set(['C']), splits }),
  )
  assert.deepEqual([ok, more], [false, { herd: 'ucla', splits, left: ['C'] }])
  assert.deepEqual([servers[0].name, servers[0].joined, servers[0].status.readiness], ['A', true, 'ready'])
})
