/** Asks for a token when the server wants one, and keeps it as long as the tab is open. */
import { find } from './page.ts'
import type { TokenSource } from './page-herd.ts'

const KEY = 'herd-token'

/** The dialog of the page. */
export class TokenPrompt implements TokenSource {
  readonly #dialog: HTMLDialogElement = find('token-dialog', HTMLDialogElement)
  readonly #input: HTMLInputElement = find('token', HTMLInputElement)
  #token: string | null = read()
  /** Who gave none is not asked again and again. */
  #isDeclined = false
  /** All who wait for a token wait for the same one. */
  #asking: Promise<boolean> | null = null

  get token(): string | null {
    return this.#token
  }

  ask(reason: string): Promise<boolean> {
    if (this.#isDeclined) return Promise.resolve(false)
    this.#asking ??= this.#prompt(reason).finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  #prompt(reason: string): Promise<boolean> {
    find('token-reason', HTMLElement).textContent = reason
    this.#input.value = ''
    this.#dialog.returnValue = ''
    this.#dialog.showModal()
    let isGiven = false
    return new Promise((resolve) => {
      const cancel = find('token-cancel', HTMLButtonElement)
      cancel.onclick = () => this.#dialog.close()
      this.#dialog.querySelector('form')?.addEventListener(
        'submit',
        () => {
          this.#token = this.#input.value.trim()
          keep(this.#token)
          isGiven = true
        },
        { once: true },
      )
      this.#dialog.addEventListener(
        'close',
        () => {
          this.#isDeclined = !isGiven
          resolve(isGiven)
        },
        { once: true },
      )
    })
  }
}

function read(): string | null {
  try {
    return sessionStorage.getItem(KEY)
  } catch {
    return null
  }
}

function keep(token: string): void {
  try {
    sessionStorage.setItem(KEY, token)
  } catch {
    // It is asked for again in the next page.
  }
}
