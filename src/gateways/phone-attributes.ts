import {
  ATTRIBUTES_BYTES_MAX,
  type Attributes,
  AttributesInvalid,
  writeAttributes,
} from '../protocol/index.ts'

/** Quotes, colon and comma of a tag. */
const TAG_BYTES_MIN = 6
/** A space or a control character is six. */
const CHARACTER_BYTES_MAX = 6
/** All numbers with their names, and the braces. */
const NUMBERS_BYTES_MAX = 256

/**
 * Leaves out of what a phone tells besides its position as little as it takes to be kept: the longest tags first. A phone with the
 * names of fifty regions is still somewhere.
 */
export function fitAttributes(all: Attributes): Attributes {
  const { tags = {}, ...numbers } = all
  const names = Object.keys(tags)
  if (names.length > 0 && isSurelyKept(tags, names)) return all
  const shortestFirst = Object.entries(tags).toSorted((a, b) => lengthOf(a) - lengthOf(b))
  // However many tags there are, few can be kept, and only those are tried.
  let length = 0
  const tooMany = shortestFirst.findIndex((tag) => {
    length += lengthOf(tag)
    return length > ATTRIBUTES_BYTES_MAX
  })
  if (tooMany !== -1) shortestFirst.length = tooMany
  for (; shortestFirst.length > 0; shortestFirst.pop()) {
    const attributes = { ...numbers, tags: Object.fromEntries(shortestFirst) }
    if (isKept(attributes)) return attributes
  }
  return numbers
}

/** Whether tags are so short that they fit whatever they hold: the usual case, without writing them twice. */
function isSurelyKept(tags: Readonly<Record<string, string>>, names: readonly string[]): boolean {
  let bytes = NUMBERS_BYTES_MAX
  for (const name of names) {
    bytes += TAG_BYTES_MIN + CHARACTER_BYTES_MAX * (name.length + (tags[name]?.length ?? 0))
  }
  return bytes <= ATTRIBUTES_BYTES_MAX
}

function lengthOf([name, value]: readonly [string, string]): number {
  return name.length + value.length + TAG_BYTES_MIN
}

function isKept(attributes: Attributes): boolean {
  try {
    writeAttributes(attributes)
    return true
  } catch (error) {
    if (error instanceof AttributesInvalid) return false
    throw error
  }
}

/** A number out of JSON or a form, where some apps write numbers as text; `null`: it is none, or an endless one. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

/** A number within bounds, or nothing: apps write −1 and the like for what they don't know. */
export function within(value: unknown, least: number, most: number): number | undefined {
  const number = numberOf(value)
  return number !== null && number >= least && number <= most ? number : undefined
}

/** What a tag can hold of a value: text as it is, numbers, truth and lists of these as JSON has them; `null`: nothing. */
export function tagText(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const isPlain = Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null)
  return isPlain ? JSON.stringify(value) : null
}

/** The tags of all members but some. @param without the names of those that are told elsewhere, or not kept. */
export function tagsOf(
  members: Iterable<readonly [string, unknown]>,
  without: ReadonlySet<string>,
): Record<string, string> {
  const tags: [string, string][] = []
  for (const [name, value] of members) {
    const text = without.has(name) ? null : tagText(value)
    if (text !== null) tags.push([name, text])
  }
  return Object.fromEntries(tags)
}

/** The members of a JSON object; `null`: it is none. */
export function membersOf(value: unknown): Map<string, unknown> | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? new Map(Object.entries(value)) : null
}
