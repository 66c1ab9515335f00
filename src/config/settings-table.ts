/** The settings as a Markdown table, for docs/operating.md. Pure. */
import { Type } from 'typebox'
import { notesOf, rangeText } from './setting.ts'
import { herdFile } from './settings.ts'

/** Returns a Markdown table of every setting: name, default, range, meaning; it ends with a newline. */
export function settingsTable(): string {
  const rows = rowsOf(herdFile, '')
  return ['| setting | default | range | meaning |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function rowsOf(schema: Type.TSchema, path: string): string[] {
  if (Type.IsRecord(schema)) {
    const [member] = Object.values(schema.patternProperties)
    // What may be anything needs no row of its own.
    const isLeaf = member === undefined || Type.IsUnknown(member)
    return [rowOf(schema, path), ...(isLeaf ? [] : rowsOf(member, `${path}.<name>`))]
  }
  if (!Type.IsObject(schema)) return [rowOf(schema, path)]
  return Object.entries(schema.properties).flatMap(([name, member]) =>
    rowsOf(member, path === '' ? name : `${path}.${name}`),
  )
}

function rowOf(schema: Type.TSchema, path: string): string {
  const notes = notesOf(schema)
  const cells = [`\`${path}\``, defaultCell(schema), rangeText(schema), notes.description ?? '']
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultCell(schema: Type.TSchema): string {
  const notes = notesOf(schema)
  if (notes.defaultText !== undefined) return notes.defaultText
  if (notes.default === undefined) return 'must be given'
  return typeof notes.default === 'object' ? 'none' : `\`${notes.default}\``
}
