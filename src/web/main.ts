/** The page: puts its parts together. */
import { ClientCard } from './client-card.ts'
import { durationSeconds, STALE_AFTER_SECONDS } from './freshness.ts'
import { hopsOf, verdictOf } from './herd-state.ts'
import { HerdView } from './herd-view.ts'
import { type HerdNews, HerdWatch } from './herd-watch.ts'
import { Legend } from './legend.ts'
import { MapView } from './map-view.ts'
import { MOVERS_MAX, Movers } from './movers.ts'
import { element, find, isTyping } from './page.ts'
import { PageHerd } from './page-herd.ts'
import { palettes } from './palette.ts'
import { type Asked, askedOf, nearestClient, placesAround } from './places-ask.ts'
import { placesPanel } from './places-panel.ts'
import { SearchBox } from './search-box.ts'
import { ServerColors } from './server-colors.ts'
import { PageTheme } from './theme.ts'
import { TokenPrompt } from './token-prompt.ts'
import type { LonLat } from './trail.ts'
import { count } from './units.ts'
import { fillWelcome } from './welcome.ts'

const TICK_MS = 500
const STATES = {
  connecting: 'Connecting …',
  live: 'Live',
  lost: 'Reconnecting …',
  refused: 'Not allowed; reload the page for another token',
} as const
const NOTE_MS = 6000
/** The first clients of a herd that is just starting come within this time; the map shows them all. */
const FIRST_LOOK_MS = 400

/** What the server says of its map. */
interface MapJson {
  /** Where street tiles are; `null`: there are none. */
  readonly tiles: string | null
}

const params = new URLSearchParams(location.search)
const stillness = matchMedia('(prefers-reduced-motion: reduce)')
const movers = new Movers(durationSeconds(params.get('stale')) ?? STALE_AFTER_SECONDS)
const colors = new ServerColors()
const theme = new PageTheme((name) => {
  map.palette = palettes[name]
})
const base = new URL('.', document.baseURI).href
const herd = new PageHerd(base, new TokenPrompt())
const map = new MapView(
  find('map', HTMLElement),
  { worker: meta('worker'), world: meta('world'), labels: meta('labels') },
  palettes[theme.theme],
  movers,
  colors,
  {
    pick: (mover) => select(mover?.client ?? null),
    ask: (at, mover) => void ask(at, mover?.client ?? null),
    unfollow: () => follow(false),
  },
)
const card = new ClientCard(find('card', HTMLElement), movers, colors, {
  close: () => select(null),
  follow: () => follow(!isFollowing),
  ask: () => askSelected(),
})
const search = new SearchBox(movers, colors, (client) => {
  show('map')
  select(client)
  follow(true)
})
const legend = new Legend(find('legend', HTMLElement), movers, colors)
const herdView = new HerdView(find('herd-view', HTMLElement), colors)
const herdWatch = new HerdWatch(herd, (news) => showHerd(news))
let isFollowing = false
let isCaughtUp = false
let hasLooked = false
let state: keyof typeof STATES = 'connecting'
let hears = ''

function select(client: string | null): void {
  const mover = client === null ? null : (movers.get(client) ?? null)
  if (mover?.client === card.client) return
  map.select(mover)
  map.showPlaces([])
  card.show(mover?.client ?? null)
  map.cover(card.covers)
  follow(false)
  note('')
}

function follow(isOn: boolean): void {
  isFollowing = isOn && card.client !== null
  map.isFollowing = isFollowing
  card.isFollowing = isFollowing
}

function askSelected(): void {
  const mover = card.client === null ? undefined : movers.get(card.client)
  void ask(mover?.drawn ?? map.view.center, mover?.client ?? null)
}

async function ask(at: LonLat, client: string | null): Promise<void> {
  try {
    const mover = client === null ? undefined : movers.get(client)
    const asked = mover === undefined ? await nearest(at) : askedOf(mover.client, mover.drawn)
    if (asked === null) return
    select(asked.client)
    card.showBelow(
      element('section', { class: 'places' }, element('p', { class: 'quiet' }, 'Asking for places …')),
    )
    const answer = await placesAround(herd, asked.client)
    if (card.client !== asked.client) return
    map.showPlaces(answer.places)
    card.showBelow(placesPanel(asked.intro, asked.at, answer, (place) => map.flyTo(place)))
    if (answer.places.length > 0) map.fit([asked.at, ...answer.places.map((place) => place.at)], 13)
    note('')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    card.showBelow(element('p', { class: 'places', role: 'alert' }, `No places: ${why}.`))
    if (card.client === null) note(`No places: ${why}.`)
  }
}

async function nearest(at: LonLat): Promise<Asked | null> {
  note('Looking for the nearest client …')
  const asked = await nearestClient(herd, at, map.view)
  if (asked !== null && movers.get(asked.client) !== undefined) return asked
  note('There is no client in this part of the map to ask for.')
  return null
}

let noteTimer: ReturnType<typeof setTimeout> | undefined
function note(text: string): void {
  clearTimeout(noteTimer)
  find('note', HTMLElement).textContent = text
  if (text !== '') noteTimer = setTimeout(() => note(''), NOTE_MS)
}

