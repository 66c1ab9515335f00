const HEAD_END = Buffer.from('\r\n\r\n')
const HEAD_BYTES_MAX = 16 * 1024
const LENGTH = /^content-length: *(\d+) *$/im

/** Takes the answers to requests with one in flight out of what a connection gets: each has its length in its head. */
export class HttpReplies {
  #waiting: Buffer = Buffer.alloc(0)

  /**
   * The body of the answer, once all of it is there; before, `undefined`. The bytes belong to the chunk.
   *
   * @throws when it isn't answered by a 200, or by more than one.
   */
  push(chunk: Buffer): Buffer | undefined {
    const bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk])
    const headEnd = bytes.indexOf(HEAD_END)
    if (headEnd === -1) {
      if (bytes.length > HEAD_BYTES_MAX) throw new Error('the answer is no HTTP')
      this.#waiting = Buffer.from(bytes)
      return undefined
    }
    const head = bytes.toString('latin1', 0, headEnd)
    const length = LENGTH.exec(head)?.[1]
    if (length === undefined) throw new Error(`an answer without a length: ${head}`)
    const bodyAt = headEnd + HEAD_END.length
    const end = bodyAt + Number(length)
    if (bytes.length < end) {
      this.#waiting = Buffer.from(bytes)
      return undefined
    }
    const body = bytes.subarray(bodyAt, end)
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`${head.split('\r\n')[0]}: ${body.toString()}`)
    if (bytes.length > end) throw new Error('more answers than requests')
    this.#waiting = Buffer.alloc(0)
    return body
  }
}
