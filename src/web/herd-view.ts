/** The view of the servers: how the herd is, who is linked with whom, and who knows how many clients. */

import type { BudgetJson, HerdJson, HerdServerJson } from '../gateways/http/shapes.ts'
import { herdGraph } from './herd-graph.ts'
import { budgetsOf, serverLevel, verdictOf } from './herd-state.ts'
import type { HerdNews } from './herd-watch.ts'
import { drawing, element } from './page.ts'
import type { ServerColors } from './server-colors.ts'
import { count, figure, span } from './units.ts'

const BUDGET_HIGH = 0.9

/** Shows it in an element of the page. */
export class HerdView {
  readonly #root: HTMLElement
  readonly #colors: ServerColors
  readonly #verdict: HTMLElement = element('span', { role: 'status', 'aria-live': 'polite' })
  #shown = ''

  constructor(root: HTMLElement, colors: ServerColors) {
    this.#root = root
    this.#colors = colors
  }

  /** Shows what is known. */
  show({ herd, cameMs, problem }: HerdNews): void {
    if (herd === null) {
      this.#root.replaceChildren(
        element(
          'div',
          { class: 'herd' },
          element('p', { class: 'lost', role: 'status' }, problem || 'Asking the server …'),
        ),
      )
      return
    }
    const verdict = verdictOf(herd)
    const light = problem === '' ? verdict.light : 'bad'
    const text = problem === '' ? verdict.text : `${herd.server} does not answer`
    // What is read aloud changes only when it says something new.
    if (text !== this.#shown) this.#verdict.textContent = text
    this.#shown = text
    const clients = herd.servers.find(({ name }) => name === herd.server)?.health?.clients
    const scroll = this.#root.scrollTop
    this.#root.replaceChildren(
      element(
        'div',
        { class: 'herd' },
        element(
          'div',
          { class: 'herd-head' },
          element('h2', {}, herd.herd),
          element(
            'span',
            { class: 'verdict' },
            element('span', { class: 'light', 'data-light': light }),
            this.#verdict,
          ),
          element(
            'span',
            { class: 'quiet' },
            `as ${herd.server} sees it${clients === undefined ? '' : ` · ${count(clients)} ${clients === 1 ? 'client' : 'clients'}`}`,
          ),
        ),
        problem !== '' && this.#lost(herd, cameMs, problem),
        element('div', { class: 'panel graph' }, herdGraph(herd, this.#colors)),
        element(
          'div',
          { class: 'servers' },
          ...herd.servers.map((server) => this.#server(server)),
          budgets(budgetsOf(herd)),
        ),
      ),
    )
    this.#root.scrollTop = scroll
  }

  /** This page's server is gone: others have the same map. */
  #lost({ server, servers }: HerdJson, cameMs: number, problem: string): HTMLElement {
    const seconds = (performance.now() - cameMs) / 1000
    const others = servers.filter(({ name, reachable }) => reachable && name !== server)
    return element(
      'p',
      { class: 'lost' },
      `${server} does not answer (${problem}). This is what it said ${span(seconds)} ago; it is asked again and again. `,
      others.length > 0 && 'The same map is at ',
      ...others.flatMap(({ name, host, port }, index) => [
        index > 0 && ', ',
        element('a', { href: addressOf(host, port) }, name),
      ]),
      others.length > 0 && '.',
    )
  }

  #server(server: HerdServerJson): HTMLElement {
    const { name, host, port, reachable, health } = server
    const { word, level } = serverLevel(server)
    return element(
      'section',
      { class: `panel server-card${reachable ? '' : ' down'}`, 'data-name': name },
      element(
        'header',
        {},
        element('span', { class: 'swatch', 'data-server': this.#colors.of(name) }),
        element('h3', {}, name),
        element('span', { class: 'where mono' }, `${host}:${port}`),
        health !== undefined && element('span', { class: 'where' }, `Herd ${health.version}`),
        element('span', { class: 'pill', 'data-level': level }, word),
      ),
      health !== undefined &&
        element(
          'dl',
          { class: 'numbers' },
          ...number('clients', count(health.clients)),
          ...number('connections', count(health.connections)),
          ...number('fixes/s', figure(health.fixes_per_s)),
          ...number('up', span(health.up_s)),
          ...(health.audits_failed > 0 ? number('failed audits', count(health.audits_failed)) : []),
        ),
    )
  }
}

function number(name: string, value: string): HTMLElement[] {
  return [element('div', {}, element('dt', {}, name), element('dd', {}, value))]
}

function budgets(all: readonly BudgetJson[]): HTMLElement | null {
  if (all.length === 0) return null
  return element(
    'section',
    { class: 'panel budgets' },
    element('h3', {}, 'Calls for places'),
    ...all.map(({ provider, per, budget, used_by_herd: used }) => {
      const part = budget === 0 ? 1 : Math.min(1, used / budget)
      return element(
        'div',
        { class: `budget${part >= BUDGET_HIGH ? ' most' : ''}` },
        element('span', {}, `${provider}, each ${per}`),
        element('span', { class: 'quiet' }, `${count(used)} of ${count(budget)}`),
        drawing(
          'svg',
          { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
          drawing('rect', { width: part * 100, height: 6 }),
        ),
      )
    }),
  )
}

/** Where a browser finds a server: by the host it is known by, or this page's own where that is only on the machine itself. */
function addressOf(host: string, port: number): string {
  const isLocal = /^(?:127\.|localhost$|::1$|0\.0\.0\.0$|::$)/.test(host)
  const name = isLocal ? location.hostname : host.includes(':') ? `[${host}]` : host
  return `${location.protocol}//${name}:${port}/#herd`
}
