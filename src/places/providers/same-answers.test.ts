/** An index of imported places is a provider like any, and gives the answers that the embedded places give of the same. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fc } from '../../../test/support/properties.ts'
import { NEVER, testProvider } from '../../../test/support/provider-suite.ts'
import { IndexWriter } from '../index/index-writer.ts'
import type { PlacesQuery } from '../provider.ts'
import { EmbeddedPlaces } from './embedded.ts'
import { LocalPlaces } from './local.ts'
import { typesOfKind } from './place-table.ts'

/** Los Angeles; around Milan, where places are densest; Fiji, on ±180°; the north of Svalbard. */
const CENTRES = [
  { latitude: 34.07, longitude: -118.44 },
  { latitude: 45.52, longitude: 9.38 },
  { latitude: -17, longitude: 179.99 },
  { latitude: 78.2, longitude: 15.6 },
] as const

const folder = mkdtempSync(join(tmpdir(), 'herd-same-'))
const embedded = EmbeddedPlaces.load()
const local = new LocalPlaces({ folder, nowMs: () => 1_000, onWarning: assert.fail })

before(async () => {
  const writer = new IndexWriter(folder, 'same')
  for (const centre of CENTRES) {
    const all: PlacesQuery = { ...centre, locationText: '', radiusMetres: 50_000, rank: 'distance' }
    for (const { kind, ...place } of embedded.find(all, Number.POSITIVE_INFINITY)) {
      const placeId = `${kind}:${place.name}@${place.latitude},${place.longitude}`
      writer.add({ ...place, placeId, types: typesOfKind[kind] })
    }
  }
  await writer.finish({ source: 'same', credit: 'Data of a test', importedAtMs: 1, file: 'same' })
})
after(async () => {
  await local.close()
  rmSync(folder, { recursive: true })
})

testProvider({
  name: 'local',
  open: () => local,
  somewhere: CENTRES[0],
  nowhere: { latitude: -48.9, longitude: -123.4, radiusMetres: 50_000 },
  type: 'airport',
  keyword: 'beverly',
  credit: /^Data of a test$/,
})

const query: fc.Arbitrary<PlacesQuery> = fc
  .record({
    centre: fc.constantFrom(...CENTRES),
    north: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    radiusMetres: fc.oneof(fc.integer({ min: 0, max: 38_000 }), fc.constant(38_000)),
    rank: fc.constantFrom('prominence' as const, 'distance' as const),
    type: fc.constantFrom(undefined, undefined, 'airport', 'sublocality', 'political', 'museum'),
    keyword: fc.constantFrom(undefined, undefined, 'SAN', 'Lós', 'point of interest', 'a i', 'local'),
  })
  .map(({ centre, north, ...rest }) => {
    return { ...rest, latitude: centre.latitude + north, longitude: centre.longitude, locationText: '' }
  })

test('by distance or prominence, of a type, with words', async () => {
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      // Where two are equal in both, nothing is said of their order.
      const mine = embedded.find(asked, 20).map(({ prominence, metres }) => [prominence, metres])
      const theirs = await local.find(asked, 20, NEVER)
      assert.deepEqual(
        mine,
        theirs.map(({ prominence, metres }) => [prominence, metres]),
      )
    }),
    { numRuns: 300 },
  )
})
