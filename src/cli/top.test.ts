import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters, styleText } from 'node:util'
import { fc, runs } from '../../test/support/properties.ts'
import type { ServerHealth } from '../replication/health-row.ts'
import type { ServerStatus } from '../replication/status.ts'
import { type TopAnswer, type TopHerd, topHerd } from './top-herd.ts'
import { SORTS, type TopLayout, type TopSort, topText } from './top-text.ts'
import { cutTo, fitted, textWidth } from './top-width.ts'

const LAYOUT: TopLayout = {
  ...{
    width: 120,
    height: Number.POSITIVE_INFINITY,
    sort: 'name',
    isReversed: false,
    skipped: 0,
    keys: null,
  },
  paint: (_style, text) => text,
}

function healthOf(more: Partial<ServerHealth> = {}): ServerHealth {
  return {
    ...{ version: '1.0.0', up_s: 100, readiness: 'ready', clients: 1234, connections: 5, watchers: 2 },
    ...{ fixes_per_s: 80.5, accepted_per_s: 20.25, busy_pct: 12, audits_failed: 0, clock_off_ms: null },
    ...{ http: true, mqtt: true, links: [], budgets: [], vector: 'v', table: '-.1' },
    ...more,
  }
}

function linkTo(neighbor: string, queued = 0, isOpen = true): ServerHealth['links'][number] {
  return { neighbor, open: isOpen, round_trip_ms: 0.42, queued, in_per_s: 10, out_per_s: 20 }
}

/** What a server of a herd in a row answers: each has a link with the next. */
function answerOf(names: readonly string[], server: string, down: readonly string[] = []): TopAnswer {
  const healths = new Map(
    names.map((name, index) => {
      const next = [names[index - 1], names[index + 1]].flatMap((neighbor) => neighbor ?? [])
      return [name, healthOf({ links: next.map((each) => linkTo(each, 0, !down.includes(each))) })]
    }),
  )
  const status: ServerStatus = {
    ...{ server, herd: 'row', run: 'a', pid: 1, upSeconds: 100, readiness: 'ready', journal: 'ok' },
    ...{ hasTwin: false, clients: 1234, lastFix: null, connections: 5, members: [], counters: {} },
    links: (healths.get(server)?.links ?? []).map(({ neighbor, open }) => {
      const said = { neighbor, open, classic: false, joined: false, forSeconds: 1, queued: 7 }
      return { ...said, caughtUp: true, roundTripMs: 0.4, clockOffsetMs: 0 }
    }),
    view: {
      ...{ herd: 'row', server, agree: true },
      servers: names.map((name) => {
        const isReached = !down.includes(name)
        const seen = {
          name,
          host: '127.0.0.1',
          port: 1,
          state: 'up' as const,
          links: [],
          reachable: isReached,
        }
        return isReached ? { ...seen, health: { ...healthOf(healths.get(name)), run: 'a', age_s: 1 } } : seen
      }),
    },
  }
  return { name: server, host: '127.0.0.1', port: 12_000, answer: status }
}

function herdOf(names: readonly string[]): TopHerd {
  return topHerd(
    'row',
    names.map((name) => answerOf(names, name)),
  )
}

const NAMES = ['Alford', 'Ball', 'Hamilton']

test('what servers say is put together: each row once, links from both ends', () => {
  const { servers, links, agree } = herdOf(NAMES)
  assert.deepEqual(
    servers.map(({ name, state, clients, behind }) => [name, state, clients, behind]),
    [
      ['Alford', 'ready', 1234, 7],
      ['Ball', 'ready', 1234, 14],
      ['Hamilton', 'ready', 1234, 7],
    ],
  )
  assert.deepEqual(
    links.map(({ from, to, queued, queued_back, per_s }) => [from, to, queued, queued_back, per_s]),
    [
      ['Alford', 'Ball', 7, 7, 20],
      ['Ball', 'Hamilton', 7, 7, 20],
    ],
  )
  assert.equal(agree, true)
})

test('a server that does not answer: told of, where others reach it; down, where they do not', () => {
  const silent = { ...answerOf(NAMES, 'Hamilton'), answer: { reason: 'Hamilton doesn’t say' } }
  const [told, down] = [[], ['Hamilton']].map((gone) =>
    topHerd('row', [answerOf(NAMES, 'Alford', gone), answerOf(NAMES, 'Ball', gone), silent]),
  )
  assert.deepEqual([told?.servers[2]?.state, told?.servers[2]?.clients], ['told', 1234])
  assert.deepEqual([down?.servers[2]?.state, down?.servers[2]?.clients], ['down', null])
  assert.deepEqual(down?.servers[2]?.troubles, ['Hamilton doesn’t say'])
  assert.equal(down?.links.find(({ to }) => to === 'Hamilton')?.open, false)
  assert.equal(topHerd('row', [silent]).agree, null)
})

test('one server that sees tables differ is right', () => {
  const [ball, alford] = [answerOf(NAMES, 'Ball'), answerOf(NAMES, 'Alford')]
  assert.ok('view' in ball.answer && ball.answer.view !== undefined)
  const differing = { ...ball, answer: { ...ball.answer, view: { ...ball.answer.view, agree: false } } }
  const herd = topHerd('row', [alford, differing])
  assert.equal(herd.agree, false)
  assert.match(topText(herd, LAYOUT)[0] ?? '', /TABLES DIFFER/)
})

test('a server of an older version says less, and is shown', () => {
  const { answer, ...where } = answerOf(NAMES, 'Alford')
  assert.ok('view' in answer)
  const { view: _, ...old } = answer
  const { servers, links } = topHerd('row', [{ ...where, answer: old }])
  assert.deepEqual([servers[0]?.clients, servers[0]?.fixes_per_s, links[0]?.per_s], [1234, null, null])
})

