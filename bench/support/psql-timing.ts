/** Statements for psql, and what its `\timing` says of them. Pure. */
import type { Position } from '../load/places-clients.ts'

/** What a script prints between the statements that are not counted and those that are. */
const WINDOW = 'the window is open'

export interface PsqlScript {
  /** The statement, with $1 latitude, $2 longitude, $3 metres, $4 type, $5 words. */
  readonly sql: string
  readonly metres: number
  readonly warmUp: readonly Position[]
  readonly measured: readonly Position[]
}

/** Prepares the statement, and executes it for each position; answers go nowhere. */
export function psqlScript({ sql, metres, warmUp, measured }: PsqlScript): string {
  const execute = ({ latitude, longitude }: Position): string =>
    `EXECUTE nearest(${latitude}, ${longitude}, ${metres}, NULL, NULL);`
  return [
    `PREPARE nearest(float8, float8, float8, text, text[]) AS ${sql};`,
    '\\o /dev/null',
    '\\timing on',
    ...warmUp.map(execute),
    `\\echo ${WINDOW}`,
    ...measured.map(execute),
    '',
  ].join('\n')
}

/** Milliseconds of each statement after the window opened. */
export function parsePsqlTimes(output: string): number[] {
  const at = output.indexOf(WINDOW)
  if (at === -1) throw new Error(`psql did not come so far: ${output.slice(-200)}`)
  return Array.from(output.slice(at).matchAll(/^Time: ([\d.]+) ms/gm), ([, ms]) => Number(ms))
}