function showHerd(news: HerdNews): void {
  if (news.herd !== null) {
    if (colors.know(news.herd.servers.map(({ name }) => name))) movers.changeAll()
    legend.know(news.herd.servers.map(({ name }) => name))
    card.know(hopsOf(news.herd))
    document.title = `${news.herd.herd} – Herd`
    hears = news.herd.server
  }
  const light = news.problem !== '' ? 'bad' : news.herd === null ? 'unknown' : verdictOf(news.herd).light
  find('herd-light', HTMLElement).dataset.light = light
  if (document.body.dataset.view === 'herd') herdView.show(news)
  last = news
}
let last: HerdNews = { herd: null, cameMs: 0, problem: '' }

function show(view: 'map' | 'herd'): void {
  const hash = view === 'herd' ? '#herd' : ''
  if (location.hash !== hash)
    history.pushState(null, '', hash === '' ? location.pathname + location.search : hash)
  const isHerd = view === 'herd'
  document.body.dataset.view = view
  find('herd-view', HTMLElement).hidden = !isHerd
  find('map-view', HTMLElement).inert = isHerd
  find('to-herd', HTMLElement).toggleAttribute('aria-current', isHerd)
  find('to-map', HTMLElement).toggleAttribute('aria-current', !isHerd)
  herdWatch.isShown = isHerd
  if (isHerd) herdView.show(last)
}

function showState(): void {
  find('state-dot', HTMLElement).dataset.state = state
  const text = STATES[state]
  const status = find('state', HTMLElement)
  if (status.textContent !== text) status.textContent = text
  const many =
    movers.leftOut > 0
      ? `first ${count(MOVERS_MAX)} clients`
      : `${count(movers.size)} ${movers.size === 1 ? 'client' : 'clients'}`
  find('tally', HTMLElement).textContent = hears === '' ? many : `${many} · ${hears}`
  find('welcome', HTMLElement).hidden = !isCaughtUp || movers.size > 0
}

function tick(): void {
  showState()
  card.update()
  legend.update()
  look()
  // How long ago it answered.
  if (last.problem !== '') showHerd(last)
}

/** Once, when all that is known has come: everyone is in the picture. */
function look(): void {
  if (hasLooked || !isCaughtUp || movers.size === 0) return
  hasLooked = true
  setTimeout(() => {
    if (card.client === null) map.fit([...movers.all].map(({ drawn }) => drawn))
  }, FIRST_LOOK_MS)
}

function meta(name: string): string {
  return document.querySelector(`meta[name="herd:${name}"]`)?.getAttribute('content') ?? ''
}

/** A button that is on or off, and stays so on this machine. */
function toggle(id: string, isOn: boolean, set: (isOn: boolean) => void): () => void {
  const button = find(id, HTMLButtonElement)
  const turn = (now: boolean): void => {
    button.setAttribute('aria-pressed', String(now))
    set(now)
  }
  const flip = (): void => turn(button.getAttribute('aria-pressed') !== 'true')
  button.addEventListener('click', flip)
  turn(isOn)
  return flip
}

function press(id: string, act: () => void): () => void {
  find(id, HTMLButtonElement).addEventListener('click', act)
  return act
}

const keys = find('keys-dialog', HTMLDialogElement)
const commands: Readonly<Record<string, () => void>> = {
  '/': () => {
    show('map')
    search.focus()
  },
  f: () => follow(!isFollowing),
  w: askSelected,
  a: press('fit', () => map.fit([...movers.all].map(({ drawn }) => drawn))),
  t: toggle('trails', true, (isOn) => {
    map.hasTrails = isOn
  }),
  g: toggle('globe', params.has('globe'), (isOn) => {
    map.isGlobe = isOn
  }),
  d: press('theme', () => theme.turn()),
  m: () => show('map'),
  h: () => show('herd'),
  '?': press('help', () => keys.showModal()),
}
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && card.client !== null) select(null)
  const { ctrlKey, altKey, metaKey } = event
  if (isTyping(event) || ctrlKey || altKey || metaKey || document.querySelector('dialog[open]') !== null)
    return
  const command = commands[event.key.toLowerCase()]
  if (command === undefined) return
  event.preventDefault()
  command()
})
find('to-map', HTMLElement).addEventListener('click', (event) => {
  event.preventDefault()
  show('map')
})
for (const type of ['hashchange', 'popstate']) {
  window.addEventListener(type, () => show(location.hash === '#herd' ? 'herd' : 'map'))
}

function still(): void {
  movers.glides = !stillness.matches
}
stillness.addEventListener('change', still)
still()
fillWelcome(find('welcome', HTMLElement), base)
show(location.hash === '#herd' ? 'herd' : 'map')
setInterval(tick, TICK_MS)
void herdWatch.run()
void herd.watch({
  fix: (fix) => movers.apply(fix, performance.now()),
  exit: (client) => movers.remove(client),
  caughtUp: () => {
    isCaughtUp = true
    look()
  },
  state: (now) => {
    state = now
    showState()
  },
})
void addStreets().catch(() => note('The street tiles of this server can’t be read.'))

async function addStreets(): Promise<void> {
  const response = await fetch('map.json')
  const { tiles }: MapJson = await response.json()
  if (tiles !== null) await map.addStreets(tiles)
}
