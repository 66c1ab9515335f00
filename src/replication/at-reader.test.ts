import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableLines } from '../../test/support/fixes.ts'
import { clientId, whiteInLine } from '../../test/support/line-generators.ts'
import { MemoryServer } from '../../test/support/memory-herd.ts'
import { fc, runs } from '../../test/support/properties.ts'

const fields = fc.tuple(
  fc.constantFrom('Alford', '\xff\xfe', 'a'),
  fc.constantFrom('+0.263873386', '-0.1', '-98520586115.999999999', '+00.0'),
  clientId,
  fc.constantFrom('+34.068930-118.445127', '+1-1', '-090.000+0180'),
  fc.constantFrom('1479413884.392014450', '1', '1.23456789012345'),
)

test('a line is kept field by field as it came, with one space between, however it was spaced', () => {
  const spaces = fc.array(fc.oneof(fc.constant(' '), whiteInLine), { minLength: 7, maxLength: 7 })
  fc.assert(
    fc.property(fields, spaces, fc.boolean(), (fields, spaces, isOurs) => {
      const line = ['AT', ...fields]
      const spaced = line.map((field, index) => `${spaces[index]}${field}`).join('') + spaces[6]
      const server = new MemoryServer('Ball')
      assert.equal(server.takeAt(isOurs ? line.join(' ') : spaced), 0)
      assert.deepEqual(server.lines, [line.join(' ')])
    }),
    runs(500),
  )
})

test('ours are read in place, others are not', () => {
  const server = new MemoryServer('Ball')
  const ours = Buffer.from('AT Alford +0 kiwi +1+1 1')
  const theirs = Buffer.from('AT Alford +0 kiwi  +1+1 2')
  assert.equal(server.parser.parse(ours, 0, ours.length), 'at')
  assert.equal(server.reader.read(server.parser, ours)?.buffer, ours)
  assert.equal(server.parser.parse(theirs, 0, theirs.length), 'at')
  assert.notEqual(server.reader.read(server.parser, theirs)?.buffer, theirs)
})

test('a line of one server name too many is none', () => {
  const server = new MemoryServer('Ball', { serverNamesMax: 2 })
  server.takeAt('AT Alford +0 kiwi +1+1 1')
  assert.throws(() => server.takeAt('AT Welsh +0 kiwi +1+1 2'), /too many server names/)
  server.takeAt('AT Ball +0 kiwi +1+1 3')
  assert.deepEqual(tableLines(server.replica.table), ['AT Ball +0 kiwi +1+1 3'])
})
