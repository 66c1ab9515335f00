/**
 * The classic style is what JsonCpp writes, so JsonCpp itself is asked. Two of its writers are needed: only
 * `StyledWriter` has the classic brackets, and only `StreamWriter` can leave UTF-8 raw (see `oracle.cpp`).
 * Numbers are compared where both languages write them alike: whole ones, and fractions of few digits.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type JsonValue, toClassicJson } from '../../src/places/json-text.ts'
import { EmbeddedPlaces } from '../../src/places/providers/embedded.ts'
import { googleText } from '../support/google-stand-in.ts'
import { fc } from '../support/properties.ts'

const HEADERS = '/usr/include/jsoncpp'
const SOURCE = fileURLToPath(new URL('../support/jsoncpp/oracle.cpp', import.meta.url))
const skip = existsSync(HEADERS) ? false : 'needs g++ and libjsoncpp-dev'
const folder = mkdtempSync(join(tmpdir(), 'herd-jsoncpp-'))
const oracle = join(folder, 'oracle')

before(() => {
  if (skip !== false) return
  const { status, stderr } = spawnSync('g++', [
    '-O1',
    '-w',
    `-I${HEADERS}`,
    SOURCE,
    '-o',
    oracle,
    '-ljsoncpp',
  ])
  assert.equal(status, 0, String(stderr))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function written(mode: 'styled' | 'stream', value: JsonValue): string {
  const { status, stdout, stderr } = spawnSync(oracle, [mode], {
    input: JSON.stringify(value),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout
}

const anyNumber = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 64 || 0),
)

/** Values out of texts of some characters; arrays of every length around the margin are frequent. */
function valuesOf(unit: fc.Arbitrary<string>, nameUnit: fc.Arbitrary<string>): fc.Arbitrary<JsonValue> {
  const text = fc.string({ unit, maxLength: 80 }).filter((string) => !string.includes('@u003'))
  const name = fc.string({ unit: nameUnit, maxLength: 12 }).filter((string) => !string.includes('@u003'))
  const scalar = fc.oneof(text, anyNumber, fc.boolean(), fc.constant(null))
  return fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      scalar,
      fc.array(fc.oneof(scalar, fc.constant([]), fc.constant({})), { maxLength: 30 }),
      fc.array(tie('value'), { maxLength: 6 }),
      fc.dictionary(name, tie('value'), { maxKeys: 6 }),
    ),
  })).value
}

test('the text is that of StyledWriter, for ASCII', { skip }, () => {
  // A name ends at a NUL for this writer, so names have none.
  const ascii = fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code))
  const values = valuesOf(
    ascii,
    ascii.filter((char) => char !== '\0'),
  )
  fc.assert(
    fc.property(values, (value) => {
      assert.equal(`${toClassicJson(value)}\n`, written('styled', value))
    }),
    { numRuns: 200 },
  )
})

test('the text is that of StreamWriter with raw UTF-8, for all of Unicode', { skip }, () => {
  const unicode = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })
  fc.assert(
    fc.property(valuesOf(unicode, unicode), (value) => {
      assert.equal(`${toClassicJson(value)}\n`, written('stream', value))
    }),
    { numRuns: 200 },
  )
})

test("the embedded places are written as JsonCpp would, wherever one asks, and so are Google's", {
  skip,
}, async () => {
  const places = EmbeddedPlaces.load()
  const centres = [
    [34.06893, -118.445127],
    [35.68, 139.69],
    [64.14, -21.94],
    [30.04, 31.24],
    [0, 0],
  ] as const
  for (const [latitude, longitude] of centres) {
    const locationText = `${latitude},${longitude}`
    const { text } = await places.search({ latitude, longitude, locationText, radiusMetres: 50_000 })
    assert.equal(`${text}\n`, written('stream', JSON.parse(text)))
    const google = JSON.parse(googleText(locationText))
    assert.equal(`${toClassicJson(google)}\n`, written('stream', google))
  }
})
