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
  let members = ''
  for (const [name, least, most] of NUMBERS) {
    const value = attributes[name]
    if (value === undefined) continue
    if (!(value >= least && value <= most)) {
      throw new AttributesInvalid(`${name} is ${value}; it must be a number from ${least} to ${most}`)
    }
    members += `,"${name}":${value}`
  }
  const { tags = {} } = attributes
  let texts = ''
  for (const name of Object.keys(tags).sort()) {
    texts += `,${JSON.stringify(name)}:${JSON.stringify(tags[name])}`
  }
  if (texts !== '') members += `,"tags":{${texts.slice(1)}}`
  if (members === '') return Buffer.alloc(0)
  // JSON escapes all white space in strings but the space itself.
  const text = Buffer.from(`{${members.slice(1)}}`.replaceAll(' ', String.raw`\u0020`))
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
export function readAttributes({ buffer, byteOffset, byteLength }: Uint8Array): Attributes {
  const members = parseJson(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'))
  const attributes: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {}
  if (!isObject(members)) return attributes
  for (const [name, least, most] of NUMBERS) {
    const value = members[name]
    if (typeof value === 'number' && value >= least && value <= most) attributes[name] = value
  }
  const tags = isObject(members.tags) ? textsOf(members.tags) : {}
  if (Object.keys(tags).length > 0) attributes.tags = tags
  return attributes
}

/** The members that are texts: nearly always all. */
function textsOf(members: JsonObject): Readonly<Record<string, string>> {
  if (hasOnlyTexts(members)) return members
  const texts: [string, string][] = []
  for (const [name, value] of Object.entries(members))
    if (typeof value === 'string') texts.push([name, value])
  return Object.fromEntries(texts)
}

/** An object out of JSON. */
interface JsonObject {
  readonly [name: string]: unknown
  readonly tags?: unknown
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasOnlyTexts(members: JsonObject): members is JsonObject & Readonly<Record<string, string>> {
  return Object.values(members).every((value) => typeof value === 'string')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
