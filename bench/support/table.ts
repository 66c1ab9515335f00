/** One column of a printed table. */
export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

const GAP = '  '

/** A table for people: columns as wide as their widest cell, a rule below the titles. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => (row[index] ?? '').length)),
  )
  const format = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? '', widths[index] ?? 0, column.align))
      .join(GAP)
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join(GAP)
  return [format(columns.map((column) => column.title)), rule, ...rows.map(format)].join('\n')
}

/** `1234567.8` → `1,234,568`. The locale is fixed, so that two machines print the same. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `0.934` → `93 %`. */
export function formatShare(value: number | undefined): string {
  return value === undefined ? '–' : `${Math.round(value * 100)} %`
}

/** A fixed number of decimals, or a dash where nothing was measured. */
export function formatDecimal(value: number | undefined, decimals: number): string {
  return value === undefined ? '–' : value.toFixed(decimals)
}

function pad(cell: string, width: number, align: Column['align']): string {
  return align === 'left' ? cell.padEnd(width) : cell.padStart(width)
}
