import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import {
  cutAt,
  cutResults,
  findResults,
  insertMessages,
  type JsonValue,
  putMember,
  squeezeNewlines,
  toClassicJson,
} from './json-text.ts'
import { ProviderFailed } from './provider.ts'

const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: anyUnit }),
  fc.constant('] } , [ { "\\'),
)
const anyValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(anyText, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(anyText, fc.constant('results')), tie('value'), { maxKeys: 5 }),
  ),
})).value
const otherMembers = fc.dictionary(
  anyText.filter((name) => name !== 'results'),
  anyValue,
  { maxKeys: 3 },
)
/** A legacy body as JSON text, in several styles of white space. */
const anyBody = fc
  .tuple(
    otherMembers,
    fc.array(anyValue, { maxLength: 8 }),
    otherMembers,
    fc.constantFrom('', ' ', '\t', 'classic', '\n\n'),
  )
  .map(([before, results, after, style]) => {
    const body = { ...before, results, ...after }
    return style === 'classic' ? `\n${toClassicJson(body)}\n\n` : JSON.stringify(body, null, style)
  })

test('writes the classic style', () => {
  const value = {
    status: 'OK',
    results: [{ types: ['locality', 'political'], name: 'A <b> & "c"\n', rating: 4.5 }],
    html_attributions: [],
    nothing: {},
    '\u{10000}': 1,
    '\uffff': [[1, []], null],
    left_out: undefined,
  }
  assert.equal(
    toClassicJson(value),
    `{
   "html_attributions" : [],
   "nothing" : {},
   "results" : [
      {
         "name" : "A \\u003cb\\u003e & \\"c\\"\\n",
         "rating" : 4.5,
         "types" : [ "locality", "political" ]
      }
   ],
   "status" : "OK",
   "\uffff" : [
      [ 1, [] ],
      null
   ],
   "\u{10000}" : 1
}`,
  )
})

test('breaks an array of scalars that would reach 74 bytes', () => {
  assert.ok(!toClassicJson(Array(23).fill(1)).includes('\n'))
  assert.ok(toClassicJson(Array(24).fill(1)).includes('\n'))
  assert.ok(!toClassicJson(['x'.repeat(67)]).includes('\n'))
  assert.ok(toClassicJson(['x'.repeat(68)]).includes('\n'))
  assert.ok(toClassicJson(['é'.repeat(34)]).includes('\n'), 'bytes, not characters')
})

test('what is written means what was given', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(JSON.parse(toClassicJson(value)), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a cut body has the first results, and else is what it was', () => {
  fc.assert(
    fc.property(anyBody, fc.nat(6), (text, items) => {
      const cut = cutResults(text, items)
      const body = JSON.parse(text)
      assert.deepEqual(JSON.parse(cut), { ...body, results: body.results.slice(0, items) })
      assert.ok(lacksOnePieceOf(cut, text), 'more than one piece was taken out')
    }),
  )
})

test('none of the results is an empty array', () => {
  assert.equal(cutResults('{"results" : [ 1,\n2 ] }', 0), '{"results" : [] }')
  assert.equal(cutResults('{"results" : [ ] }', 0), '{"results" : [ ] }')
  assert.equal(
    cutResults('{"a":{"results":[1]},"\\u0072esults":[1 , 2]}', 1),
    '{"a":{"results":[1]},"\\u0072esults":[1]}',
  )
})

test('the items of another list are cut likewise', () => {
  const text = '{"results":[1,2], "data" : [ {"data":[3]} , 4 ]}'
  assert.equal(cutAt(text, findResults(text, 'data'), 1), '{"results":[1,2], "data" : [ {"data":[3]} ]}')
  assert.throws(() => findResults('{"results":[]}', 'data'), ProviderFailed)
})

