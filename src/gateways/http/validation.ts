/** Checks what a request brings by the routes' own schemas, which `/openapi.json` shows as well. */
import type { FastifyInstance, FastifySchema } from 'fastify'
import type Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'
import { CallRefused } from '../calls/call-refused.ts'

/** Says whether a value is as a schema has it. */
export interface Check<Value> {
  /** @throws {CallRefused} that says what is wrong, and what would be right. */
  check(value: unknown): asserts value is Value
}

/** How decimal numbers are written in a query. A plus sign that wasn't encoded has become a space. */
export const DECIMAL: RegExp = /^[+ -]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
/** Of a wrong value so much is shown. */
const SHOWN_MAX = 60
/** Of the names that nobody knows so many are shown. */
const NAMES_MAX = 5

const shownOnly = new WeakSet<object>()

/** A schema that `/openapi.json` shows, while the route itself checks what comes. */
export function showOnly<Schema extends object>(schema: Schema): Schema {
  shownOnly.add(schema)
  return schema
}

/** Makes the check of a schema, once. @param what is checked, for people: `the body`. */
export function makeCheck<Value>(schema: Type.TSchema, what: string): Check<Value> {
  const compiled = Compile(schema)
  return {
    check: (value) => {
      if (compiled.Check(value)) return
      throw new CallRefused('invalid', complaint(compiled.Errors(value), value, what))
    },
  }
}

/** Lets an app's routes check by their schemas: bodies as they are, queries with their numbers made of texts. */
export function checkBySchemas(app: FastifyInstance): void {
  app.setValidatorCompiler<FastifySchema & Type.TSchema>(({ schema, httpPart }) => {
    if (shownOnly.has(schema)) return () => true
    const isText = httpPart !== 'body'
    const checked: Check<unknown> = makeCheck(schema, isText ? 'the query' : 'the body')
    return (data: unknown) => {
      const value = isText ? numbersOf(schema, data) : data
      try {
        checked.check(value)
        return { value }
      } catch (error) {
        return { error: error instanceof Error ? error : new Error(String(error)) }
      }
    }
  })
  // What goes out is made by us: no need to pick it apart by a schema, or to look for one.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setReplySerializer((data) => JSON.stringify(data))
}

/**
 * Makes numbers of texts, and lists of what came once, where a schema wants these. Texts that aren't stay as they are, and fail the
 * check.
 */
export function numbersOf(schema: Type.TSchema, query: unknown): unknown {
  if (typeof query !== 'object' || query === null || !('properties' in schema)) return query
  const properties: Readonly<Record<string, unknown>> = { ...Object(schema.properties) }
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, converted(typeOf(properties[name]), value)]),
  )
}

function converted(type: unknown, value: unknown): unknown {
  if (type === 'array') return Array.isArray(value) ? value : [value]
  const isNumber = type === 'number' || type === 'integer'
  if (!isNumber || typeof value !== 'string' || !DECIMAL.test(value)) return value
  const number = Number(value)
  // 1e999 is none, and is shown as it came.
  return Number.isFinite(number) ? number : value
}

function typeOf(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : undefined
}

/** The first error, in words. */
function complaint(errors: readonly TLocalizedValidationError[], value: unknown, what: string): string {
  // Where no other members may be, each is checked by the schema `false`.
  const unknown = errors.filter(({ keyword }) => keyword === 'boolean').map(nameOf)
  if (unknown.length > 0) {
    const names = unknown.slice(0, NAMES_MAX).map(shown).join(', ')
    const others = unknown.length > NAMES_MAX ? ' and others' : ''
    return `${what} has ${names}${others}, which nobody knows here; /docs tells what it may have`
  }
  const [error] = errors
  if (error === undefined) return `${what} is not as it must be; /docs tells how`
  const path = pathOf(error)
  const wanted = error.keyword === 'enum' ? ` ${error.params.allowedValues.map(shown).join(', ')}` : ''
  if (path.length === 0) return `${what} ${error.message}${wanted}`
  return `${beginning(path.join('.'))} of ${what} ${error.message}${wanted}: it is ${shown(at(value, path))}`
}

/** The names on the way to what is wrong: a JSON Pointer, RFC 6901. */
function pathOf({ instancePath }: TLocalizedValidationError): readonly string[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function nameOf(error: TLocalizedValidationError): string {
  return pathOf(error).at(-1) ?? ''
}

/** What is at the end of a path. */
function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => new Map(Object.entries(Object(inner))).get(name), value)
}

/** A value as JSON, or the beginning of it. */
export function shown(value: unknown): string {
  return beginning(JSON.stringify(value) ?? 'nothing')
}

function beginning(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}
