/** The bytes that the grammar names, and the two classes that it sorts all bytes into. */

export const TAB = 0x09
export const LF = 0x0a
export const VT = 0x0b
export const FF = 0x0c
export const CR = 0x0d
export const SPACE = 0x20
export const ASTERISK = 0x2a
export const PLUS = 0x2b
export const MINUS = 0x2d
export const DOT = 0x2e
export const DIGIT_0 = 0x30
export const DIGIT_9 = 0x39
export const QUESTION = 0x3f
export const AT_SIGN = 0x40
export const BRACE_OPEN = 0x7b
export const BRACE_CLOSE = 0x7d

/** 1 for the six white-space characters of the exercise, 0 for all other bytes. Indexed by byte. */
export const IS_WHITE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  [SPACE, TAB, CR, LF, FF, VT].includes(byte) ? 1 : 0,
)

/** Says whether a byte is one of the ten ASCII digits. */
export function isDigit(byte: number): boolean {
  return (byte - DIGIT_0) >>> 0 <= 9
}
