/** The card of the selected client. */
import type { FixJson } from '../gateways/http/shapes.ts'
import { STALE } from './freshness.ts'
import type { Mover, Movers } from './movers.ts'
import { type Child, drawing, element, icon } from './page.ts'
import type { ServerColors } from './server-colors.ts'
import { course, distance, figure, position, signedSeconds, span, speed } from './units.ts'

const BATTERY_LOW = 20

/** What somebody can do with the client. */
export interface CardActions {
  close(): void
  follow(): void
  ask(): void
}

/** Shows one client, or nothing. */
export class ClientCard {
  readonly #root: HTMLElement
  readonly #movers: Movers
  readonly #colors: ServerColors
  readonly #age: HTMLElement = element('p', { class: 'age' })
  readonly #facts: HTMLElement = element('dl', { class: 'facts' })
  readonly #below: HTMLElement = element('div')
  readonly #title: HTMLElement = element('h2')
  readonly #follow: HTMLButtonElement
  #client: string | null = null
  #drawn: FixJson | null = null
  /** From each server to the one that this page asks; empty: not known yet. */
  #hops: ReadonlyMap<string, number> = new Map()
  #hopsDrawn = ''

  constructor(root: HTMLElement, movers: Movers, colors: ServerColors, actions: CardActions) {
    this.#root = root
    this.#movers = movers
    this.#colors = colors
    const labelled = (name: string, text: string, key: string, act: () => void): HTMLButtonElement =>
      element(
        'button',
        { type: 'button', class: 'labelled', title: `${text} (${key})`, onclick: act },
        icon(name),
        text,
      )
    this.#follow = labelled('follow', 'Follow', 'F', () => actions.follow())
    this.#follow.setAttribute('aria-pressed', 'false')
    const close = element(
      'button',
      { type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => actions.close() },
      icon('close'),
    )
    root.replaceChildren(
      element('div', { class: 'card-head' }, element('div', {}, this.#title, this.#age), close),
      element(
        'div',
        { class: 'buttons' },
        this.#follow,
        labelled('places', 'What’s here', 'W', () => actions.ask()),
      ),
      element('div', { class: 'card-body' }, this.#facts, this.#below),
    )
  }

  /** The client that is shown. */
  get client(): string | null {
    return this.#client
  }

  /** Shows another client; `null`: none. */
  show(client: string | null): void {
    this.#client = client
    this.#drawn = null
    this.#below.replaceChildren()
    this.#root.hidden = client === null
    document.body.toggleAttribute('data-card', client !== null)
    this.update()
  }

  /** @param hops from each server to the one that this page asks. */
  know(hops: ReadonlyMap<string, number>): void {
    this.#hops = hops
    const mover = this.#client === null ? undefined : this.#movers.get(this.#client)
    if (mover === undefined || this.#hopsText(mover.fix) === this.#hopsDrawn) return
    this.#drawn = null
    this.update()
  }

  /** Shows what is new. */
  update(): void {
    const mover = this.#client === null ? undefined : this.#movers.get(this.#client)
    if (mover === undefined) return
    this.#showAge(mover)
    if (mover.fix === this.#drawn) return
    this.#drawn = mover.fix
    this.#title.textContent = mover.client
    this.#facts.replaceChildren(...this.#factsOf(mover.fix))
  }

  /** What it covers of the map: a part at the right, or on a phone at the bottom. Pixels. */
  get covers(): { readonly right: number; readonly bottom: number } {
    if (this.#root.hidden) return { right: 0, bottom: 0 }
    const { width, height } = this.#root.getBoundingClientRect()
    return width < innerWidth ? { right: width, bottom: 0 } : { right: 0, bottom: height }
  }

  set isFollowing(isFollowing: boolean) {
    this.#follow.setAttribute('aria-pressed', String(isFollowing))
  }

  /** Shows something below the facts, instead of what was there. */
  showBelow(...children: Node[]): void {
    this.#below.replaceChildren(...children)
  }

  #showAge(mover: Mover): void {
    const age = this.#movers.ageSeconds(mover, performance.now())
    const isStale = mover.freshness >= STALE
    this.#age.className = isStale ? 'age stale' : 'age'
    const text = `${isStale ? 'Stale: ' : ''}${age < 1 ? 'just now' : `${span(age)} ago`}`
    this.#age.replaceChildren(
      element('span', {
        class: isStale ? 'swatch stale' : 'swatch',
        'data-server': this.#colors.of(mover.fix.server),
      }),
      text,
    )
  }

  /** How far the fix has come. */
  #hopsText({ server }: FixJson): string {
    if (this.#hops.size === 0) return '–'
    const hops = this.#hops.get(server)
    if (hops === undefined) return `${server} is out of reach`
    return hops === 0 ? '0: this page asks the same server' : String(hops)
  }

  #factsOf(fix: FixJson): HTMLElement[] {
    const server = [
      element('span', { class: 'swatch', 'data-server': this.#colors.of(fix.server) }),
      fix.server,
    ]
    this.#hopsDrawn = this.#hopsText(fix)
    const rows: (readonly [name: string, ...value: Child[]])[] = [
      ['Position', position(fix.lat, fix.lon)],
      ['As reported', element('span', { class: 'mono' }, fix.position)],
      ['Time', element('time', { datetime: fix.time, title: fix.time }, timeText(fix.time))],
      ['Heard by', element('span', { class: 'with-swatch' }, ...server)],
      ['Hops', this.#hopsDrawn],
      ['Skew', signedSeconds(fix.skew_s)],
    ]
    if (fix.speed_mps !== undefined) rows.push(['Speed', speed(fix.speed_mps)])
    if (fix.heading_deg !== undefined) rows.push(['Course', course(fix.heading_deg)])
    if (fix.altitude_m !== undefined) rows.push(['Altitude', `${figure(fix.altitude_m)} m`])
    if (fix.accuracy_m !== undefined) rows.push(['Accuracy', `± ${distance(fix.accuracy_m)}`])
    if (fix.battery_pct !== undefined)
      rows.push(['Battery', battery(fix.battery_pct), `${Math.round(fix.battery_pct)} %`])
    const tags = Object.entries(fix.tags ?? {})
    if (tags.length > 0) {
      rows.push([
        'Tags',
        ...tags.map(([name, value]) => element('span', { class: 'tag' }, `${name}: ${value}`)),
      ])
    }
    return rows.flatMap(([name, ...value]) => [element('dt', {}, name), element('dd', {}, ...value)])
  }
}

function battery(percent: number): SVGElement {
  const level = drawing('rect', { width: Math.min(100, percent), height: 40 })
  const given = {
    class: percent < BATTERY_LOW ? 'battery low' : 'battery',
    viewBox: '0 0 100 40',
    'aria-hidden': 'true',
  }
  return drawing('svg', { ...given, preserveAspectRatio: 'none' }, level)
}

/** The person's own time; the day only when it isn't today. */
function timeText(time: string): string {
  const date = new Date(time)
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday ? date.toLocaleTimeString() : date.toLocaleString()
}
