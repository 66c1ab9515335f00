/** Which places an ask wants: by type, and by words, whatever their case and accents. Pure. */
import type { PlacesQuery } from './provider.ts'

/** Text as words are compared: without accents, in small letters, `_` as the space that it stands for. */
export function foldText(text: string): string {
  const plain = /[^\0-\x7f]/.test(text) ? text.normalize('NFKD').replace(/\p{M}/gu, '') : text
  return plain.toLowerCase().replaceAll('_', ' ')
}

/** The `type` and `keyword` of an ask. */
export class PlaceFilter {
  readonly #type: string | undefined
  readonly #words: readonly string[]
  /** Of the lists of types seen so far, which are few. */
  readonly #foldedTypes = new Map<readonly string[], string>()

  constructor({ type, keyword = '' }: Pick<PlacesQuery, 'type' | 'keyword'>) {
    this.#type = type
    this.#words = foldText(keyword).split(/\s+/).filter(Boolean)
  }

  /** It lets everything through. */
  get isOpen(): boolean {
    return this.#type === undefined && this.#words.length === 0
  }

  /** It looks at words, so it must be told names. */
  get asksForWords(): boolean {
    return this.#words.length > 0
  }

  /** The type that is asked for is one of these. */
  hasType(types: readonly string[]): boolean {
    return this.#type === undefined || types.includes(this.#type)
  }

  /** Every word is somewhere in a name or among the types: `cafe` is in `Café Central`. */
  hasWords(name: string, types: readonly string[]): boolean {
    if (this.#words.length === 0) return true
    const folded = foldText(name)
    return this.#words.every((word) => folded.includes(word) || this.#folded(types).includes(word))
  }

  /** Both. */
  wants(name: string, types: readonly string[]): boolean {
    return this.hasType(types) && this.hasWords(name, types)
  }

  #folded(types: readonly string[]): string {
    const known = this.#foldedTypes.get(types)
    if (known !== undefined) return known
    const folded = foldText(types.join(' '))
    this.#foldedTypes.set(types, folded)
    return folded
  }
}
