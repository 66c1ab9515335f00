import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { Runs } from '../../replication/runs.ts'
import { VersionVector } from '../../replication/version-vector.ts'
import { CURSOR_BYTES_MAX, readCursor, writeCursor } from './cursor.ts'

const HEX = '0123456789abcdef'.split('')
const ID = fc.string({ unit: fc.constantFrom(...HEX), minLength: 32, maxLength: 32 })
const RUN = fc.record({
  server: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/),
  id: fc
    .tuple(ID, fc.option(fc.nat({ max: 99 })))
    .map(([id, renewed]) => (renewed === null ? id : `${id}.${renewed}`)),
  seq: fc.integer({ min: 1, max: 2 ** 40 }),
})
const RUNS = fc.uniqueArray(RUN, {
  maxLength: 20,
  selector: ({ server, id }) => `${server} ${id.slice(0, 8)}`,
})

test('a cursor means the same on another server, whatever numbers that gives to runs', () => {
  fc.assert(
    fc.property(RUNS, fc.nat(), (all, seed) => {
      const [here, there] = [new Runs(100), new Runs(100)]
      const vector = new VersionVector()
      for (const { server, id, seq } of all) vector.raise(here.indexOf(server, id), seq)
      // The other has heard of them in another order, and of some not at all.
      const turned =
        all.length === 0 ? [] : [...all.slice(seed % all.length), ...all.slice(0, seed % all.length)]
      const known = turned.filter((_, index) => (seed + index) % 3 !== 0)
      for (const { server, id } of known) there.indexOf(server, id)
      const read = readCursor(writeCursor(vector, here), there)
      assert.ok(read !== null)
      for (const { server, id, seq } of known) assert.equal(read.seq(there.indexOf(server, id)), seq)
      let covered = 0
      read.forEachBeyond(new VersionVector(), () => covered++)
      assert.equal(covered, known.length)
    }),
    runs(300),
  )
})

test('whatever is sent as a cursor, reading it ends in a vector or in nothing, and covers nothing that is not there', () => {
  const here = new Runs(100)
  const run = here.indexOf('Alford', 'a'.repeat(32))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('Alford', 'aaaaaaaa', '~', ',', '1', '0', '.', '%', '-') }),
      ),
      (text) => {
        const read = readCursor(text, here)
        if (read === null || read.seq(run) === 0) return
        assert.ok(text.includes(`Alford~aaaaaaaa~${read.seq(run)}`))
      },
    ),
    runs(500),
  )
  for (const text of [
    '',
    '1',
    'Alford~aaaaaaaa',
    'Alford~aaaaaaaa~0',
    'Alford~aaaaaaaa~-1',
    'Alford~aaaaaaaa~1~2',
    'a'.repeat(CURSOR_BYTES_MAX + 1),
  ]) {
    assert.equal(readCursor(text, here), null, text.slice(0, 40))
  }
  assert.equal(
    readCursor(`Alford~aaaaaaaa~${Number.MAX_SAFE_INTEGER}`, here)?.seq(run),
    Number.MAX_SAFE_INTEGER,
  )
})

test('a cursor of very many runs stays short: what is left out is told once more', () => {
  const here = new Runs(1000)
  const vector = new VersionVector()
  for (let index = 0; index < 500; index++) {
    vector.raise(here.indexOf(`server-${index}`, String(index).padStart(32, '0')), index + 1)
  }
  const cursor = writeCursor(vector, here)
  assert.ok(cursor.length <= CURSOR_BYTES_MAX)
  assert.notEqual(readCursor(cursor, here), null)
})
