import { skipWord } from './fields.ts'

/** What a WHATSAT says of the places that it asks for; what it doesn't say is absent. */
export interface PlacesOperands {
  /** A Google type. */
  readonly type?: string
  /** Words, decoded. */
  readonly keyword?: string
  readonly rank?: 'prominence' | 'distance'
}

/** Of a WHATSAT that says nothing. */
export const NO_PLACES_OPERANDS: PlacesOperands = Object.freeze({})

/** A keyword has at most so many characters (code points). */
export const KEYWORD_LENGTH_MAX = 128
/** Percent-encoded, a character has up to four bytes of three characters each. */
const KEYWORD_BYTES_MAX = KEYWORD_LENGTH_MAX * 12
const OPERAND_BYTES_MAX = 'keyword='.length + KEYWORD_BYTES_MAX

const TYPE = /^[a-z][a-z0-9_]{0,63}$/
/** Visible ASCII, where a percent sign stands for a byte with two digits. */
const ENCODED = /^(?:[!-$&-~]|%[0-9A-Fa-f]{2})+$/
const CONTROL = /\p{Cc}/u

/**
 * Reads `type=…`, `keyword=…` or `rank=…` into `result.places`, each at most once. Operands of the exercise have no
 * `=`, so the classic path never comes here and no string is made on it.
 *
 * @returns one past its last byte, or −1 if there is no such operand at `start`.
 */
export function readPlacesOperand(
  buffer: Buffer,
  start: number,
  end: number,
  result: { places: PlacesOperands },
): number {
  const wordEnd = skipWord(buffer, start, end)
  if (wordEnd - start > OPERAND_BYTES_MAX) return -1
  const text = buffer.toString('latin1', start, wordEnd)
  const equals = text.indexOf('=')
  const read = parseOperand(text.slice(0, equals), text.slice(equals + 1))
  if (equals === -1 || read === null || Object.keys(read).some((name) => name in result.places)) return -1
  result.places = { ...result.places, ...read }
  return wordEnd
}

function parseOperand(name: string, value: string): PlacesOperands | null {
  switch (name) {
    case 'type':
      return TYPE.test(value) ? { type: value } : null
    case 'keyword': {
      const keyword = decodeKeyword(value)
      return keyword === null ? null : { keyword }
    }
    case 'rank':
      return value === 'prominence' || value === 'distance' ? { rank: value } : null
    default:
      return null
  }
}

function decodeKeyword(encoded: string): string | null {
  if (!ENCODED.test(encoded)) return null
  try {
    const keyword = decodeURIComponent(encoded)
    const isWords = keyword.trim() !== '' && !CONTROL.test(keyword)
    return isWords && [...keyword].length <= KEYWORD_LENGTH_MAX ? keyword : null
  } catch {
    return null // Its bytes are no UTF-8.
  }
}
