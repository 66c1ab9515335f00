/** How wide text is on a terminal. Pure. */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const ASCII = /^[\x20-\x7e]*$/
/** East Asian wide and full-width characters, and pictures. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u
const NONE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u
const ELLIPSIS = '…'

/** Columns that a text takes; it has no control characters. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment)
  return width
}

/** A text in exactly so many columns: cut, with an ellipsis, or padded. */
export function fitted(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = textWidth(text) <= width ? text : cutTo(text, width)
  const padding = ' '.repeat(Math.max(0, width - textWidth(cut)))
  return align === 'left' ? cut + padding : padding + cut
}

/** A text in so many columns at most. */
export function cutTo(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  if (width < 1) return ''
  let [cut, used] = ['', 0]
  for (const { segment } of graphemes.segment(text)) {
    const more = graphemeWidth(segment)
    if (used + more > width - 1) break
    cut += segment
    used += more
  }
  return cut + ELLIPSIS
}

function graphemeWidth(grapheme: string): number {
  if (NONE.test(grapheme)) return 0
  return WIDE.test(grapheme) ? 2 : 1
}
