/** Connected graphs for property tests: a tree, and some more edges. */
import { fc } from './properties.ts'

/** A connected graph: how many servers, and the links between their numbers. */
export interface Graph {
  readonly names: readonly string[]
  readonly edges: readonly (readonly [number, number])[]
}

/** Connected graphs of 2 to 8 servers. */
export const connectedGraph: fc.Arbitrary<Graph> = fc
  .integer({ min: 2, max: 8 })
  .chain((servers) =>
    fc.tuple(
      // Each server but the first hangs on one before it.
      fc.tuple(...Array.from({ length: servers - 1 }, (_, server) => fc.nat(server))),
      fc.array(fc.tuple(fc.nat(servers - 1), fc.nat(servers - 1)), { maxLength: 6 }),
    ),
  )
  .map(([parents, more]) => {
    const tree = parents.map((parent, index) => [parent, index + 1] as const)
    const known = new Set<string>()
    const edges = [...tree, ...more].filter(([a, b]) => {
      const edge = `${Math.min(a, b)}-${Math.max(a, b)}`
      if (a === b || known.has(edge)) return false
      known.add(edge)
      return true
    })
    return { names: Array.from({ length: parents.length + 1 }, (_, index) => `S${index}`), edges }
  })
