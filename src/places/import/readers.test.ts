import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { crc32, gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { osmPbf } from '../../../test/support/osm-pbf-file.ts'
import { fc } from '../../../test/support/properties.ts'
import { type ImportedPlace, ImportFailed } from './imported-place.ts'
import { readLines } from './source-file.ts'
import { type ImportFormat, openSource } from './sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'herd-readers-'))
after(() => rmSync(folder, { recursive: true }))
const NEVER = new AbortController().signal

function fileOf(bytes: Buffer | string): string {
  const path = join(folder, 'file')
  writeFileSync(path, bytes)
  return path
}

async function read(bytes: Buffer | string, format?: ImportFormat) {
  const options = { path: fileOf(bytes), signal: NEVER, onProgress: () => undefined }
  const source = await openSource(options, format)
  const places: ImportedPlace[] = []
  for await (const place of source.places) places.push(place)
  return { format: source.format, places }
}

async function failsWith(bytes: Buffer | string, message: RegExp, format?: ImportFormat): Promise<void> {
  await assert.rejects(read(bytes, format), (error) => {
    assert.ok(error instanceof ImportFailed, String(error))
    assert.match(error.message, message)
    return true
  })
}

const VADUZ =
  '3042030\tVaduz\tVaduz\tFaduts\t47.14151\t9.52154\tP\tPPLC\tLI\t\t11\t\t\t\t5197\t\t465\tEurope/Vaduz\t2023-01-01'
const MUSEUM = '9\tKunstmuseum\t\t\t47.139\t9.522\tS\tMUS\tLI\t\t\t\t\t\t0\t\t\t\t2023-01-01'
const ROAD = '7\tRoad\t\t\t47\t9\tR\tRD\tLI\t\t\t\t\t\t0\t\t\t\t2023-01-01'
const DUMP = `${[VADUZ, ROAD, MUSEUM].join('\n')}\n`
const GEONAMES_PLACES = [
  {
    placeId: 'geonames:3042030',
    name: 'Vaduz',
    types: ['locality', 'political'],
    latitude: 47.14151,
    longitude: 9.52154,
    prominence: 145,
    vicinity: 'LI',
  },
  {
    placeId: 'geonames:9',
    name: 'Kunstmuseum',
    types: ['museum', 'point_of_interest', 'establishment'],
    latitude: 47.139,
    longitude: 9.522,
    prominence: 95,
    vicinity: 'LI',
  },
]

/** One file in a zip, not compressed. */
function zipOf(name: string, content: Buffer): Buffer {
  const field = (...numbers: readonly (readonly [number, 2 | 4])[]) =>
    Buffer.concat(
      numbers.map(([value, size]) => {
        const bytes = Buffer.alloc(size)
        bytes.writeUIntLE(value, 0, size)
        return bytes
      }),
    )
  const about = field(
    [20, 2],
    [0, 2],
    [0, 2],
    [0, 4],
    [crc32(content), 4],
    [content.length, 4],
    [content.length, 4],
    [name.length, 2],
    [0, 2],
  )
  const local = Buffer.concat([field([0x04034b50, 4]), about, Buffer.from(name), content])
  const central = Buffer.concat([
    field([0x02014b50, 4], [20, 2]),
    about,
    field([0, 2], [0, 2], [0, 2], [0, 4], [0, 4]),
    Buffer.from(name),
  ])
  const end = field([0x06054b50, 4], [0, 4], [1, 2], [1, 2], [central.length, 4], [local.length, 4], [0, 2])
  return Buffer.concat([local, central, end])
}

test('GeoNames: as text, with \\r\\n, without a last newline, in gzip and in zip', async () => {
  const expected = { format: 'geonames', places: GEONAMES_PLACES }
  for (const bytes of [
    DUMP,
    DUMP.replaceAll('\n', '\r\n'),
    DUMP.trimEnd(),
    gzipSync(DUMP),
    zipOf('LI.txt', Buffer.from(DUMP)),
  ]) {
    assert.deepEqual(await read(bytes), expected)
  }
  await failsWith(zipOf('readme.txt', Buffer.from('x')), /has no text file in it, but readme\.txt/)
  await failsWith(`${DUMP}not\ta line\n`, new RegExp(`damaged at byte ${DUMP.length}: .*19 columns`))
  await failsWith(DUMP.replace('47.139', '97.139'), new RegExp(`byte ${VADUZ.length + ROAD.length + 2}: `))
  await failsWith(gzipSync(DUMP).subarray(0, -12), /damaged about byte \d+: unexpected end/)
  const zip = zipOf('LI.txt', Buffer.from(DUMP))
  await failsWith(zip.subarray(0, -30), new RegExp(`damaged about byte ${zip.length - 30}: `))
  const noName = Buffer.from(zip).fill(0xff, 26, 28)
  await failsWith(noName, /damaged at byte 0: /)
})

const OVERTURE = {
  id: '08f1f8',
  geometry: { type: 'Point', coordinates: [9.52, 47.14] },
  names: { primary: 'Café Central', common: null },
  categories: { primary: 'coffee_shop', alternate: ['thai_restaurant'] },
  addresses: [{ freeform: 'Städtle 1', locality: 'Vaduz' }],
  confidence: 0.9,
}
const FOURSQUARE = {
  fsq_place_id: '4b0588',
  name: 'Pizza <b>',
  latitude: 47.14,
  longitude: 9.52,
  address: '',
  locality: 'Vaduz',
  fsq_category_labels: ['Dining and Drinking > Restaurant > Pizzeria'],
}
const RECORD_PLACES = {
  overture: {
    placeId: 'overture:08f1f8',
    name: 'Café Central',
    types: ['cafe', 'food', 'thai_restaurant', 'restaurant', 'point_of_interest', 'establishment'],
    latitude: 47.14,
    longitude: 9.52,
    prominence: 48,
    vicinity: 'Städtle 1, Vaduz',
  },
  foursquare: {
    placeId: 'fsq:4b0588',
    name: 'Pizza <b>',
    types: ['pizzeria', 'restaurant', 'dining_and_drinking', 'point_of_interest', 'establishment'],
    latitude: 47.14,
    longitude: 9.52,
    prominence: 40,
    vicinity: 'Vaduz',
  },
}

function feature({ id, geometry, ...properties }: Record<string, unknown>): string {
  return JSON.stringify({ type: 'Feature', ...(id === undefined ? {} : { id }), geometry, properties })
}

test('Overture and Foursquare as GeoJSON, a feature a line, also with record separators and in gzip', async () => {
  const point = { type: 'Point', coordinates: [9.52, 47.14] }
  const overture = [
    OVERTURE,
    { ...OVERTURE, names: null },
    { ...OVERTURE, operating_status: 'permanently_closed' },
    { ...OVERTURE, geometry: null },
  ]
  const lines = overture.map((one) => `\u001e${feature(one)}\n`).join('')
  for (const bytes of [lines, lines.replaceAll('\u001e', ''), gzipSync(lines)]) {
    assert.deepEqual(await read(bytes), { format: 'overture', places: [RECORD_PLACES.overture] })
  }
  const foursquare = [FOURSQUARE, { ...FOURSQUARE, date_closed: '2020-01-01' }].map((one) =>
    feature({ ...one, geometry: point }),
  )
  assert.deepEqual(await read(foursquare.join('\n')), {
    format: 'foursquare',
    places: [RECORD_PLACES.foursquare],
  })
  await failsWith(
    `${lines}{"type":"Feat`,
    new RegExp(`byte ${Buffer.byteLength(lines)}: this line is not a GeoJSON feature`),
  )
})

function wkbPoint(longitude: number, latitude: number): Uint8Array {
  const bytes = Buffer.alloc(21)
  bytes[0] = 1
  bytes.writeUInt32LE(1, 1)
  bytes.writeDoubleLE(longitude, 5)
  bytes.writeDoubleLE(latitude, 13)
  return new Uint8Array(bytes)
}

test('Overture and Foursquare as Parquet', async () => {
  const overture = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: [OVERTURE.id, 'x'], type: 'STRING' },
      { name: 'geometry', data: [wkbPoint(9.52, 47.14), wkbPoint(9.52, 99)], type: 'BYTE_ARRAY' },
      { name: 'names', data: [OVERTURE.names, OVERTURE.names], type: 'JSON' },
      { name: 'categories', data: [OVERTURE.categories, null], type: 'JSON' },
      { name: 'addresses', data: [OVERTURE.addresses, null], type: 'JSON' },
    ],
  })
  assert.deepEqual(await read(Buffer.from(overture)), {
    format: 'overture',
    places: [RECORD_PLACES.overture],
  })
  const rows = 60_000
  const column = (value: unknown) => Array<unknown>(rows).fill(value)
  const foursquare = Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'fsq_place_id', data: column(FOURSQUARE.fsq_place_id), type: 'STRING' },
        { name: 'name', data: column(FOURSQUARE.name), type: 'STRING' },
        { name: 'latitude', data: column(47.14), type: 'DOUBLE' },
        { name: 'longitude', data: column(9.52), type: 'DOUBLE' },
        { name: 'locality', data: column('Vaduz'), type: 'STRING' },
        { name: 'fsq_category_labels', data: column(FOURSQUARE.fsq_category_labels), type: 'JSON' },
      ],
    }),
  )
  const { format, places } = await read(foursquare)
  assert.deepEqual([format, places.length], ['foursquare', rows])
  assert.deepEqual(places.at(-1), RECORD_PLACES.foursquare)
  await failsWith(
    foursquare.subarray(0, -7),
    new RegExp(`at byte ${foursquare.length - 15} or before, in what it ends with: `),
  )
  const flipped = Buffer.from(foursquare)
  flipped.fill(0xff, 4, 200)
  await failsWith(flipped, /damaged between byte 4 and byte \d+, in rows 0 to 999: /)
})

