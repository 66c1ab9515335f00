/** Takes a secret out of foreign text, however it is spelled there. Pure. */

const REDACTED = '…'

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
 * percent-encoded (also twice), escaped as JSON may escape them, or written as HTML entities. A bearer token that
 * is percent-encoded as given is found decoded, too.
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
  return Array.from(secret, spellingsOfOne).join('')
}

function spellingsOfOne(char: string): string {
  const code = char.charCodeAt(0)
  const [high = '', low = ''] = code.toString(16).padStart(2, '0')
  const hex = anyCase(high) + anyCase(low)
  const literal = RegExp.escape(char)
  const escaped = /\w/.test(char) ? literal : `\\\\*${literal}`
  const entity = `&(?:#${code}|#[xX]0*${hex}${char in ENTITY_NAMES ? `|${ENTITY_NAMES[char]}` : ''});`
  return `(?:${escaped}|%(?:25)*${hex}|\\\\+u00${hex}|${entity})`
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
