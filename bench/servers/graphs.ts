/** Who talks with whom in the herds that are measured. Pure. */
export interface Graph {
  readonly names: readonly string[]
  readonly links: readonly (readonly [string, string])[]
}

/** The herd of the exercise, `herds/ucla.yaml`: a ring of five. */
export const RING_OF_FIVE: Graph = {
  names: ['Alford', 'Ball', 'Hamilton', 'Holiday', 'Welsh'],
  links: [
    ['Alford', 'Hamilton'],
    ['Alford', 'Welsh'],
    ['Ball', 'Holiday'],
    ['Ball', 'Welsh'],
    ['Hamilton', 'Holiday'],
  ],
}

/** Servers in rows and columns, each linked with those beside, above and below it. */
export function gridGraph(rows: number, columns: number): Graph {
  const name = (row: number, column: number): string => `R${row}C${column}`
  const names: string[] = []
  const links: [string, string][] = []
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      names.push(name(row, column))
      if (row > 0) links.push([name(row - 1, column), name(row, column)])
      if (column > 0) links.push([name(row, column - 1), name(row, column)])
    }
  }
  return { names, links }
}

/**
 * The most messages that a flood needs for an update: over every link one each way at worst, but never back where a
 * server first heard it from, and that is one link for each server except the origin: 2E − n + 1.
 */
export function floodMessagesMax({ names, links }: Graph): number {
  return 2 * links.length - names.length + 1
}
