/** Which places an ask wants: by type, and by words, whatever their case and accents. Pure. */
import type { PlacesQuery } from './provider.ts'

/** Text as words are compared: without accents, in small letters, `_` as the space that it stands for. */
export function foldText(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('_', ' ')
}

/** The `type` and `keyword` of an ask. */
export class PlaceFilter {
  readonly #type: string | undefined
  readonly #words: readonly string[]

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
    const text = `${foldText(name)} ${foldText(types.join(' '))}`
    return this.#words.every((word) => text.includes(word))
  }

  /** Both. */
  wants(name: string, types: readonly string[]): boolean {
    return this.hasType(types) && this.hasWords(name, types)
  }
}
