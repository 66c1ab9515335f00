/** Reads a value by its schema: fills in the defaults and collects every problem, one per setting. Pure. */
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { exampleText, notesOf, rangeText, shownValue } from './setting.ts'
import { NAME_TEXT } from './settings.ts'
import { didYouMean } from './suggestion.ts'

/**
 * Returns `value` with the defaults filled in. What is wrong is added to `problems`, and a value that
 * compares as nothing stands in for it, so that the rest can still be checked.
 */
export function checkedValue(
  schema: Type.TSchema,
  value: unknown,
  path: string,
  problems: string[],
): unknown {
  if (Type.IsRecord(schema)) return checkedRecord(schema, value, path, problems)
  if (Type.IsObject(schema)) return checkedGroup(schema, value, path, problems)
  if (Type.IsArray(schema) && Type.IsArray(schema.items) && Array.isArray(value)) {
    return value.map((item, index) => checkedValue(schema.items, item, `${path}[${index}]`, problems))
  }
  if (Type.IsArray(schema) && value === null) return [] // every line of it is commented out
  if (Value.Check(schema, value)) return value
  problems.push(mismatch(schema, value, path))
  return standIn(schema)
}

function checkedGroup(schema: Type.TObject, value: unknown, path: string, problems: string[]): unknown {
  const group = asGroup(value)
  if (group === undefined) {
    problems.push(mismatch(schema, value, path))
    return checkedGroup(schema, {}, path, [])
  }
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(group)) {
    if (Object.hasOwn(schema.properties, name)) continue
    const hint = didYouMean(name, Object.keys(schema.properties), prefixOf(path))
    problems.push(`${pathTo(path, name)}: there is no such setting${hint || `; there are ${listOf(schema)}`}`)
  }
  for (const [name, member] of Object.entries(schema.properties)) {
    const given = Object.hasOwn(group, name)
    if (given) result[name] = checkedValue(member, group[name], pathTo(path, name), problems)
    else if (!Type.IsOptional(member)) {
      problems.push(missing(member, pathTo(path, name)))
      result[name] = standIn(member)
    } else if ('default' in member)
      result[name] = checkedValue(member, member.default, pathTo(path, name), problems)
  }
  return result
}

function checkedRecord(schema: Type.TRecord, value: unknown, path: string, problems: string[]): unknown {
  const group = asGroup(value)
  const [entry] = Object.entries(schema.patternProperties)
  if (group === undefined || entry === undefined) {
    problems.push(mismatch(schema, value, path))
    return {}
  }
  const [pattern, member] = entry
  const names = Object.keys(group)
  if (names.length < (notesOf(schema).minProperties ?? 0)) problems.push(missing(schema, path))
  for (const name of names.filter((each) => !new RegExp(pattern).test(each))) {
    problems.push(`${pathTo(path, name)}: ${shownValue(name)} is not ${NAME_TEXT}; for example Alford`)
  }
  return Object.fromEntries(
    names.map((name) => [name, checkedValue(member, group[name], pathTo(path, name), problems)]),
  )
}

// A group with nothing under its name is a group whose lines are all commented out.
function asGroup(value: unknown): Record<string, unknown> | undefined {
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value))
}

function standIn(schema: Type.TSchema): unknown {
  if (Type.IsRecord(schema)) return {}
  if (Type.IsArray(schema)) return []
  return Type.IsInteger(schema) ? Number.NaN : ''
}

function mismatch(schema: Type.TSchema, value: unknown, path: string): string {
  return `${path || 'the herd file'}: ${shownValue(value)} is not ${rangeText(schema)}; for example ${exampleText(schema)}`
}

function missing(schema: Type.TSchema, path: string): string {
  return `${path}: is missing; it takes ${rangeText(schema)}, for example ${exampleText(schema)}`
}

function listOf(schema: Type.TObject): string {
  return Object.keys(schema.properties).join(', ')
}

function prefixOf(path: string): string {
  return path === '' ? '' : `${path}.`
}

function pathTo(path: string, name: string): string {
  const shown = /^[\w.-]{1,64}$/.test(name) ? name : shownValue(name)
  return `${prefixOf(path)}${shown}`
}
