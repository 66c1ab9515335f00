/**
 * Which topic is about which client: `owntracks/<user>/<device>` is the client `user/device`, and `herd/<client>/fix` any client, with
 * what a topic can't hold written as `%2F`. Pure.
 */

/** What a topic is about. */
export interface ClientTopic {
  /**
   * `owntracks`: locations as OwnTracks has them. `herd`: fixes as the HTTP API has them. `beside`: what OwnTracks says of a client
   * besides: events, cards, commands.
   */
  readonly family: 'owntracks' | 'herd' | 'beside'
  readonly client: string
}

const OWNTRACKS = 'owntracks'
const HERD = 'herd'
const FIX = 'fix'
const UNSAFE = /[%/+#\0]/
const UNSAFE_ALL = /[%/+#\0]/g
const ESCAPED = /%(25|2F|2B|23|00)/gi

/** Reads a topic; `null`: it is about no client. */
export function readTopic(topic: string): ClientTopic | null {
  const levels = topic.split('/')
  const [root, second = '', third = ''] = levels
  if (root === HERD) {
    if (levels.length !== 3 || third !== FIX || second === '') return null
    return { family: 'herd', client: unescaped(second) }
  }
  if (root !== OWNTRACKS || second === '' || third === '') return null
  return { family: levels.length === 3 ? 'owntracks' : 'beside', client: `${second}/${third}` }
}

/** The topic of a client's locations; `null`: it isn't named like a user's device. */
export function ownTracksTopic(client: string): string | null {
  const slash = client.indexOf('/')
  const isDevice = slash > 0 && slash < client.length - 1 && client.indexOf('/', slash + 1) === -1
  return isDevice && !/[+#\0]/.test(client) ? `${OWNTRACKS}/${client}` : null
}

/** The topic of a client's fixes. */
export function herdTopic(client: string): string {
  return `${HERD}/${UNSAFE.test(client) ? escaped(client) : client}/${FIX}`
}

function escaped(client: string): string {
  return client.replace(
    UNSAFE_ALL,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

function unescaped(level: string): string {
  return level.replace(ESCAPED, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** What somebody subscribes to, which may have `+` for a level and `#` for all that follow. */
export class TopicFilter {
  readonly text: string
  readonly #levels: readonly string[]

  constructor(text: string) {
    this.text = text
    this.#levels = text.split('/')
  }

  /** Whether a topic is one of those. */
  matches(topic: string): boolean {
    return this.#meets(topic.split('/'))
  }

  /** Whether there may be locations or fixes among those. */
  get hasFixes(): boolean {
    return this.hasOwnTracks || this.hasHerd
  }

  /** Whether there may be locations as OwnTracks has them. */
  get hasOwnTracks(): boolean {
    return this.#meets([OWNTRACKS, '+', '+'])
  }

  /** Whether there may be fixes as the HTTP API has them. */
  get hasHerd(): boolean {
    return this.#meets([HERD, '+', FIX])
  }

  /** Whether anybody may publish anything under it. */
  get hasAnything(): boolean {
    return this.hasFixes || this.#meets([OWNTRACKS, '+', '+', '+']) || this.#isDeeper
  }

  /** The only client whose topics they are; `null`: there may be several. */
  get client(): string | null {
    const [root, second = '', third = ''] = this.#levels
    const hasWildcard = [second, third].some((level) => level === '+' || level === '#')
    if (hasWildcard || (root !== OWNTRACKS && root !== HERD)) return null
    return readTopic(root === HERD ? this.text : `${OWNTRACKS}/${second}/${third}`)?.client ?? null
  }

  /** Filters of many levels are those of OwnTracks alone. */
  get #isDeeper(): boolean {
    const [root, second, third] = this.#levels
    const isClients = second !== '' && third !== ''
    return this.#levels.length > 4 && (root === OWNTRACKS || root === '+') && isClients
  }

  /** Whether there is a topic that is one of those, and of these levels, where `+` stands for any. */
  #meets(levels: readonly string[]): boolean {
    const own = this.#levels
    for (let at = 0; at < own.length; at++) {
      const level = own[at]
      if (level === '#') return true
      const other = levels[at]
      if (other === undefined) return false
      if (level !== '+' && other !== '+' && level !== other) return false
    }
    return own.length === levels.length
  }
}
