import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type IndexablePlace, IndexWriter, indexPath } from '../index/index-writer.ts'
import type { PlacesQuery } from '../provider.ts'
import { LocalPlaces } from './local.ts'

const NEVER = new AbortController().signal
const HERE: PlacesQuery = {
  latitude: 47.14,
  longitude: 9.52,
  locationText: '47.14,9.52',
  radiusMetres: 5_000,
  rank: 'distance',
}

function stage(t: TestContext, { indexesMax = 64 } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'herd-local-'))
  const folder = join(root, 'places')
  const warnings: string[] = []
  let nowMs = 5
  const places = new LocalPlaces({
    folder,
    nowMs: () => nowMs,
    onWarning: (text) => warnings.push(text),
    indexesMax,
  })
  t.after(async () => {
    await places.close()
    rmSync(root, { recursive: true })
  })
  return {
    folder,
    places,
    warnings,
    names: async (query = HERE): Promise<string> => {
      nowMs += 1_000
      return (await places.find(query, 20, NEVER)).map(({ name }) => name).join()
    },
    pass: (ms: number) => {
      nowMs += ms
    },
    put: async (index: string, ...all: readonly Partial<IndexablePlace>[]): Promise<void> => {
      const writer = new IndexWriter(folder, index)
      for (const [n, one] of all.entries()) {
        const types = ['cafe', 'point_of_interest', 'establishment']
        writer.add({
          placeId: `${index}:${n}`,
          name: '',
          types,
          latitude: 47.14,
          longitude: 9.52,
          prominence: 5,
          ...one,
        })
      }
      await writer.finish({ source: index, credit: `Data by ${index}`, importedAtMs: 1, file: index })
    },
  }
}

test('no folder finds nothing, and what comes into it is noticed: new, replaced, removed', async (t) => {
  const { folder, names, put, places, pass } = stage(t)
  assert.deepEqual(await places.search(HERE, NEVER), {
    text: '{\n   "html_attributions" : [],\n   "results" : [],\n   "status" : "ZERO_RESULTS"\n}',
    status: 'ZERO_RESULTS',
    results: { open: 46, close: 48, ends: [] },
  })
  await put('a', { name: 'A' })
  assert.equal((await places.find(HERE, 20, NEVER)).length, 0)
  assert.equal(await names(), 'A')
  await put('b', { name: 'B', longitude: 9.53 })
  assert.equal(await names(), 'A,B')
  assert.equal(places.count, 2)
  await put('a', { name: 'A again' })
  pass(500)
  assert.equal((await places.find(HERE, 20, NEVER)).length, 2)
  assert.equal(await names(), 'A again,B')
  rmSync(indexPath(folder, 'a'))
  assert.equal(await names(), 'B')
})

test('all indexes together: in order, none twice, and those are thanked that are in the answer', async (t) => {
  const { put, places, names } = stage(t)
  await put(
    'a',
    { name: 'near', prominence: 1 },
    { name: 'same', placeId: 'x:1', longitude: 9.53, prominence: 3 },
  )
  await put(
    'b',
    { name: 'same', placeId: 'x:1', longitude: 9.53, prominence: 3 },
    { name: 'far', longitude: 9.55, prominence: 9 },
  )
  await put('c', { name: 'elsewhere', longitude: 10 })
  assert.equal(await names(), 'near,same,far')
  assert.equal(await names({ ...HERE, rank: 'prominence' }), 'far,same,near')
  assert.equal(await names({ ...HERE, keyword: 'SAME', type: 'cafe' }), 'same')
  assert.equal(await names({ ...HERE, type: 'museum' }), '')
  const { text, status } = await places.search(HERE, NEVER)
  const body = JSON.parse(text)
  assert.equal(status, 'OK')
  assert.deepEqual(body.html_attributions, ['Data by a', 'Data by b'])
  assert.deepEqual(body.results[1], {
    geometry: { location: { lat: 47.14, lng: 9.53 } },
    name: 'same',
    place_id: 'x:1',
    reference: 'x:1',
    scope: 'LOCAL',
    types: ['cafe', 'point_of_interest', 'establishment'],
  })
})

test('what is damaged is left out with one warning, and the others answer', async (t) => {
  const { folder, names, put, warnings } = stage(t)
  await put('good', { name: 'good' })
  await put('bad', ...Array.from({ length: 3_000 }, () => ({ name: 'x'.repeat(100), latitude: 47.141 })))
  writeFileSync(join(folder, 'text.places'), 'no index')
  mkdirSync(join(folder, 'folder.places'))
  const bytes = readFileSync(indexPath(folder, 'bad'))
  // What it is made of is whole; the rest isn't.
  bytes.fill(0xa5, 4 * 4096)
  writeFileSync(indexPath(folder, 'bad'), bytes)
  for (let n = 0; n < 3; n++) assert.equal(await names(), 'good')
  assert.equal(warnings.length, 3)
  assert.match(warnings.join('\n'), /bad\.places is left out: it can't be read \(.*\): import it again/)
  await put('bad', { name: 'better', longitude: 9.53 })
  assert.equal(await names(), 'good,better')
})

test('indexesMax: of more only the first are used, which is said once', async (t) => {
  const { names, put, warnings } = stage(t, { indexesMax: 2 })
  for (const name of ['a', 'b', 'c']) await put(name, { name })
  assert.equal(await names(), 'a,b')
  assert.equal(await names(), 'a,b')
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /more than 2 indexes/)
})

test('closing waits for searches under way', async (t) => {
  const { places, put } = stage(t)
  await put('a', ...Array.from({ length: 5_000 }, (_, n) => ({ name: `x${n}` })))
  const found = places.find({ ...HERE, keyword: 'x4999' }, 20, NEVER)
  await places.close()
  assert.equal((await found).length, 1)
  assert.equal((await places.find(HERE, 20, NEVER)).length, 0)
})
