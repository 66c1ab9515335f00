import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { clientsOf } from './stream-route.ts'

const ids = fc.array(
  fc.oneof(
    fc.string({ minLength: 1, unit: fc.constantFrom('a', ',', '%', '2', 'C', 'c', '5', '語') }),
    fc.string({ minLength: 1, unit: 'binary' }),
  ),
)

/** An ID as a list has it: what the documentation says, and no more. */
function escaped(id: string): string {
  return id.replaceAll('%', '%25').replaceAll(',', '%2C')
}

test('clients are found again in a list, whatever they are called, and in several lists', () => {
  fc.assert(
    fc.property(ids, fc.nat(10), (ids, cut) => {
      const wanted = new Set(ids)
      const names = ids.map(escaped)
      assert.deepEqual(clientsOf([names.join(',')]), wanted)
      assert.deepEqual(clientsOf([names.slice(0, cut).join(','), `,${names.slice(cut).join(',')},`]), wanted)
      assert.deepEqual(clientsOf(names), wanted)
    }),
    runs(1000),
  )
  assert.deepEqual(clientsOf(['', ',']), new Set())
  // What is no escape is what it is.
  assert.deepEqual(clientsOf(['100%,a%2cb,%41']), new Set(['100%', 'a,b', '%41']))
})
