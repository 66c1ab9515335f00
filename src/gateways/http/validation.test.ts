import assert from 'node:assert/strict'
import { test } from 'node:test'
import type Type from 'typebox'
import { degrees } from '../../../test/support/client-fixes.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { CallRefused } from '../calls/call-refused.ts'
import {
  boxQuery,
  formatQuery,
  nearQuery,
  pageQuery,
  placesQuery,
  streamQuery,
  withinQuery,
} from './query-schemas.ts'
import { reportSchema } from './schemas.ts'
import { type Check, makeCheck, numbersOf } from './validation.ts'

const QUERIES = { boxQuery, formatQuery, nearQuery, pageQuery, placesQuery, streamQuery, withinQuery }
/** A message is read by people. */
const MESSAGE_LENGTH_MAX = 500

/** What a check says of a value; `null`: nothing. */
function complaint(check: Check<unknown>, value: unknown): string | null {
  try {
    check.check(value)
    return null
  } catch (error) {
    assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
    assert.ok(error.message.length <= MESSAGE_LENGTH_MAX, error.message)
    return error.message
  }
}

const report: Check<unknown> = makeCheck(reportSchema, 'the report')

const checks = new Map<Type.TObject, Check<unknown>>(
  Object.values(QUERIES).map((schema) => [schema, makeCheck(schema, 'the query')]),
)

function checkQuery(schema: Type.TObject, query: unknown): string | null {
  const check = checks.get(schema)
  assert.ok(check !== undefined)
  return complaint(check, numbersOf(schema, query))
}

test('a query means what was written: numbers come back as they were, lists as lists', () => {
  const query = fc.record(
    {
      lat: degrees(90),
      lon: degrees(180),
      radius_m: fc.double({ min: 0, max: 20_040_000, noNaN: true }),
      limit: fc.integer({ min: 1, max: 100_000 }),
      max_age_s: fc.double({ min: 0, max: 1e11, noNaN: true }),
      client: fc.string({ minLength: 1, maxLength: 100 }),
      format: fc.constantFrom('json', 'geojson'),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(query, (query) => {
      const written = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))
      const read = numbersOf(nearQuery, Object.fromEntries(written))
      // 0 is how -0 is written.
      assert.deepEqual(read, { ...query, lat: query.lat + 0, lon: query.lon + 0 })
      assert.equal(checkQuery(nearQuery, Object.fromEntries(written)), null)
    }),
    runs(500),
  )
  assert.deepEqual(numbersOf(streamQuery, { client: 'a,b' }), { client: ['a,b'] })
  assert.deepEqual(numbersOf(streamQuery, { client: ['a', 'b'] }), { client: ['a', 'b'] })
  // A plus that nobody encoded.
  assert.deepEqual(numbersOf(nearQuery, { lat: ' 5', lon: '+.5e1' }), { lat: 5, lon: 5 })
})

test('whatever query comes, it is as its schema has it, or the answer names what is wrong', () => {
  const names = Object.values(QUERIES).flatMap((schema) => Object.keys(schema.properties))
  const name = fc.oneof(
    fc.constantFrom(...names, '__proto__', 'constructor', 'toString', '', 'a/b', '~0'),
    fc.string({ unit: 'binary' }),
  )
  const text = fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1e999',
      '-1e999',
      'NaN',
      'Infinity',
      '0x10',
      '1.5',
      '1_000',
      '91',
      ' ',
      '١',
      'json',
    ),
    fc.double().map(String),
    fc.string({ unit: 'binary', maxLength: 2000 }),
  )
  const query = fc.array(fc.tuple(name, fc.oneof(text, fc.array(text))), { maxLength: 5 })
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(QUERIES)), query, (schema, pairs) => {
      const query = Object.fromEntries(pairs)
      const said = checkQuery(schema, query)
      if (said === null) {
        for (const [name, value] of Object.entries(Object(numbersOf(schema, query)))) {
          assert.ok(name in schema.properties, name)
          if (typeof value === 'number') assert.ok(Number.isFinite(value), name)
        }
        return
      }
      const [first = ''] = said.split(' of the query ')
      const isNamed =
        Object.hasOwn(schema.properties, first.split('.')[0] ?? '') ||
        Object.keys(schema.properties).some(
          (name) => said === `the query must have required properties ${name}`,
        ) ||
        Object.keys(query).some((name) => said.includes(JSON.stringify(name).slice(0, 50)))
      assert.ok(isNamed, said)
    }),
    runs(2000),
  )
})

test('what was wrong is said as it came, with what would be right', () => {
  assert.equal(checkQuery(nearQuery, { lat: '1e999' }), 'lat of the query must be number: it is "1e999"')
  assert.equal(checkQuery(nearQuery, { lat: ['1', '2'] }), 'lat of the query must be number: it is ["1","2"]')
  assert.equal(
    checkQuery(nearQuery, { limit: '9'.repeat(400) }),
    `limit of the query must be integer: it is "${'9'.repeat(59)}…`,
  )
  assert.equal(
    checkQuery(pageQuery, { format: 'xml' }),
    'format of the query must be equal to one of the allowed values "json", "geojson": it is "xml"',
  )
  assert.equal(checkQuery(boxQuery, {}), 'the query must have required properties box')
  assert.equal(
    checkQuery(formatQuery, { fromat: 'json' }),
    'the query has "fromat", which nobody knows here; /docs tells what it may have',
  )
})

test('a member is found by its name, whatever is in that', () => {
  for (const name of ['a/b', 'a~b', '~1', '/', 'a.b', '', '__proto__']) {
    const json: unknown = JSON.parse(`{"client":"a","tags":{${JSON.stringify(name)}:1}}`)
    assert.equal(complaint(report, json), `tags.${name} of the report must be string: it is 1`)
  }
  const long = `/${'x'.repeat(5000)}`
  assert.match(
    complaint(report, { client: 'a', tags: { [long]: 1 } }) ?? '',
    /^tags\.\/x+… of the report must be string: it is 1$/,
  )
})

test('of very many unknown members some are named', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`unknown-${index}`, 1]))
  assert.match(
    complaint(report, { client: 'a', ...many }) ?? '',
    /^the report has "unknown-0", "unknown-1", .*"unknown-4" and others, which nobody knows/,
  )
})

test('whatever JSON comes, however deep, the check says something or nothing', () => {
  const member = fc.constantFrom('client', 'lat', 'lon', 'time', 'tags', 'position', '__proto__', 'x')
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.double(), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(
      fc.oneof(fc.dictionary(member, value), fc.jsonValue()),
      (json) => void complaint(report, json),
    ),
    runs(2000),
  )
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
  assert.match(complaint(report, { client: deep }) ?? '', /^client of the report must be string: it is \[+…$/)
})
