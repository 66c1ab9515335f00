import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { nearestName } from './suggestion.ts'

const NAMES = ['Alford', 'Ball', 'Hamilton', 'Holiday', 'Welsh']

test('slips of a name', () => {
  assert.equal(nearestName('Alferd', NAMES), 'Alford')
  assert.equal(nearestName('alford', NAMES), 'Alford')
  assert.equal(nearestName('Wlesh', NAMES), 'Welsh')
  assert.equal(nearestName('Bal', NAMES), 'Ball')
  assert.equal(nearestName('Gasol', NAMES), undefined)
  assert.equal(nearestName('', NAMES), undefined)
  assert.equal(nearestName('x'.repeat(1_000_000), NAMES), undefined)
})

test('one letter changed, dropped, added or swapped still finds a name of five or more', () => {
  const slip = fc.tuple(fc.constantFrom('Alford', 'Hamilton', 'Holiday', 'Welsh'), fc.nat(), fc.nat(3))
  fc.assert(
    fc.property(slip, ([name, where, kind]) => {
      const at = where % (name.length - 1)
      const [before, letter, next, after] = [name.slice(0, at), name[at], name[at + 1], name.slice(at + 2)]
      const typed = [
        `${before}z${next}${after}`,
        `${before}${next}${after}`,
        `${before}${letter}z${next}${after}`,
        `${before}${next}${letter}${after}`,
      ][kind]
      assert.equal(nearestName(typed ?? '', NAMES), name)
    }),
  )
})