test('at 120 columns all is shown', () => {
  const lines = topText(herdOf(NAMES), LAYOUT)
  assert.deepEqual(lines.slice(0, 4), [
    'herd row  3 of 3 servers up  1,234 clients  60.8 reports/s  tables agree',
    '',
    'server▼   address          state     up  clients  conns  watch  fixes/s  own/s  behind  busy',
    'Alford    127.0.0.1:12000  ready  100 s    1,234      5      2     80.5   20.3       7  12 %',
  ])
})

test('no line is wider than the terminal, whatever names there are, and no taller', () => {
  const anyName = fc.oneof(
    fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }),
    fc.constantFrom(
      '東京駅前サーバー',
      'a'.repeat(200),
      '👩‍👩‍👧‍👦family',
      'tab\tbell\u0007',
      'é\u0301\u0301',
    ),
  )
  fc.assert(
    fc.property(
      fc.uniqueArray(anyName, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 20, max: 250 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom<TopSort>(...sorts()),
      fc.nat(100),
      (names, width, height, sort, skipped) => {
        const layout = { ...LAYOUT, width, height, sort, skipped, keys: 'q quit' }
        const lines = topText(herdOf(names), layout)
        assert.ok(lines.length <= height)
        for (const line of lines) {
          assert.ok(textWidth(line) <= width, `${textWidth(line)} > ${width}: ${line}`)
          assert.doesNotMatch(line, /\p{Cc}/u)
        }
      },
    ),
    runs(100),
  )
})

function sorts(): TopSort[] {
  const names: TopSort[] = []
  for (const name in SORTS) if (isSort(name)) names.push(name)
  return names
}

function isSort(name: string): name is TopSort {
  return name in SORTS
}

test('at 80 columns what matters least is left out, and the name, state and rates stay', () => {
  for (const [width, title] of [
    [80, /^server▼ +state +up +clients +conns +watch +fixes\/s +own\/s +behind +busy/],
    [40, /^server▼ +state +clients +fixes\/s +own\/s$/],
    [200, /address/],
  ] as const) {
    const lines = topText(herdOf(NAMES), { ...LAYOUT, width })
    assert.match(lines[2] ?? '', title, `${width}: ${lines[2]}`)
  }
})

test('sorted by what is asked for, and the other way round', () => {
  const herd = herdOf(NAMES)
  const servers = herd.servers.map((server, index) => ({ ...server, clients: [5, 500, 50][index] ?? 0 }))
  const order = (sort: TopSort, isReversed: boolean): string[] =>
    topText({ ...herd, servers, links: [] }, { ...LAYOUT, sort, isReversed })
      .slice(3)
      .map((line) => line.split(' ')[0] ?? '')
  assert.deepEqual(order('clients', false), ['Ball', 'Hamilton', 'Alford'])
  assert.deepEqual(order('clients', true), ['Alford', 'Hamilton', 'Ball'])
  assert.deepEqual(order('name', true), ['Hamilton', 'Ball', 'Alford'])
})

test('many servers scroll, and the keys stay at the bottom', () => {
  const names = Array.from({ length: 100 }, (_, index) => `S${String(index).padStart(3, '0')}`)
  const herd = herdOf(names)
  const layout = { ...LAYOUT, height: 24, keys: 'q quit' }
  const [top, middle, end] = [0, 10, 10_000].map((skipped) => topText(herd, { ...layout, skipped }))
  for (const lines of [top, middle, end]) {
    assert.equal(lines?.length, 24)
    assert.equal(lines?.at(-1), 'q quit')
  }
  assert.match(top?.[3] ?? '', /^S000/)
  assert.match(middle?.[2] ?? '', /^S009/)
  assert.match(end?.at(-2) ?? '', /^S098 – S099/)
})

test('color is only around text: without it, every line is the same', () => {
  const painted = topText(herdOf(NAMES), {
    ...LAYOUT,
    paint: (style, text) => styleText(style, text, { validateStream: false }),
  })
  assert.deepEqual(painted.map(stripVTControlCharacters), topText(herdOf(NAMES), LAYOUT))
  assert.notDeepEqual(painted, topText(herdOf(NAMES), LAYOUT))
})

test('budgets and providers have tables of their own', () => {
  const budget = { provider: 'google', per: 'day', period: '2026-11-21', budget: 1000 } as const
  const budgets = [{ ...budget, used_here: 10, used_by_herd: 30, left_here: 5 }]
  const providers = [
    { server: 'Ball', provider: 'google', breaker: 'open' as const, asks: 9, calls: 4, errors: 3 },
  ]
  const text = topText({ ...herdOf(NAMES), budgets, providers }, LAYOUT).join('\n')
  assert.match(text, /^google +2026-11-21 +30 +1,000$/m)
  assert.match(text, /^Ball – google +LEFT ALONE +9 +4 +3$/m)
})

test('widths: wide characters take two columns, marks none', () => {
  assert.deepEqual(['abc', '東京', 'é', 'e\u0301', '👩‍👩‍👧', ''].map(textWidth), [3, 4, 1, 1, 2, 0])
  assert.deepEqual(
    [cutTo('東京駅', 5), cutTo('東京駅', 4), cutTo('abc', 3), cutTo('abc', 2)],
    ['東京…', '東…', 'abc', 'a…'],
  )
  assert.deepEqual(
    [fitted('東京', 6), fitted('東京', 6, 'right'), fitted('東京', 3)],
    ['東京  ', '  東京', '東…'],
  )
})
