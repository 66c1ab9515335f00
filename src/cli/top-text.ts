/** What `herd top` prints. Pure. */

import { printable } from './terminal.ts'
import type { TopHerd, TopLink, TopServer } from './top-herd.ts'
import { cutTo, fitted, textWidth } from './top-width.ts'

/** By what servers can be sorted, and by which key. */
export const SORTS = {
  name: 'n',
  clients: 'c',
  fixes: 'f',
  accepted: 'a',
  watchers: 'w',
  behind: 'b',
  busy: 'p',
  up: 'u',
} as const

/** By what servers are sorted. */
export type TopSort = keyof typeof SORTS

/** How text can stand out. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'inverse', text: string) => string

/** What is shown, and where. */
export interface TopLayout {
  readonly width: number
  /** Lines that there are; infinity: as many as it takes. */
  readonly height: number
  readonly sort: TopSort
  readonly isReversed: boolean
  /** Lines that are scrolled by. */
  readonly skipped: number
  readonly paint: Paint
  /** `null`: nobody can press them. */
  readonly keys: string | null
}

interface Column<Row> {
  readonly title: string
  readonly align: 'left' | 'right'
  readonly text: (row: Row) => string
  readonly style?: (row: Row) => Parameters<Paint>[0] | null
  /** Columns with a greater number go first when there is no room for all. */
  readonly spared: number
  readonly sort?: TopSort
}

const NOTHING = '–'
const GAP = 2
const NAME_MAX = 24

const SERVER_COLUMNS: readonly Column<TopServer>[] = [
  {
    title: 'server',
    align: 'left',
    text: ({ name }) => cutTo(shown(name), NAME_MAX),
    spared: 0,
    sort: 'name',
  },
  { title: 'address', align: 'left', text: ({ address }) => shown(address), spared: 9 },
  { title: 'state', align: 'left', text: ({ state }) => state, style: stateStyle, spared: 1 },
  { title: 'up', align: 'right', text: ({ up_s }) => ageText(up_s), spared: 6, sort: 'up' },
  { title: 'clients', align: 'right', text: ({ clients }) => countText(clients), spared: 2, sort: 'clients' },
  { title: 'conns', align: 'right', text: ({ connections }) => countText(connections), spared: 5 },
  {
    title: 'watch',
    align: 'right',
    text: ({ watchers }) => countText(watchers),
    spared: 7,
    sort: 'watchers',
  },
  {
    title: 'fixes/s',
    align: 'right',
    text: ({ fixes_per_s }) => rateText(fixes_per_s),
    spared: 2,
    sort: 'fixes',
  },
  {
    title: 'own/s',
    align: 'right',
    text: (row) => rateText(row.accepted_per_s),
    spared: 3,
    sort: 'accepted',
  },
  {
    ...{
      title: 'behind',
      align: 'right',
      text: ({ behind }) => countText(behind),
      spared: 4,
      sort: 'behind',
    },
    style: ({ behind }) => (behind > 1000 ? 'yellow' : null),
  },
  {
    ...{
      title: 'busy',
      align: 'right',
      text: ({ busy_pct }) => percentText(busy_pct),
      spared: 8,
      sort: 'busy',
    },
    style: ({ busy_pct }) => ((busy_pct ?? 0) > 80 ? 'yellow' : null),
  },
]

const LINK_COLUMNS: readonly Column<TopLink>[] = [
  {
    title: 'link',
    align: 'left',
    text: ({ from, to }) => `${cutTo(shown(from), NAME_MAX)} – ${cutTo(shown(to), NAME_MAX)}`,
    spared: 0,
  },
  {
    ...{ title: 'state', align: 'left', text: ({ open }) => (open ? 'open' : 'DOWN'), spared: 1 },
    style: ({ open }) => (open ? 'green' : 'red'),
  },
  { title: 'round trip', align: 'right', text: ({ round_trip_ms }) => msText(round_trip_ms), spared: 2 },
  { title: 'owed →', align: 'right', text: ({ queued }) => countText(queued), spared: 5 },
  { title: '← owed', align: 'right', text: ({ queued_back }) => countText(queued_back), spared: 5 },
  { title: 'lines/s →', align: 'right', text: ({ per_s }) => rateText(per_s), spared: 3 },
  { title: '← lines/s', align: 'right', text: ({ back_per_s }) => rateText(back_per_s), spared: 3 },
]

