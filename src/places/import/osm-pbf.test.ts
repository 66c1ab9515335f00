import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LIECHTENSTEIN, liechtenstein } from '../../../test/support/liechtenstein.ts'
import { osmPbf } from '../../../test/support/osm-pbf-file.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { ellipsoidMetres } from '../../locations/distance.ts'
import { type ImportedPlace, ImportFailed } from './imported-place.ts'
import type { OsmNode, OsmObject, OsmRelation, OsmWay } from './osm-blocks.ts'
import { type OsmLimits, readOsmPbf } from './osm-pbf.ts'

const folder = mkdtempSync(join(tmpdir(), 'herd-osm-'))
after(() => rmSync(folder, { recursive: true }))
const NEVER = new AbortController().signal
const skip = existsSync(liechtenstein) ? false : LIECHTENSTEIN

async function read(bytes: Buffer | string, limits?: OsmLimits): Promise<ImportedPlace[]> {
  const path = typeof bytes === 'string' ? bytes : join(folder, 'test.osm.pbf')
  if (typeof bytes !== 'string') writeFileSync(path, bytes)
  const places: ImportedPlace[] = []
  for await (const place of readOsmPbf({ path, signal: NEVER, onProgress: () => undefined }, limits))
    places.push(place)
  return places
}

const node = (id: number, lat: number, lon: number, tags?: OsmNode['tags']): OsmNode => ({
  type: 'node',
  id,
  lat,
  lon,
  ...(tags && { tags }),
})
const way = (id: number, refs: readonly number[], tags?: OsmWay['tags']): OsmWay => ({
  type: 'way',
  id,
  refs,
  ...(tags && { tags }),
})
const relation = (id: number, ways: readonly number[], tags: OsmRelation['tags']): OsmRelation => ({
  type: 'relation',
  id,
  members: ways.map((ref) => ({ type: 'way' as const, ref })),
  ...(tags && { tags }),
})

const CORNERS = [node(1, 10, 20), node(2, 10.002, 20), node(3, 10.002, 20.004), node(4, 10, 20.004)]
const MUSEUM = { tourism: 'museum', name: 'Museum' }

test('nodes, ways and areas that have a name and are something; ways where the centre of their bounds is', async () => {
  const places = await read(
    osmPbf([
      [
        ...CORNERS,
        node(5, -47.1234567, 179.9999999, {
          amenity: 'cafe',
          name: 'Café',
          'addr:street': 'Gasse',
          'addr:housenumber': '3',
          'addr:city': 'Wien',
        }),
      ],
      [node(6, 1, 1, { amenity: 'cafe' }), node(7, 1, 1, { highway: 'crossing', name: 'no place' })],
      [
        way(1, [1, 2, 3, 4, 1], MUSEUM),
        way(2, [3, 4]),
        way(3, [99], MUSEUM),
        way(4, [99, 4], { ...MUSEUM, wikidata: 'Q1' }),
      ],
      [
        relation(1, [1, 2, 77], { type: 'multipolygon', ...MUSEUM }),
        relation(2, [1], { type: 'route', ...MUSEUM }),
        relation(3, [77], { type: 'site', ...MUSEUM }),
      ],
    ]),
  )
  assert.deepEqual(
    places.map(({ placeId, latitude, longitude }) => [placeId, latitude, longitude]),
    [
      ['osm:n5', -47.1234567, 179.9999999],
      ['osm:w1', 10.001, 20.002],
      ['osm:w4', 10, 20.004],
      ['osm:r1', 10.001, 20.002],
    ],
  )
  const [cafe, museum, known] = places
  assert.deepEqual(cafe, {
    placeId: 'osm:n5',
    name: 'Café',
    types: ['cafe', 'food', 'point_of_interest', 'establishment'],
    latitude: -47.1234567,
    longitude: 179.9999999,
    prominence: 48,
    vicinity: 'Gasse 3, Wien',
  })
  assert.equal(known?.prominence, (museum?.prominence ?? 0) + 30)
})

