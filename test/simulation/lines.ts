/** Cuts a byte stream into Latin-1 lines, for servers of the old kind. */
export class LineSplitter {
  #rest = ''

  /** Takes a chunk. @returns the lines that are whole by now. */
  push(chunk: Buffer): string[] {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }
}