const BUDGET_COLUMNS: readonly Column<TopHerd['budgets'][number]>[] = [
  { title: 'budget', align: 'left', text: ({ provider }) => shown(provider), spared: 0 },
  { title: 'period', align: 'left', text: ({ period }) => shown(period), spared: 2 },
  { title: 'used', align: 'right', text: ({ used_by_herd }) => countText(used_by_herd), spared: 1 },
  { title: 'of', align: 'right', text: ({ budget }) => countText(budget), spared: 1 },
]

const PROVIDER_COLUMNS: readonly Column<TopHerd['providers'][number]>[] = [
  {
    title: 'places',
    align: 'left',
    text: ({ server, provider }) => shown(`${server} – ${provider}`),
    spared: 0,
  },
  {
    ...{ title: 'state', align: 'left', text: ({ breaker }) => BREAKERS[breaker], spared: 1 },
    style: ({ breaker }) => (breaker === 'closed' ? null : 'yellow'),
  },
  { title: 'asks', align: 'right', text: ({ asks }) => countText(asks), spared: 2 },
  { title: 'calls', align: 'right', text: ({ calls }) => countText(calls), spared: 3 },
  { title: 'failed', align: 'right', text: ({ errors }) => countText(errors), spared: 3 },
]
const BREAKERS = { closed: 'asked', open: 'LEFT ALONE', 'half-open': 'tried' } as const

/** The screen: at most `height` lines, none wider than `width`. */
export function topText(herd: TopHerd, layout: TopLayout): string[] {
  const { height, skipped, keys, width, paint } = layout
  const head = [headText(herd, layout), '']
  const foot = keys === null ? [] : [paint('dim', cutTo(keys, width))]
  const body = bodyLines(herd, layout)
  const room = Math.max(0, height - head.length - foot.length)
  const from = Math.max(0, Math.min(skipped, body.length - room))
  const lines = body.slice(from, from + room)
  const padding = Number.isFinite(room) && foot.length > 0 ? Array(room - lines.length).fill('') : []
  return [...head, ...lines, ...padding, ...foot].slice(0, height)
}