test('nodeIdsMax: a file that needs more nodes is read in rounds, with the same places', async () => {
  const objects = fc.record({
    nodes: fc.array(
      fc.tuple(
        fc.double({ min: -80, max: 80, noNaN: true }),
        fc.double({ min: -170, max: 170, noNaN: true }),
      ),
      { minLength: 5, maxLength: 40 },
    ),
    ways: fc.array(fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }), { maxLength: 30 }),
    areas: fc.array(fc.array(fc.nat(40), { maxLength: 5 }), { maxLength: 5 }),
  })
  let several = 0
  await fc.assert(
    fc.asyncProperty(objects, async ({ nodes, ways, areas }) => {
      const named = (n: number) => (n % 3 === 0 ? undefined : MUSEUM)
      const blocks: readonly (readonly OsmObject[])[] = [
        nodes.map(([lat, lon], id) => node(id, lat, lon)),
        ...ways.map((refs, id) => [way(id, refs, named(id))]),
        areas.map((members, id) => relation(id, members, { type: 'multipolygon', ...MUSEUM })),
      ]
      const bytes = osmPbf(blocks, { raw: true })
      const rounds: { nodes: number; blocks: number }[] = []
      const inRounds = await read(bytes, { nodeIdsMax: 10, onRound: (round) => rounds.push(round) })
      assert.deepEqual(inRounds, await read(bytes))
      // The bound, and one block of at most 8.
      for (const round of rounds) assert.ok(round.nodes < 10 + 8)
      if (rounds.length > 2) several++
    }),
    runs(50),
  )
  assert.ok(several > 5)
})

test('memberWaysMax: areas beyond it are left out', async () => {
  const areas = [1, 2, 3].map((id) => relation(id, [1], { type: 'multipolygon', ...MUSEUM }))
  const bytes = osmPbf([CORNERS, [way(1, [1, 3])], areas])
  const ids = async (limits?: OsmLimits) => (await read(bytes, limits)).map(({ placeId }) => placeId)
  assert.deepEqual(await ids(), ['osm:r1', 'osm:r2', 'osm:r3'])
  // Areas of the same ways still have a position.
  assert.deepEqual(await ids({ memberWaysMax: 0 }), [])
})

test('damage is told by its byte', async () => {
  const whole = osmPbf([CORNERS, [way(1, [1, 3], MUSEUM)]])
  const second = whole.indexOf('OSMData') - 6
  const cut = whole.subarray(0, whole.length - 5)
  const flipped = Buffer.from(whole)
  flipped.fill(0xff, whole.length - 20, whole.length - 10)
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(0), /damaged at byte 0: it is empty/],
    [cut, new RegExp(`damaged at byte ${cut.length}: it ends within a block`)],
    [whole.subarray(0, second + 2), new RegExp(`byte ${second + 2}: it ends within a block`)],
    [
      Buffer.concat([whole, Buffer.from('rubbish that goes on')]),
      new RegExp(`byte ${whole.length}: no block begins here`),
    ],
    [flipped, /byte \d+: this block can't be unpacked/],
    [osmPbf([CORNERS], { features: ['HistoricalInformation'] }), /has all versions of everything/],
  ]
  for (const [bytes, message] of cases) {
    await assert.rejects(
      read(bytes),
      (error) => error instanceof ImportFailed && message.test(error.message),
      String(message),
    )
  }
})

test('any damage is an ImportFailed or goes unseen, and never anything else', async () => {
  const whole = osmPbf([CORNERS, [way(1, [1, 3], MUSEUM)]], { raw: true })
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
      const bytes = Buffer.from(whole)
      bytes[at] = byte
      try {
        await read(bytes)
      } catch (error) {
        assert.ok(error instanceof ImportFailed, String(error))
      }
    }),
    runs(300),
  )
})

test('Liechtenstein, 2013', { skip }, async () => {
  const places = await read(liechtenstein)
  const own = places.filter(({ placeId }) => !placeId.startsWith('osm:r'))
  const within = (metres: number) =>
    own.filter(({ latitude, longitude }) => ellipsoidMetres(47.141, 9.521, latitude, longitude) <= metres)
      .length
  assert.deepEqual([own.length, within(1_000), within(10_000)], [370, 43, 334])
  assert.deepEqual(new Set(places.map(({ placeId }) => placeId)).size, places.length)
  const vaduz = places.find(({ name, types }) => name === 'Vaduz' && types.includes('locality'))
  assert.deepEqual(vaduz?.types, ['locality', 'political'])
  const rounds: number[] = []
  assert.deepEqual(
    await read(liechtenstein, { nodeIdsMax: 100, onRound: ({ nodes }) => rounds.push(nodes) }),
    places,
  )
  const half = readFileSync(liechtenstein)
  half.fill(0, 300_000, 300_100)
  await assert.rejects(read(half), /damaged at byte \d{6}: /)
})
