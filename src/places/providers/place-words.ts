/** Words in places' texts: the keyword's, and those that become HTML. Pure. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** The words of a keyword, in small letters; none when there is no keyword. */
export function wordsOf(keyword: string | undefined): readonly string[] {
  return (keyword ?? '')
    .normalize()
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
}

/** Whether each word of a keyword is in one of the texts, in any case. Without a keyword, it is. */
export function hasWords(keyword: string | undefined, texts: readonly string[]): boolean {
  const words = wordsOf(keyword)
  if (words.length === 0) return true
  const lower = texts.map((text) => text.normalize().toLowerCase())
  return words.every((word) => lower.some((text) => text.includes(word)))
}

/** A text as the content of an HTML element or attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char)
}
