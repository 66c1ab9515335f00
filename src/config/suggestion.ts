/** Finds the name that somebody probably meant. Pure. */

/**
 * Returns the one of `names` that `typed` is a slip of, or undefined when none is near enough: a third of
 * its letters may be wrong. Case doesn't count.
 */
export function nearestName(typed: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let slipsMin = Math.max(1, Math.floor(typed.length / 3)) + 1
  for (const name of names) {
    const slips = slipsBetween(typed.toLowerCase(), name.toLowerCase())
    if (slips < slipsMin) {
      nearest = name
      slipsMin = slips
    }
  }
  return nearest
}

/** `; did you mean limits?`, or nothing. */
export function didYouMean(typed: string, names: Iterable<string>, prefix = ''): string {
  const name = nearestName(typed, names)
  return name === undefined ? '' : `; did you mean ${prefix}${name}?`
}

// Letters to add, drop, replace, or swap with their neighbor (optimal string alignment).
function slipsBetween(a: string, b: string): number {
  if (Math.max(a.length, b.length) > 100) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = last
    last = current
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