function bodyLines(herd: TopHerd, layout: TopLayout): string[] {
  const troubles = herd.servers.flatMap((server) => {
    return server.troubles.map((trouble) => layout.paint('red', cutTo(shown(trouble), layout.width)))
  })
  const tables = [
    troubles,
    table(SERVER_COLUMNS, sorted(herd.servers, layout), layout),
    table(LINK_COLUMNS, herd.links, layout),
    table(BUDGET_COLUMNS, herd.budgets, layout),
    table(PROVIDER_COLUMNS, herd.providers, layout),
  ]
  return tables
    .filter(({ length }) => length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
}

function headText({ herd, servers, agree }: TopHerd, { width, paint }: TopLayout): string {
  const ours = servers.filter(({ state }) => state !== 'left')
  const up = ours.filter(({ state }) => state !== 'down')
  const clients = Math.max(0, ...servers.map((server) => server.clients ?? 0))
  const accepted = servers.reduce((total, server) => total + (server.accepted_per_s ?? 0), 0)
  const light = agree === null ? 'tables: in motion' : agree ? 'tables agree' : 'TABLES DIFFER'
  const parts: readonly (readonly [Parameters<Paint>[0] | null, string])[] = [
    ['bold', `herd ${shown(herd)}`],
    [up.length < ours.length ? 'red' : null, `${up.length} of ${ours.length} servers up`],
    [null, `${countText(clients)} ${clients === 1 ? 'client' : 'clients'}`],
    [null, `${rateText(accepted)} reports/s`],
    [agree === null ? 'dim' : agree ? 'green' : 'red', light],
  ]
  let [line, used] = ['', 0]
  for (const [style, text] of parts) {
    const gap = used === 0 ? 0 : GAP
    const cut = cutTo(text, width - used - gap)
    if (cut === '') break
    line += ' '.repeat(gap) + (style === null ? cut : paint(style, cut))
    used += gap + textWidth(cut)
  }
  return line
}

/** Columns as wide as their texts; those that there is no room for are left out. */
function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], layout: TopLayout): string[] {
  if (rows.length === 0) return []
  const { width, paint, sort, isReversed } = layout
  const titled = columns.map((column) => {
    const isSorted = column.sort === sort
    const title = isSorted ? `${column.title}${isReversed ? '▲' : '▼'}` : column.title
    const texts = rows.map((row) => column.text(row))
    return { column, title, texts, wide: Math.max(textWidth(title), ...texts.map(textWidth)) }
  })
  let kept = titled
  const widthOf = (all: typeof titled): number => all.reduce((total, { wide }) => total + wide + GAP, -GAP)
  while (kept.length > 1 && widthOf(kept) > width) {
    const least = Math.max(...kept.map(({ column }) => column.spared))
    const last = kept.findLastIndex(({ column }) => column.spared === least)
    kept = kept.toSpliced(last, 1)
  }
  const cell = (text: string, { column, wide }: (typeof titled)[number]): string => {
    return fitted(text, Math.min(wide, width), column.align)
  }
  const gap = ' '.repeat(GAP)
  const title = kept.map((each) => cell(each.title, each)).join(gap)
  return [
    paint('bold', title),
    ...rows.map((row, index) =>
      kept
        .map((each) => {
          const text = cell(each.texts[index] ?? '', each)
          const style = each.column.style?.(row) ?? null
          return style === null ? text : paint(style, text)
        })
        .join(gap),
    ),
  ]
}

function sorted(servers: readonly TopServer[], { sort, isReversed }: TopLayout): TopServer[] {
  const byName = servers.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const value = SORT_VALUES[sort]
  const all = value === null ? byName : byName.toSorted((a, b) => value(b) - value(a))
  return isReversed ? all.toReversed() : all
}

const SORT_VALUES: Readonly<Record<TopSort, ((server: TopServer) => number) | null>> = {
  name: null,
  clients: ({ clients }) => clients ?? -1,
  fixes: ({ fixes_per_s }) => fixes_per_s ?? -1,
  accepted: ({ accepted_per_s }) => accepted_per_s ?? -1,
  watchers: ({ watchers }) => watchers ?? -1,
  behind: ({ behind }) => behind,
  busy: ({ busy_pct }) => busy_pct ?? -1,
  up: ({ up_s }) => up_s ?? -1,
}

function stateStyle({ state }: TopServer): Parameters<Paint>[0] {
  if (state === 'ready') return 'green'
  return state === 'down' ? 'red' : state === 'left' ? 'dim' : 'yellow'
}

function countText(count: number | null): string {
  return count === null ? NOTHING : count.toLocaleString('en')
}

function rateText(rate: number | null): string {
  if (rate === null) return NOTHING
  return rate < 100 && rate > 0 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')
}

function percentText(percent: number | null): string {
  return percent === null ? NOTHING : `${Math.round(percent)} %`
}

function msText(ms: number | null): string {
  return ms === null ? NOTHING : `${ms.toFixed(1)} ms`
}

function ageText(seconds: number | null): string {
  if (seconds === null) return NOTHING
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** Text from elsewhere, in one line. */
function shown(text: string): string {
  return printable(text).replaceAll('\t', ' ')
}
