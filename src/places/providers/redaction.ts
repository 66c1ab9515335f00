/** Takes a secret out of foreign text, however it is spelled there. Pure. */

const REDACTED = '…'

// Every repetition in the patterns is bounded: a text of backslashes must not take time by its length squared.

/** What HTML calls the characters that have a name in it. */
const ENTITY_NAMES: Readonly<Record<string, string>> = {
  '"': 'quot',
  '&': 'amp',
  "'": 'apos',
  '<': 'lt',
  '>': 'gt',
}

/**
 * A function that puts `…` for every one of the secrets in a text: as given, and with any of its characters
 * percent-encoded, escaped as JSON may escape them (each up to three times over), or written as HTML entities. A
 * bearer token that is percent-encoded as given is found decoded, too.
 *
 * @param secrets of visible ASCII characters; empty ones are passed over
 */
export function redactionOf(secrets: readonly string[]): (text: string) => string {
  const all = new Set(
    secrets.flatMap((secret) => [secret, decoded(secret)]).filter((secret) => secret !== ''),
  )
  // The longest first: one may begin with another.
  const patterns = [...all].sort((a, b) => b.length - a.length).map(spellingsOf)
  if (patterns.length === 0) return (text) => text
  const pattern = new RegExp(patterns.join('|'), 'g')
  return (text) => text.replace(pattern, REDACTED)
}

function spellingsOf(secret: string): string {
  const pieces = secret.match(/\\+|[^\\]/g) ?? []
  return pieces
    .map((piece) => (piece.startsWith('\\') ? spellingsOfRun(piece) : spellingsOfOne(piece)))
    .join('')
}

/** Backslashes in a row. Each alone could be matched in many ways, and a run of them in that many to its power. */
function spellingsOfRun({ length }: string): string {
  return `(?:&(?:#92|#[xX]0{0,6}5[cC]|bsol);|%(?:25){0,3}5[cC]|u005[cC]|\\\\){${length},${8 * length}}`
}

function spellingsOfOne(char: string): string {
  const code = char.charCodeAt(0)
  const [high = '', low = ''] = code.toString(16).padStart(2, '0')
  const hex = anyCase(high) + anyCase(low)
  const literal = RegExp.escape(char)
  const escaped = /\w/.test(char) ? literal : `\\\\{0,7}${literal}`
  const entity = `&(?:#${code}|#[xX]0{0,6}${hex}${char in ENTITY_NAMES ? `|${ENTITY_NAMES[char]}` : ''});`
  // The literal comes last: `%` is also how its own encoding, `%25`, begins.
  return `(?:${entity}|%(?:25){0,3}${hex}|\\\\{1,7}u00${hex}|${escaped})`
}

function anyCase(digit: string): string {
  return /[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit
}

function decoded(secret: string): string {
  try {
    return decodeURIComponent(secret)
  } catch {
    return secret // It has a percent sign that encodes nothing.
  }
}