test('a member that is put into a body changes no other byte of it', () => {
  fc.assert(
    fc.property(anyBody, anyValue, (text, value) => {
      const put = putMember(text, 'new\n"', value)
      assert.deepEqual(JSON.parse(put), { ...JSON.parse(text), 'new\n"': JSON.parse(JSON.stringify(value)) })
      assert.ok(lacksOnePieceOf(text, put))
    }),
  )
  assert.equal(putMember(' { }', 'data', []), ' {"data":[] }')
})

test('what is no body is found', () => {
  const texts = [
    '',
    'x',
    '[]',
    '"results"',
    '{}',
    '{"results":{}}',
    '{"results":[1',
    '{"results":[],"results":[1]}',
  ]
  for (const text of texts) {
    assert.throws(() => findResults(text), ProviderFailed, text)
  }
})

test('squeezed text has single newlines, and means the same', () => {
  fc.assert(
    fc.property(anyBody, (text) => {
      const squeezed = squeezeNewlines(text)
      assert.doesNotMatch(squeezed, /\n\r?\n|[\r\n]$/)
      assert.deepEqual(JSON.parse(squeezed), JSON.parse(text))
    }),
  )
})

test('squeezing twice is squeezing once, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\n', '\r', ' ', 'x') }), (text) => {
      const squeezed = squeezeNewlines(text)
      assert.equal(squeezeNewlines(squeezed), squeezed)
      assert.equal(squeezed.replace(/[\r\n]+/g, ''), text.replace(/[\r\n]+/g, ''))
    }),
  )
})

test('long runs of white space are squeezed in linear time', () => {
  const run = `{${'\n'.repeat(1_000_000)}${'\r'.repeat(1_000_000)}}${'\r\n'.repeat(1_000_000)}`
  assert.equal(squeezeNewlines(run), `{\n${'\r'.repeat(1_000_000)}}`)
})

function lacksOnePieceOf(cut: string, whole: string): boolean {
  let start = 0
  while (start < cut.length && cut[start] === whole[start]) start++
  return cut.length <= whole.length && whole.endsWith(cut.slice(start))
}

test('messages stand where JsonCpp would have them, and no other byte moves', () => {
  const body = { html_attributions: ['x'], results: [{ name: 'y' }], status: 'OK' }
  const messages = ['a <b>', 'c']
  const text = toClassicJson(body)
  assert.equal(insertMessages(text, messages), toClassicJson({ ...body, info_messages: messages }))
  const withToken = { ...body, next_page_token: 't' }
  assert.equal(
    insertMessages(toClassicJson(withToken), ['m']),
    toClassicJson({ ...withToken, info_messages: ['m'] }),
  )
  assert.equal(insertMessages('{"data":[],"meta":{}}', ['m']), '{"data":[],"info_messages":["m"],"meta":{}}')
  assert.equal(insertMessages('{"data":[]}', ['m']), '{"data":[],"info_messages":["m"]}')
  assert.equal(insertMessages('{}', ['m']), '{"info_messages":["m"]}')
})

test('messages that are there already stay', () => {
  const text = toClassicJson({ html_attributions: [], info_messages: ['theirs'], results: [], status: 'OK' })
  assert.deepEqual(JSON.parse(insertMessages(text, ['ours', 'too'])).info_messages, ['ours', 'too', 'theirs'])
  assert.equal(insertMessages('{"info_messages":[]}', ['ours']), '{"info_messages":[ "ours" ]}')
})

test('messages go into any object, and take nothing out of it', () => {
  const member = fc.oneof(fc.string(), fc.constantFrom('results', 'zeta', 'alpha', 'info_messages_', 'data'))
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant([]))
  fc.assert(
    fc.property(
      fc.dictionary(member, value, { noNullPrototype: true }),
      fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (body, messages, isCompact) => {
        const text = isCompact ? JSON.stringify(body) : JSON.stringify(body, null, 3)
        const filled = JSON.parse(insertMessages(text, messages))
        assert.deepEqual(filled, { ...JSON.parse(text), info_messages: messages })
      },
    ),
  )
})
