/** Which color a server has on the map: the same for the same herd, whoever speaks first. Pure. */

/** Colors that are told apart; servers beyond them share. */
export const COLORS = 8

/** Colors by the name of the server. */
export class ServerColors {
  readonly #numbers = new Map<string, number>()

  /** Gives the servers of the herd their colors, in the order of their names. @returns whether anyone has another color now. */
  know(names: readonly string[]): boolean {
    const all = names.toSorted()
    if (all.every((name, index) => this.#numbers.get(name) === index % COLORS)) return false
    const others = [...this.#numbers.keys()].filter((name) => !all.includes(name))
    this.#numbers.clear()
    for (const name of [...all, ...others]) this.of(name)
    return true
  }

  /** The number of a server's color. */
  of(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#numbers.size % COLORS
    this.#numbers.set(name, number)
    return number
  }
}
