/** What a fix may carry besides position and time. All of it is optional; gateways convert to these units. */
export interface Attributes {
  /** Metres above the ellipsoid. */
  readonly altitude?: number
  /** Radius in metres within which the client is with 68 % probability. */
  readonly accuracy?: number
  /** Metres a second over ground. */
  readonly speed?: number
  /** Degrees clockwise from true north, 0 … 360. */
  readonly course?: number
  /** Charge, 0 … 1. */
  readonly battery?: number
  /** Whatever else a client says of itself. */
  readonly tags?: Readonly<Record<string, string>>
}

/** Attributes of a fix have at most this many bytes as text. */
export const ATTRIBUTES_BYTES_MAX = 2048

const NUMBERS: readonly (readonly [keyof Omit<Attributes, 'tags'>, number, number])[] = [
  ['altitude', -12_000, 1e9],
  ['accuracy', 0, 1e9],
  ['speed', 0, 3e8],
  ['course', 0, 360],
  ['battery', 0, 1],
]

/** The attributes can't be kept; the message says which and why. */
export class AttributesInvalid extends Error {
  override readonly name = 'AttributesInvalid'
}

/**
 * Writes attributes as one field of a line: JSON without white space, members in a fixed order, so that equal
 * attributes are equal bytes. Empty when there are none.
 *
 * @throws {AttributesInvalid} for a number that is out of its range, or text longer than `ATTRIBUTES_BYTES_MAX`.
 */
export function writeAttributes(attributes: Attributes): Buffer {
  const members: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {}
  for (const [name, least, most] of NUMBERS) {
    const value = attributes[name]
    if (value === undefined) continue
    if (!(value >= least && value <= most)) {
      throw new AttributesInvalid(`${name} is ${value}; it must be a number from ${least} to ${most}`)
    }
    members[name] = value
  }
  const tags = Object.entries(attributes.tags ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (tags.length > 0) members.tags = Object.fromEntries(tags)
  if (Object.keys(members).length === 0) return Buffer.alloc(0)
  // JSON escapes all white space in strings but the space itself.
  const text = Buffer.from(JSON.stringify(members).replaceAll(' ', String.raw`\u0020`))
  if (text.length > ATTRIBUTES_BYTES_MAX) {
    throw new AttributesInvalid(
      `attributes have ${text.length} bytes; at most ${ATTRIBUTES_BYTES_MAX} are kept`,
    )
  }
  return text
}

/**
 * Reads what `writeAttributes` wrote; what else may stand there, from a later version or anyone, is left out: so
 * whatever is read may be written.
 */
export function readAttributes(text: Uint8Array): Attributes {
  const members = membersOf(parseJson(Buffer.from(text).toString('utf8')))
  const attributes: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {}
  for (const [name, least, most] of NUMBERS) {
    const value = members.get(name)
    if (typeof value === 'number' && value >= least && value <= most) attributes[name] = value
  }
  const tags: [string, string][] = []
  for (const [name, value] of membersOf(members.get('tags'))) {
    if (typeof value === 'string') tags.push([name, value])
  }
  if (tags.length > 0) attributes.tags = Object.fromEntries(tags)
  return attributes
}

/** The members of a JSON object; of anything else there are none. */
function membersOf(value: unknown): Map<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return new Map(isObject ? Object.entries(value) : [])
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
