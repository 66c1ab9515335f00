/** Finds clients by what somebody types. Pure. */

/** Results that are shown. */
export const RESULTS_MAX = 8

/**
 * The IDs that have all the words in them, the best first: those that begin with the first word, then those that have it at the
 * beginning of a part, then the rest; shorter ones first.
 */
export function searchClients(
  ids: Iterable<string>,
  typed: string,
  resultsMax: number = RESULTS_MAX,
): string[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const [first = ''] = words
  if (first === '') return []
  const found: { readonly id: string; readonly rank: number }[] = []
  for (const id of ids) {
    const text = id.toLowerCase()
    if (words.every((word) => text.includes(word))) found.push({ id, rank: rankOf(text, first) })
  }
  found.sort((a, b) => a.rank - b.rank || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
  return found.slice(0, resultsMax).map(({ id }) => id)
}

function rankOf(text: string, word: string): number {
  const at = text.indexOf(word)
  if (at === 0) return text.length === word.length ? 0 : 1
  return /[\p{L}\p{N}]/u.test(text[at - 1] ?? '') ? 3 : 2
}
