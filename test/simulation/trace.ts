import { createHash } from 'node:crypto'

/** Notes are hashed so many at a time. */
const NOTES_AT_A_TIME = 512
/** Events that are kept of each client, for the story of a failure. */
const STORY_EVENTS = 30

/** Everything that happens, as a hash; and the last of it that concerns each client, as a story. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #stories = new Map<string, string[]>()
  #notes: string[] = []

  /** Notes what happened. */
  note(text: string): void {
    this.#notes.push(text)
    if (this.#notes.length >= NOTES_AT_A_TIME) this.#flush()
  }

  /** Notes what happened to a client; `''` for what concerns all. */
  tell(client: string, text: string): void {
    this.note(text)
    const story = this.#stories.get(client)
    if (story === undefined) this.#stories.set(client, [text])
    else {
      story.push(text)
      if (story.length > 2 * STORY_EVENTS) story.splice(0, STORY_EVENTS)
    }
  }

  /** The last that happened to a client, and to all. */
  story(client: string): string[] {
    const all = [...(this.#stories.get(client) ?? []).slice(-STORY_EVENTS)]
    if (client !== '') all.push(...(this.#stories.get('') ?? []).slice(-STORY_EVENTS))
    return all.toSorted((a, b) => Number.parseFloat(a) - Number.parseFloat(b))
  }

  /** Ends it. @returns 16 hex digits: equal traces have equal ones. */
  end(): string {
    this.#flush()
    return this.#hash.digest('hex').slice(0, 16)
  }

  #flush(): void {
    this.#hash.update(this.#notes.join('\n'))
    this.#notes = []
  }
}
