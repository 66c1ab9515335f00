import {
  ATTRIBUTES_BYTES_MAX,
  type Attributes,
  AttributesInvalid,
  writeAttributes,
} from '../protocol/index.ts'

/** Quotes, colon and comma of a tag. */
const TAG_BYTES_MIN = 6
/** Bytes that one character becomes at most: `\u0020`. */
const CHARACTER_BYTES_MAX = 6
/** All that isn't a tag has no more. */
const NUMBERS_BYTES_MAX = 256

/**
 * Leaves out of what a phone tells besides its position as little as it takes to be kept: the longest tags first. A phone with the
 * names of fifty regions is still somewhere.
 */
export function fitAttributes(attributes: Attributes): Attributes {
  const all = Object.entries(attributes.tags ?? {})
  let lengthOfAll = 0
  for (const tag of all) lengthOfAll += lengthOf(tag)
  // Nearly always: then nothing has to be written to see whether it can be kept.
  if (all.length > 0 && lengthOfAll * CHARACTER_BYTES_MAX + NUMBERS_BYTES_MAX <= ATTRIBUTES_BYTES_MAX)
    return attributes
  const { tags: _, ...numbers } = attributes
  const shortestFirst = all.toSorted((a, b) => lengthOf(a) - lengthOf(b))
  // However many tags there are, few can be kept, and only those are tried.
  let length = 0
  const tooMany = shortestFirst.findIndex((tag) => {
    length += lengthOf(tag)
    return length > ATTRIBUTES_BYTES_MAX
  })
  if (tooMany !== -1) shortestFirst.length = tooMany
  for (; shortestFirst.length > 0; shortestFirst.pop()) {
    const some = { ...numbers, tags: Object.fromEntries(shortestFirst) }
    if (isKept(some)) return some
  }
  return numbers
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
