import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../test/support/properties.ts'
import { redactionOf } from './redaction.ts'

const KEY = 'AIza-canary/"+=~7f3&<\''
/** As keys are: visible ASCII characters. */
const anyKey = fc.stringMatching(/^[\x21-\x7e]{8,40}$/)

const hex = (char: string) => char.charCodeAt(0).toString(16).padStart(2, '0')
const SPELLINGS: readonly ((char: string) => string)[] = [
  (char) => char,
  (char) => `%${hex(char)}`,
  (char) => `%${hex(char).toUpperCase()}`,
  (char) => `%25${hex(char)}`,
  (char) => `\\u00${hex(char)}`,
  (char) => `&#${char.charCodeAt(0)};`,
  (char) => `&#x${hex(char)};`,
  (char) => (/\w/.test(char) ? char : `\\${char}`),
]

test('however each character is spelled, the key is found, and nothing else is touched', () => {
  fc.assert(
    fc.property(anyKey, fc.infiniteStream(fc.constantFrom(...SPELLINGS)), (key, spellings) => {
      const spelled = Array.from(key, (char) => (spellings.next().value ?? String)(char)).join('')
      assert.equal(redactionOf([key])(`é ${spelled} ü`), 'é … ü')
    }),
  )
})

test('the usual ways to write a key', () => {
  const redact = redactionOf([KEY])
  for (const text of [
    KEY,
    encodeURIComponent(KEY),
    encodeURIComponent(encodeURIComponent(KEY)),
    new URLSearchParams({ k: KEY }).toString().slice(2),
    JSON.stringify(KEY).slice(1, -1),
    JSON.stringify(JSON.stringify(KEY)).slice(3, -3),
    JSON.stringify(encodeURIComponent(KEY)).slice(1, -1),
    JSON.stringify(KEY).slice(1, -1).replaceAll('/', '\\/'),
    KEY.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&apos;'),
  ]) {
    assert.equal(redact(`[${text}][${text}]`), '[…][…]', text)
  }
})

test('a token that is percent-encoded is found decoded, and one in another', () => {
  assert.equal(redactionOf(['AAAA%2FBB%3D'])('AAAA/BB= AAAA%2FBB%3D'), '… …')
  assert.equal(redactionOf(['100%'])('100%'), '…')
  assert.equal(redactionOf(['abcd', 'abcdef'])('abcdef'), '…')
})

test('without a secret nothing is taken out', () => {
  assert.equal(redactionOf([])('text'), 'text')
  assert.equal(redactionOf([''])('text'), 'text')
})

test('a large text is searched in linear time, whatever it has in it', () => {
  for (const key of [
    `AAAA${'a'.repeat(200)}`,
    `"${'\\'.repeat(50)}`,
    `${'\\'.repeat(3)}x`,
    `%25&${'%'.repeat(50)}`,
  ]) {
    for (const piece of ['AAAA', '\\', '%25', '&#x0', '0', '&#37']) {
      const text = `${piece === '0' ? '&#x' : ''}${piece.repeat(500_000)}`
      assert.equal(redactionOf([key])(text), text)
    }
  }
})
