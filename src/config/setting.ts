/** What a setting's schema says about it, in words. Pure. */
import { Type } from 'typebox'

/** The parts of a schema that people see. */
export interface SettingNotes {
  readonly description?: string
  readonly default?: string | number | boolean | object
  /** How the default is said when it depends on other settings. */
  readonly defaultText?: string
  readonly examples?: readonly (string | number | boolean)[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minProperties?: number
  /** What a value must be, where the type alone doesn't say it. */
  readonly valueText?: string
  readonly enum?: readonly string[]
}

/** Returns what is written down in a schema. */
export function notesOf(schema: Type.TSchema): SettingNotes {
  return schema
}

/** What a value must be, as in `… is not <a whole number from 1 to 10>`. */
export function rangeText(schema: Type.TSchema): string {
  const notes = notesOf(schema)
  if (notes.valueText !== undefined) return notes.valueText
  if (Type.IsInteger(schema)) return `a whole number from ${notes.minimum} to ${notes.maximum}`
  if (Type.IsEnum(schema)) return `one of ${notes.enum?.join(', ')}`
  if (Type.IsBoolean(schema)) return 'true or false'
  if (Type.IsObject(schema)) return 'a group of settings'
  return 'a text of 1 to 4096 characters'
}

/** A value that works. */
export function exampleText(schema: Type.TSchema): string {
  const notes = notesOf(schema)
  const example = notes.examples?.[0]
  if (example !== undefined) return String(example)
  if (!Type.IsObject(schema)) return ''
  const [member] = Object.entries(schema.properties)
  return member === undefined ? '{}' : `{ ${member[0]}: ${exampleText(member[1])} }`
}

/** A value as somebody wrote it, short enough for a message. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? JSON.stringify(value) : 'a group'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
