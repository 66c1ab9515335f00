import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import {
  ATTRIBUTES_BYTES_MAX,
  type Attributes,
  AttributesInvalid,
  readAttributes,
  writeAttributes,
} from './attributes.ts'
import { IS_WHITE } from './byte-classes.ts'
import { CommandParser } from './command-parser.ts'

/** Each number with its bounds. */
const BOUNDS = [
  ['altitude', -12_000, 1e9],
  ['accuracy', 0, 1e9],
  ['speed', 0, 3e8],
  ['course', 0, 360],
  ['battery', 0, 1],
] as const

const WHITE_AND_WORSE = [
  ' ',
  '\t',
  '\n',
  '\v',
  '\f',
  '\r',
  '\x85',
  '\xa0',
  '\u2028',
  '\u3000',
  '\ud800',
  '"',
  '\\',
]

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.constantFrom(...WHITE_AND_WORSE, 'é', '語', '🐑', '__proto__'), { maxLength: 6 })
    .map((parts) => parts.join('')),
)

/**
 * Not one character that JSON escapes: V8 may read such a name as a backslash once it has read a backslash as a
 * name (https://github.com/nodejs/node/issues/63785).
 */
const tagName = text.filter((name) => name.length !== 1 || !/[\s\p{C}"\\]/u.test(name))

/** All of it is optional; everything in bounds, and short enough to be kept. */
const attributes: fc.Arbitrary<Attributes> = fc.record(
  {
    ...Object.fromEntries(
      BOUNDS.map(([name, min, max]) => [
        name,
        fc.double({ min, max, noNaN: true }).map((value) => value + 0),
      ]),
    ),
    tags: fc
      .uniqueArray(fc.tuple(tagName, text), { selector: ([name]) => name, minLength: 1, maxLength: 5 })
      .map((tags): Record<string, string> => Object.fromEntries(tags)),
  },
  { requiredKeys: [], noNullPrototype: true },
)

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(attributes, (attributes) => {
      assert.deepEqual(readAttributes(writeAttributes(attributes)), attributes)
    }),
    runs(1000),
  )
})

test('the text is one field that an AT line can carry, whatever the tags hold', () => {
  const parser = new CommandParser()
  fc.assert(
    fc.property(attributes, (attributes) => {
      const field = writeAttributes(attributes)
      assert.ok(field.every((byte) => IS_WHITE[byte] === 0))
      const line = Buffer.from(`AT Alford +0 kiwi +1+1 1 ${field.toString('latin1')}`, 'latin1')
      assert.equal(parser.parse(line, 0, line.length), 'at')
      assert.equal(parser.fields.count, field.length === 0 ? 6 : 7)
    }),
    runs(1000),
  )
})

test('equal attributes are equal bytes, in whatever order somebody named them', () => {
  fc.assert(
    fc.property(attributes, (attributes) => {
      const { tags, ...numbers } = attributes
      const turned = {
        ...(tags !== undefined && { tags: Object.fromEntries(Object.entries(tags).toReversed()) }),
        ...Object.fromEntries(Object.entries(numbers).toReversed()),
      }
      assert.deepEqual(writeAttributes(turned), writeAttributes(attributes))
    }),
    runs(300),
  )
})

test('the field is JSON with the members in one order, and nothing at all without any', () => {
  const all: Attributes = {
    tags: { b: '2 3', a: 'é' },
    battery: 0.5,
    course: 270,
    speed: 1.5,
    accuracy: 8,
    altitude: -3,
  }
  assert.equal(
    writeAttributes(all).toString(),
    String.raw`{"altitude":-3,"accuracy":8,"speed":1.5,"course":270,"battery":0.5,"tags":{"a":"é","b":"2\u00203"}}`,
  )
  for (const none of [{}, { tags: {} }]) {
    assert.equal(writeAttributes(none).length, 0)
  }
})

for (const [name, least, most] of BOUNDS) {
  test(`${name} is kept from ${least} to ${most}; beyond, the message says so`, () => {
    for (const value of [least, most]) {
      assert.deepEqual(readAttributes(writeAttributes({ [name]: value })), { [name]: value })
    }
    const gap = Math.max(Math.abs(least), most) * 1e-12
    for (const value of [least - gap, most + gap, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => writeAttributes({ [name]: value }), {
        name: 'AttributesInvalid',
        message: `${name} is ${value}; it must be a number from ${least} to ${most}`,
      })
    }
  })
}

test('ATTRIBUTES_BYTES_MAX: as many bytes are kept, and one more is refused', () => {
  const around = '{"tags":{"":""}}'.length
  const longest = 'é'.repeat((ATTRIBUTES_BYTES_MAX - around) / 2)
  assert.equal(writeAttributes({ tags: { '': longest } }).length, ATTRIBUTES_BYTES_MAX)
  assert.throws(
    () => writeAttributes({ tags: { '': `${longest}x` } }),
    new AttributesInvalid('attributes have 2049 bytes; at most 2048 are kept'),
  )
})

test('what nobody here wrote is read as far as it means something', () => {
  const read = (text: string): Attributes => readAttributes(Buffer.from(text, 'latin1'))
  for (const nothing of [
    '',
    '{',
    '{}',
    'null',
    '5',
    '"speed"',
    '[1,2]',
    '{"speed":}',
    '\xff\xfe',
    '{"\xff":1}',
  ]) {
    assert.deepEqual(read(nothing), {}, nothing)
  }
  const later = '{"speed":"fast","heading":5,"course":90,"battery":null,"tags":{"a":"b","c":1,"d":{}}}'
  assert.deepEqual(read(later), { course: 90, tags: { a: 'b' } })
})

test('tags are read from an object only, and numbers within their bounds only', () => {
  const read = (text: string): Attributes => readAttributes(Buffer.from(text))
  for (const tags of ['"abc"', '["a"]', '5', 'null', 'true'])
    assert.deepEqual(read(`{"tags":${tags}}`), {}, tags)
  for (const [name, least, most] of BOUNDS) {
    for (const value of [`${least - 1}`, `${most * 2}`, '1e999']) {
      assert.deepEqual(read(`{"${name}":${value}}`), {}, `${name} ${value}`)
    }
  }
})
