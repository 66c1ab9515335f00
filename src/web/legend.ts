/** Which server has heard how many clients last, by its color on the map. */
import type { Movers } from './movers.ts'
import { element } from './page.ts'
import type { ServerColors } from './server-colors.ts'
import { count } from './units.ts'

/** Servers that are listed; more would cover the map. */
const LISTED_MAX = 8

/** The list in the corner. */
export class Legend {
  readonly #root: HTMLElement
  readonly #movers: Movers
  readonly #colors: ServerColors
  #names: readonly string[] = []
  #shown = ''

  constructor(root: HTMLElement, movers: Movers, colors: ServerColors) {
    this.#root = root
    this.#movers = movers
    this.#colors = colors
  }

  /** The servers of the herd: they are listed with no clients too. */
  know(names: readonly string[]): void {
    this.#names = names.toSorted()
  }

  /** Counts anew. */
  update(): void {
    const counts = new Map(this.#names.map((name) => [name, 0]))
    for (const { fix } of this.#movers.all) counts.set(fix.server, (counts.get(fix.server) ?? 0) + 1)
    const rows = this.#movers.size === 0 ? [] : [...counts].slice(0, LISTED_MAX)
    const shown = JSON.stringify(rows)
    if (shown === this.#shown) return
    this.#shown = shown
    this.#root.replaceChildren(
      ...rows.map(([name, number]) =>
        element(
          'li',
          {},
          element('span', { class: 'swatch', 'data-server': this.#colors.of(name) }),
          name,
          element('span', { class: 'number' }, count(number)),
        ),
      ),
    )
  }
}