test('what it is not, and what would be right', async () => {
  await failsWith('', /is empty/)
  await failsWith('hello', /nothing that can be imported: that is \.osm\.pbf, a GeoNames dump/)
  await failsWith('<?xml version="1.0"?><osm>', /is XML: make an \.osm\.pbf file of it/)
  await failsWith('{"type":"FeatureCollection","features":[', /one GeoJSON collection: .*GeoJSONSeq/)
  await failsWith(feature({ geometry: null, title: 'x' }), /nothing that can be imported/)
  await failsWith(osmPbf([]), /not in a format of geonames: that is a text of 19 columns/, 'geonames')
  await failsWith(
    gzipSync('x'.repeat(100)).subarray(0, 11).fill(0xff, 10),
    /damaged at byte 0|nothing that can be/,
  )
  const anonymous = { ...FOURSQUARE, fsq_place_id: undefined, id: '5', names: { primary: 'x' } }
  assert.equal(
    (await read(feature({ ...anonymous, geometry: OVERTURE.geometry }), 'overture')).places.length,
    1,
  )
})

test('lines: however the bytes are chopped, and none longer than the bound', async () => {
  const path = join(folder, 'lines')
  const options = { path, signal: NEVER, onProgress: () => undefined }
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
        { maxLength: 300 },
      ),
      async (texts) => {
        writeFileSync(path, texts.map((text) => `${text}\n`).join(''))
        const bytes = Buffer.from(texts.join('\n'))
        const lines: string[] = []
        for await (const { text, offset } of readLines('none', options)) {
          assert.equal(bytes.subarray(offset, offset + Buffer.byteLength(text)).toString(), text)
          lines.push(text)
        }
        assert.deepEqual(lines, texts)
      },
    ),
    { numRuns: 50 },
  )
  writeFileSync(path, `short\n${'x'.repeat(70_000)}`)
  const all = async () => {
    for await (const line of readLines('none', options, 1_000)) assert.ok(line.text.length <= 1_000)
  }
  await assert.rejects(all, /the line at byte 6 is longer than 1000 bytes/)
})

test('a zip as another program makes it', {
  skip: spawnSync('python3', ['--version']).status === 0 ? false : 'needs python3',
}, async () => {
  const text = join(folder, 'LI.txt')
  const path = join(folder, 'LI.zip')
  writeFileSync(text, DUMP)
  assert.equal(spawnSync('python3', ['-m', 'zipfile', '-c', path, text]).status, 0)
  const source = await openSource({ path, signal: NEVER, onProgress: () => undefined })
  const places: ImportedPlace[] = []
  for await (const place of source.places) places.push(place)
  assert.deepEqual(places, GEONAMES_PLACES)
})
