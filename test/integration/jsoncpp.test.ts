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
import { IndexWriter } from '../../src/places/index/index-writer.ts'
import { cutResults, type JsonValue, toClassicJson } from '../../src/places/json-text.ts'
import type { PlacesQuery } from '../../src/places/provider.ts'
import { EmbeddedPlaces } from '../../src/places/providers/embedded.ts'
import { LocalPlaces } from '../../src/places/providers/local.ts'
import { typesOfKind } from '../../src/places/providers/place-table.ts'
import { googleText } from '../support/google-stand-in.ts'
import { fc } from '../support/properties.ts'
import { NEVER } from '../support/provider-suite.ts'

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

/** Places of several scripts, cold and hot, full and empty country. */
const CENTRES = [
  [34.06893, -118.445127],
  [35.68, 139.69],
  [64.14, -21.94],
  [30.04, 31.24],
  [0, 0],
] as const
const QUERIES: readonly PlacesQuery[] = CENTRES.flatMap(([latitude, longitude]) =>
  (['prominence', 'distance'] as const).flatMap((rank) =>
    [undefined, 'airport'].map((type) => {
      const locationText = `${latitude},${longitude}`
      return { latitude, longitude, locationText, radiusMetres: 50_000, rank, type }
    }),
  ),
)

/**
 * The whole reply is what JsonCpp makes of the same data; of ASCII by the very writer of the classic style, which
 * only gives 17 digits of a number where fewer tell it.
 */
function assertJsonCpp(text: string): void {
  const value = JSON.parse(text)
  assert.equal(`${text}\n`, written('stream', value))
  if (!/^[\0-\x7f]*$/.test(text)) return
  const styled = written('styled', value).replace(/(?<=" : )-?\d+\.\d{12,}/g, (digits) =>
    String(Number(digits)),
  )
  assert.equal(`${text}\n`, styled)
}

test('whole replies from the embedded places are what JsonCpp writes, however many items', {
  skip,
}, async () => {
  const places = EmbeddedPlaces.load()
  for (const query of QUERIES) {
    const { text } = await places.search(query)
    assertJsonCpp(text)
    for (const items of [0, 1, 19]) assertJsonCpp(cutResults(text, items))
  }
})

test('and so are those from imported places', { skip }, async () => {
  const places = EmbeddedPlaces.load()
  const writer = new IndexWriter(join(folder, 'places'), 'same')
  for (const query of QUERIES) {
    if (query.type !== undefined || query.rank === 'distance') continue
    for (const { kind, sourceId, ...place } of places.find(query, 500)) {
      const { latitude, longitude } = place
      const placeId = `${kind}:${sourceId}<${latitude},${longitude}>`
      writer.add({
        ...place,
        placeId,
        types: typesOfKind[kind],
        vicinity: sourceId === '' ? undefined : place.vicinity,
      })
    }
  }
  const credit = 'Data by <a href="https://example.org/?a=1&b=2">The "A"</a>'
  await writer.finish({ source: 'same', credit, importedAtMs: 1, file: 'same' })
  const local = new LocalPlaces({
    folder: join(folder, 'places'),
    nowMs: () => 1_000,
    onWarning: assert.fail,
  })
  try {
    for (const query of QUERIES) {
      const { text } = await local.search(query, NEVER)
      assertJsonCpp(text)
      for (const items of [0, 1, 19]) assertJsonCpp(cutResults(text, items))
    }
  } finally {
    await local.close()
  }
})

test("Google's texts of the stand-in are what JsonCpp writes", { skip }, () => {
  for (const centre of CENTRES) {
    const google = JSON.parse(googleText(centre.join(',')))
    assert.equal(`${toClassicJson(google)}\n`, written('stream', google))
  }
})
