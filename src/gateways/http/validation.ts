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
const DECIMAL = /^[+ -]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
/** Of a wrong value so much is shown. */
const SHOWN_MAX = 60

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
  // What goes out is made by us: no need to pick it apart by a schema.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
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
  return isNumber && typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value
}

function typeOf(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : undefined
}

/** The first error, in words. */
function complaint(errors: readonly TLocalizedValidationError[], value: unknown, what: string): string {
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties')
  if (unknown?.keyword === 'additionalProperties') {
    const names = unknown.params.additionalProperties.map(shown).join(', ')
    return `${what} has ${names}, which nobody knows here; /docs tells what it may have`
  }
  const [error] = errors
  if (error === undefined) return `${what} is not as it must be; /docs tells how`
  const where = error.instancePath.slice(1).replaceAll('/', '.')
  const found = where === '' ? '' : `: it is ${shown(at(value, error.instancePath))}`
  return `${where === '' ? what : `${where} of ${what}`} ${error.message}${found}`
}

/** What is at a path such as `/a/0`. */
function at(value: unknown, path: string): unknown {
  return path
    .split('/')
    .slice(1)
    .reduce<unknown>((inner, name) => new Map(Object.entries(Object(inner))).get(name), value)
}

/** A value as JSON, or the beginning of it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}
