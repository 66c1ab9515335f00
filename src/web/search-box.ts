/** The search box: finds clients by ID while somebody types. */

import { STALE } from './freshness.ts'
import type { Movers } from './movers.ts'
import { element, find } from './page.ts'
import { searchClients } from './search.ts'
import type { ServerColors } from './server-colors.ts'
import { span } from './units.ts'

/** A combobox as https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ describes it. */
export class SearchBox {
  readonly #input: HTMLInputElement = find('search', HTMLInputElement)
  readonly #list: HTMLElement = find('results', HTMLElement)
  readonly #movers: Movers
  readonly #colors: ServerColors
  readonly #choose: (client: string) => void
  #found: readonly string[] = []
  #active = 0

  constructor(movers: Movers, colors: ServerColors, choose: (client: string) => void) {
    this.#movers = movers
    this.#colors = colors
    this.#choose = choose
    this.#input.addEventListener('input', () => this.#search())
    this.#input.addEventListener('focus', () => this.#search())
    this.#input.addEventListener('blur', () => this.#close())
    this.#input.addEventListener('keydown', (event) => this.#key(event))
  }

  /** Puts the cursor into it. */
  focus(): void {
    this.#input.focus()
    this.#input.select()
  }

  #search(): void {
    this.#found = searchClients(this.#movers.clients, this.#input.value)
    this.#active = 0
    this.#show()
  }

  #show(): void {
    if (this.#input.value.trim() === '') {
      this.#close()
      return
    }
    const none = element('div', { class: 'none' }, 'No client has that in its ID')
    const now = performance.now()
    this.#list.replaceChildren(...this.#found.map((client, index) => this.#item(client, index, now)))
    if (this.#found.length === 0) this.#list.append(none)
    this.#list.hidden = false
    this.#input.setAttribute('aria-expanded', 'true')
    if (this.#found.length > 0) this.#input.setAttribute('aria-activedescendant', `result-${this.#active}`)
    else this.#input.removeAttribute('aria-activedescendant')
  }

  #item(client: string, index: number, now: number): HTMLElement {
    const mover = this.#movers.get(client)
    const isStale = mover === undefined || mover.freshness >= STALE
    return element(
      'div',
      {
        ...{ id: `result-${index}`, role: 'option', 'aria-selected': String(index === this.#active) },
        // Before the input loses the focus, and with it this list.
        onpointerdown: (event) => {
          event.preventDefault()
          this.#take(client)
        },
      },
      element('span', {
        class: isStale ? 'swatch stale' : 'swatch',
        'data-server': mover === undefined ? null : this.#colors.of(mover.fix.server),
      }),
      element('span', { class: 'name' }, client),
      mover !== undefined && element('span', { class: 'quiet' }, span(this.#movers.ageSeconds(mover, now))),
    )
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this.#input.value = ''
      this.#input.blur()
    } else if (event.key === 'Enter') {
      const client = this.#found[this.#active]
      if (client !== undefined) this.#take(client)
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1
      this.#active = (this.#active + step + this.#found.length) % Math.max(1, this.#found.length)
      this.#show()
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  #take(client: string): void {
    this.#input.value = ''
    this.#input.blur()
    this.#choose(client)
  }

  #close(): void {
    this.#list.hidden = true
    this.#input.setAttribute('aria-expanded', 'false')
    this.#input.removeAttribute('aria-activedescendant')
  }
}
