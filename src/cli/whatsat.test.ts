import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { CommandParser } from '../protocol/index.ts'
import { placesOperands } from './whatsat.ts'

test('what is not said is no operand', () => {
  assert.deepEqual(placesOperands({}), [])
  assert.deepEqual(placesOperands({ type: 'cafe', keyword: 'flat white', rank: 'distance' }), [
    ...['type=cafe', 'keyword=flat%20white', 'rank=distance'],
  ])
})

test('a server reads the words that were meant, whatever they are', () => {
  const parser = new CommandParser()
  const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => /\S/.test(text))
  fc.assert(
    fc.property(words, (keyword) => {
      fc.pre(!/\p{Cc}/u.test(keyword) && keyword.trim() !== '')
      const line = Buffer.from(['WHATSAT', 'kiwi', '1', '1', ...placesOperands({ keyword })].join(' '))
      assert.equal(parser.parse(line, 0, line.length), 'whatsat')
      assert.equal(parser.places.keyword, keyword)
    }),
  )
})
