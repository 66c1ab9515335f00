/** Dark or light: what the system says, until somebody says otherwise. */

/** One of the two. */
export type Theme = 'dark' | 'light'

const KEY = 'herd-theme'

/** The theme of the page. */
export class PageTheme {
  readonly #system: MediaQueryList = matchMedia('(prefers-color-scheme: dark)')
  readonly #tell: (theme: Theme) => void
  #chosen: Theme | null = read()

  /** @param tell is called when it changes. */
  constructor(tell: (theme: Theme) => void) {
    this.#tell = tell
    this.#system.addEventListener('change', () => this.#show())
    document.documentElement.dataset.theme = this.theme
  }

  get theme(): Theme {
    return this.#chosen ?? (this.#system.matches ? 'dark' : 'light')
  }

  /** The other one, from now on; the system's again when it is the same. */
  turn(): void {
    const theme = this.theme === 'dark' ? 'light' : 'dark'
    this.#chosen = theme === (this.#system.matches ? 'dark' : 'light') ? null : theme
    try {
      if (this.#chosen === null) localStorage.removeItem(KEY)
      else localStorage.setItem(KEY, this.#chosen)
    } catch {
      // A browser that keeps nothing shows it all the same.
    }
    this.#show()
  }

  #show(): void {
    document.documentElement.dataset.theme = this.theme
    this.#tell(this.theme)
  }
}

function read(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'dark' || kept === 'light' ? kept : null
  } catch {
    return null
  }
}
