/**
 * Reads server-sent events out of text that comes in pieces: https://html.spec.whatwg.org/multipage/server-sent-events.html. Unlike
 * `EventSource` it can be used on a request that has a token. Pure.
 */

/** One event, or a cursor alone. */
export interface ServerEvent {
  /** `message` where the server names none. */
  readonly type: string
  /** Empty: the block had no data, only perhaps an ID. */
  readonly data: string
  /** The last ID that was sent so far; empty: none was. */
  readonly id: string
}

/** Characters of one event. Fixes have some hundreds. */
const EVENT_LENGTH_MAX = 1 << 20
const LINE_END = /\r\n|\n|\r/g

/** What came is no stream of events that we would read. */
export class EventTooLong extends Error {
  override readonly name = 'EventTooLong'
}

/** The state of one stream between its pieces. */
export class EventStreamReader {
  #rest = ''
  #type = ''
  #data: string[] = []
  #id = ''
  #hasId = false

  /** Takes the next piece. @returns the events that it completes. @throws {EventTooLong} */
  push(piece: string): ServerEvent[] {
    const text = this.#rest + piece
    const events: ServerEvent[] = []
    let start = 0
    LINE_END.lastIndex = 0
    for (let end = LINE_END.exec(text); end !== null; end = LINE_END.exec(text)) {
      // A CR at the very end may be half of a CR LF.
      if (end[0] === '\r' && LINE_END.lastIndex === text.length) break
      this.#line(text.slice(start, end.index), events)
      start = LINE_END.lastIndex
    }
    this.#rest = text.slice(start)
    if (this.#rest.length > EVENT_LENGTH_MAX) throw new EventTooLong('the server sends an event without end')
    return events
  }

  #line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      const data = this.#data.join('\n')
      if (data !== '' || this.#hasId) events.push({ type: this.#type || 'message', data, id: this.#id })
      this.#type = ''
      this.#data = []
      this.#hasId = false
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'event') this.#type = value
    else if (name === 'data') this.#data.push(value)
    else if (name === 'id' && !value.includes('\0')) {
      this.#id = value
      this.#hasId = true
    }
  }
}
