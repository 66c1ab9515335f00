const BACKSLASH = 0x5c
const QUOTE = 0x22
const HEX = Buffer.from('0123456789abcdef')

/** The most bytes that one byte becomes. */
export const ESCAPED_BYTES_MAX = 6

/** 1 for bytes that stand for themselves inside a JSON string, 0 for those that are written as `\u00XX`. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH && byte !== QUOTE ? 1 : 0,
)

/**
 * Writes `source[start, end)` as the inside of a JSON string of ASCII: each other byte as `\u00XX`, so that no
 * line can forge an event or harm a terminal, and every byte can be had back (as Latin-1).
 *
 * @returns one past the last byte written; there must be room for `ESCAPED_BYTES_MAX` times as many.
 */
export function writeEscaped(
  target: Buffer,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  for (let from = start; from < end; from++) {
    const byte = source[from] as number
    if (IS_PLAIN[byte] === 1) {
      target[at++] = byte
      continue
    }
    target[at] = BACKSLASH
    target[at + 1] = 0x75
    target[at + 2] = 0x30
    target[at + 3] = 0x30
    target[at + 4] = HEX[byte >>> 4] as number
    target[at + 5] = HEX[byte & 15] as number
    at += 6
  }
  return at
}
