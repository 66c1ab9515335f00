import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../test/support/properties.ts'
import { encodePlaces, type Place, PlaceTable, PlaceTableBroken, placeKinds } from './place-table.ts'

const degrees = (max: number) =>
  fc.integer({ min: -max * 100_000, max: max * 100_000 }).map((n) => n / 100_000)
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((t) => Buffer.byteLength(t) < 256)
const anyPlace: fc.Arbitrary<Place> = fc.constantFrom(...placeKinds).chain((kind) =>
  fc.record({
    name: text,
    latitude: degrees(90),
    longitude: degrees(180),
    kind: fc.constant(kind),
    vicinity: text,
    prominence: fc.nat(255),
    sourceId:
      kind === 'airport'
        ? fc.stringMatching(/^[A-Z]{4}$/)
        : fc.oneof(
            fc.constant(''),
            fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((id) => String(id)),
          ),
  }),
)

test('what was written is read, in the order of the tree', () => {
  fc.assert(
    fc.property(fc.array(anyPlace, { maxLength: 300 }), (places) => {
      const table = new PlaceTable(encodePlaces(places))
      const read = Array.from({ length: table.count }, (_, place) => table.at(place))
      assert.deepEqual(sorted(read), sorted(places))
      assert.deepEqual(encodePlaces(places), encodePlaces(places))
    }),
    { numRuns: 50 },
  )
})

test('bytes that are no table are found', () => {
  const bytes = encodePlaces(fc.sample(anyPlace, { numRuns: 3, seed: 1 }))
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => new PlaceTable(bytes.subarray(0, end)), PlaceTableBroken, `cut at ${end}`)
  }
  assert.throws(() => new PlaceTable(bytes.map((byte, at) => (at === 0 ? byte + 1 : byte))), PlaceTableBroken)
})

test('what the format does not hold is refused', () => {
  const place: Place = {
    name: 'x'.repeat(256),
    latitude: 0,
    longitude: 0,
    kind: 'locality',
    vicinity: '',
    prominence: 0,
    sourceId: '',
  }
  assert.throws(() => encodePlaces([place]), RangeError)
})

function sorted(places: readonly Place[]): readonly string[] {
  return places
    .map(({ name, latitude, longitude, kind, vicinity, prominence, sourceId }) =>
      JSON.stringify([name, latitude, longitude, kind, vicinity, prominence, sourceId]),
    )
    .sort()
}
