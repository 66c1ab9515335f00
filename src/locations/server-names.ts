/**
 * The servers that origins name, each once: a record keeps a small index instead of the name. Bounded, since
 * a neighbor of the old kind may send any name.
 */
export class ServerNames {
  readonly #max: number
  readonly #names: Buffer[] = []
  readonly #prefixes: Buffer[] = []
  readonly #indexes = new Map<string, number>()
  #last = -1

  /** @param max how many different names at most. */
  constructor(max: number) {
    this.#max = max
  }

  /** The index of the name `buffer[start, end)`, taken up if it is new; −1 when there is no room for it. */
  indexOf(buffer: Buffer, start: number, end: number): number {
    // Fixes of one origin come in runs.
    const last = this.#names[this.#last]
    if (last !== undefined && isEqual(buffer, start, end, last)) return this.#last
    const key = buffer.toString('latin1', start, end)
    let index = this.#indexes.get(key)
    if (index === undefined) {
      if (this.#names.length === this.#max) return -1
      index = this.#names.length
      const name = Buffer.from(buffer.subarray(start, end))
      this.#names.push(name)
      this.#prefixes.push(Buffer.concat([Buffer.from('AT '), name, Buffer.from(' ')]))
      this.#indexes.set(key, index)
    }
    this.#last = index
    return index
  }

  /** The name's bytes. */
  name(index: number): Buffer {
    return this.#names[index] as Buffer
  }

  /** `AT <name> `, with which every line of that origin starts. */
  atPrefix(index: number): Buffer {
    return this.#prefixes[index] as Buffer
  }
}

/** A loop, since names are short: a call into native code would take longer. */
function isEqual(buffer: Buffer, start: number, end: number, name: Buffer): boolean {
  if (end - start !== name.length) return false
  for (let place = 0; place < name.length; place++) if (buffer[start + place] !== name[place]) return false
  return true
}
