/** Where the servers of a herd are drawn: on a circle, in an order whose links cross least. Pure, and the same for the same herd. */

/** A point in a square from −1 to 1. */
export interface GraphPoint {
  readonly x: number
  readonly y: number
}

/** Servers beyond this are not moved about to have fewer crossings. */
const ORDERED_MAX = 24

/** A link between two servers. */
export type GraphLink = readonly [a: string, b: string]

/** The place of each server, the first at the top. The order in which servers and links come doesn't matter. */
export function layoutGraph(names: readonly string[], links: readonly GraphLink[]): Map<string, GraphPoint> {
  const order = circleOrder(names.toSorted(), links)
  return new Map(
    order.map((name, index) => {
      const angle = (index / order.length) * 2 * Math.PI - Math.PI / 2
      const radius = order.length === 1 ? 0 : 1
      return [name, { x: Math.cos(angle) * radius, y: Math.sin(angle) * radius }]
    }),
  )
}

/** Links once each, whichever end they are told of. */
export function uniqueLinks(links: Iterable<GraphLink>): GraphLink[] {
  const keys = new Map<string, GraphLink>()
  for (const [a, b] of links) {
    const pair: GraphLink = a < b ? [a, b] : [b, a]
    if (a !== b) keys.set(pair.join('\n'), pair)
  }
  return [...keys.values()].toSorted(([a, b], [c, d]) => (a < c || (a === c && b < d) ? -1 : 1))
}

/** Swaps two servers as long as that makes the links shorter around the circle; the first one stays. */
function circleOrder(names: readonly string[], links: readonly GraphLink[]): string[] {
  const order = [...names]
  if (order.length > ORDERED_MAX) return order
  const known = uniqueLinks(links).filter((link) => link.every((name) => names.includes(name)))
  let best = lengthOf(order, known)
  for (let isBetter = true; isBetter; ) {
    isBetter = false
    for (let a = 1; a < order.length; a++) {
      for (let b = a + 1; b < order.length; b++) {
        swap(order, a, b)
        const length = lengthOf(order, known)
        if (length < best) {
          best = length
          isBetter = true
        } else swap(order, a, b)
      }
    }
  }
  return order
}

/** Crossings count most; among orders with equally many, shorter links win. */
function lengthOf(order: readonly string[], links: readonly GraphLink[]): number {
  const places = new Map(order.map((name, index) => [name, index]))
  const chords = links.map(([a, b]) => {
    const [p, q] = [places.get(a) ?? 0, places.get(b) ?? 0]
    return p < q ? ([p, q] as const) : ([q, p] as const)
  })
  let length = 0
  for (const [index, [p, q]] of chords.entries()) {
    length += Math.min(q - p, order.length - (q - p))
    for (const [r, s] of chords.slice(index + 1)) {
      if ((p < r && r < q && q < s) || (r < p && p < s && s < q)) length += order.length * 2
    }
  }
  return length
}

function swap(order: string[], a: number, b: number): void {
  const [first = '', second = ''] = [order[a], order[b]]
  order[a] = second
  order[b] = first
}
