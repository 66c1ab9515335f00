/** Who searches for keys that got out would find one: in any spelling, anywhere in what a test leaves behind. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertNoCanary, CANARY, CANARY_KEY, CANARY_WORD, tracesIn, tracesUnder } from '../support/canary.ts'
import { fc } from '../support/properties.ts'
import { readSources } from '../support/sources.ts'

const SEARCH = fileURLToPath(new URL('../support/canary-search.ts', import.meta.url))

function stage(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'herd-canary-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const anyKey = fc.constantFrom(CANARY, CANARY_KEY)
const anySpelling = fc.constantFrom<(key: string) => string>(
  (key) => key,
  encodeURIComponent,
  (key) => encodeURIComponent(encodeURIComponent(key)),
  (key) => new URLSearchParams({ key }).toString(),
  (key) => JSON.stringify({ message: `Bearer ${key}` }),
  (key) => key.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
  (key) => key.toUpperCase(),
  (key) => Buffer.from(key).toString('base64'),
  (key) => Buffer.from(`user:${key}`).toString('base64url'),
  (key) => Buffer.from(`a:${key}`).toString('base64'),
  (key) => Buffer.from(key).toString('hex'),
  // What is left when only what is odd in a key was taken out, or half of it.
  (key) => key.replaceAll(/[^a-z0-9]/gi, '…'),
  (key) => key.slice(0, key.length / 2),
  (key) => key.slice(key.length / 2),
)

test('a key is found in any spelling, and a part of one', () => {
  fc.assert(
    fc.property(anyKey, anySpelling, fc.string(), fc.string(), (key, spelling, before, after) => {
      assert.notEqual(tracesIn(`${before}${spelling(key)}${after}`, '').length, 0)
      assert.deepEqual(tracesIn(before + after, ''), [])
    }),
  )
})

test('a key is found wherever in a file it is, and in the name of one', (t) => {
  const folder = stage(t)
  mkdirSync(join(folder, 'a', 'b'), { recursive: true })
  const clean = Buffer.alloc(9 * 1024 * 1024, 0xff)
  writeFileSync(join(folder, 'a', 'b', 'log'), clean)
  assert.deepEqual(tracesUnder(folder), { traces: [], bytes: clean.length + 2 * 60 })
  for (const at of [0, 4 * 1024 * 1024 - 5, 4 * 1024 * 1024, 8 * 1024 * 1024 - 70, clean.length - 10]) {
    const bytes = Buffer.from(clean)
    bytes.write(CANARY_WORD, at)
    writeFileSync(join(folder, 'a', 'b', 'log'), bytes)
    const [first, second] = tracesUnder(folder).traces
    assert.equal(first?.where, join(folder, 'a', 'b', 'log'))
    // One that lies where two pieces meet may be found in both.
    assert.ok(second === undefined || second.where === first.where)
  }
  rmSync(join(folder, 'a'), { recursive: true })
  writeFileSync(join(folder, CANARY_WORD), '')
  assert.equal(tracesUnder(folder).traces.length, 1)
  assert.throws(() => assertNoCanary({ folder }), /AssertionError/)
  assert.throws(() => assertNoCanary({ text: CANARY }), /AssertionError/)
})

test('the search over a whole run fails when there is a key, and when there is nothing to search', (t) => {
  const folder = stage(t)
  const search = () => spawnSync(process.execPath, [SEARCH, folder], { encoding: 'utf8' })
  assert.deepEqual([search().status, search().stderr], [1, `nothing was searched in ${folder}\n`])
  writeFileSync(join(folder, 'run.txt'), 'all is well')
  assert.deepEqual([search().status, search().stdout], [0, '0 keys in 11 bytes\n'])
  writeFileSync(join(folder, 'run.txt'), `https://example.org/?key=${encodeURIComponent(CANARY)}`)
  assert.equal(search().status, 1)
  assert.match(search().stderr, /^a key in .*run\.txt: "https:/)
})

test('the tests have no other canary', () => {
  for (const { path, text } of readSources('{src,test}/**/*.ts')) {
    if (path !== 'test/support/canary.ts') assert.ok(!text.includes(CANARY_WORD), path)
  }
})
