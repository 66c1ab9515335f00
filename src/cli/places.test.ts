import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { LIECHTENSTEIN, liechtenstein } from '../../test/support/liechtenstein.ts'
import { osmPbf } from '../../test/support/osm-pbf-file.ts'
import { runCommand } from './main.ts'
import { nameOf } from './places-import.ts'

function stage(t: TestContext) {
  const cwd = mkdtempSync(join(tmpdir(), 'herd-places-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  const env = { HERD_STATE_FOLDER: join(cwd, 'state') }
  const folder = join(cwd, 'state', 'places')
  const run = async (args: readonly string[], errorsAreSeen = false) => {
    const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()]
    if (errorsAreSeen) Object.assign(errors, { isTTY: true })
    const said = Promise.all([text(output), text(errors)])
    input.end()
    const code = await runCommand(['places', ...args], { cwd, env, input, output, errors })
    output.end()
    errors.end()
    const [out, err] = await said
    return { code, out, err }
  }
  return { cwd, env, folder, run }
}

function dump(count: number): string {
  const line = (n: number) =>
    `${n}\tPlace ${n}\t\t\t47.1\t${n / 1e6}\tP\tPPL\tLI\t\t\t\t\t\t0\t\t\t\t2023-01-01\n`
  return Array.from({ length: count }, (_, n) => line(n)).join('')
}

test('import, list, near, remove', async (t) => {
  const { cwd, folder, run } = stage(t)
  assert.deepEqual(await run(['list']), {
    code: 0,
    out: `nothing is imported in ${folder}: herd places import <file>\n`,
    err: '',
  })
  writeFileSync(join(cwd, 'LI.txt'), dump(30))
  const imported = await run(['import', 'LI.txt'])
  assert.deepEqual([imported.code, imported.err], [0, ''])
  assert.match(imported.out, /^LI: 30 places of geonames from LI\.txt \(0\.0 MB\) in \d+\.\d s\n$/)
  const seen = await run(['import', 'LI.txt', '--name', 'again', '--format', 'geonames'], true)
  assert.match(seen.err, /\r.*again: +\d+ % read, \d+ places.*\r/)
  assert.match(
    (await run(['list'])).out,
    /^LI +30 places +0\.\d MB +\d{4}-\d\d-\d\d +geonames: LI\.txt\nagain/,
  )
  const near = await run(['near', '+47.1+0.000003', '--items', '2', '--radius', '0.5'])
  assert.match(near.out, /^0\.00 km +Place 3 +locality +LI +geonames:3\n0\.00 km +Place \d.*\n$/)
  const json = JSON.parse(
    (await run(['near', '+47.1+0.000003', '--items', '1', '--json', '--keyword', 'place 7'])).out,
  )
  assert.deepEqual(json.places, [
    {
      place_id: 'geonames:7',
      name: 'Place 7',
      types: ['locality', 'political'],
      lat: 47.1,
      lng: 0.000007,
      metres: 0.304,
      prominence: 100,
      vicinity: 'LI',
    },
  ])
  assert.match((await run(['near', '--', '-47.1+0'])).out, /^none of the 60 imported places is there\n$/)
  const wrong = await run(['remove', 'agian'])
  assert.deepEqual(
    [wrong.code, wrong.err],
    [2, `herd: no index "agian" in ${folder}; there are LI, again. Did you mean again?\n`],
  )
  const elsewhere = ['--state-folder', join(cwd, 'elsewhere')]
  assert.equal((await run(['import', 'LI.txt', ...elsewhere])).code, 0)
  assert.deepEqual(readdirSync(join(cwd, 'elsewhere', 'places')), ['LI.places'])
  assert.equal((await run(['remove', 'LI', ...elsewhere])).code, 0)
  assert.match((await run(['list', ...elsewhere])).out, /^nothing is imported in .*elsewhere/)
  assert.equal((await run(['remove', 'again'])).code, 0)
  assert.deepEqual(readdirSync(folder), ['LI.places'])
})

test('what goes wrong is told, and the index is as it was', async (t) => {
  const { cwd, folder, run } = stage(t)
  writeFileSync(join(cwd, 'good.txt'), dump(3))
  writeFileSync(join(cwd, 'bad.txt'), `${dump(3)}rubbish\n`)
  await run(['import', 'good.txt', '--name', 'x'])
  const before = readFileSync(join(folder, 'x.places'))
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['import', 'bad.txt', '--name', 'x'], 1, /^herd: .*bad\.txt is damaged at byte \d+: .*19 columns/],
    [
      ['import', 'good.txt', '--name', 'x', '--format', 'osm'],
      1,
      /not in a format of osm: that is an \.osm\.pbf file/,
    ],
    [['import', 'good.txt', '--format', 'osn'], 2, /Allowed choices are osm, geonames/],
    [['import', 'none.txt'], 2, /^herd: there is no file .*none\.txt\n/],
    [['import', 'good.txt', '--name', '../x'], 2, /"\.\.\/x" is no name for an index: letters/],
    [['import', '.', '--name', 'x'], 1, /can't be imported: EISDIR/],
    [['near', '47,9'], 2, /"47,9" is no position: .*such as \+47\.141\+9\.521/],
    [['near', '+91+0'], 2, /is no position/],
    [['near', '+1+1', '--radius', '51'], 2, /kilometres from 0 to 50/],
    [['near', '+1+1', '--items', '0'], 2, /whole number from 1 to 1000/],
    [['near', '+1+1', '--rank', 'fame'], 2, /Allowed choices are distance, prominence/],
    [['improt'], 2, /unknown command 'improt'\n\(Did you mean import\?\)/],
  ]
  for (const [args, expected, message] of cases) {
    const { code, out, err } = await run(args)
    assert.equal(code, expected, `${args.join(' ')}: ${err}`)
    assert.match(err, message)
    assert.equal(out, '')
  }
  assert.deepEqual(readFileSync(join(folder, 'x.places')), before)
  assert.deepEqual(readdirSync(folder), ['x.places'])
})

test('a broken index is listed as such, and the others answer', async (t) => {
  const { cwd, folder, run } = stage(t)
  writeFileSync(join(cwd, 'good.txt'), dump(3))
  await run(['import', 'good.txt'])
  writeFileSync(join(folder, 'bad.places'), 'rubbish')
  const listed = await run(['list'])
  assert.equal(listed.code, 1)
  assert.match(listed.out, /^bad +broken +0\.0 MB +it can't be read .*\ngood +3 places/)
  const { code, out, err } = await run(['near', '+47.1+0'])
  assert.equal(code, 1)
  assert.match(err, /^herd: warning: .*bad\.places is left out: /)
  assert.equal(out.split('\n').length, 4)
})

test('Ctrl-C ends an import and leaves nothing', async (t) => {
  const { cwd, env, folder } = stage(t)
  writeFileSync(join(cwd, 'large.txt'), dump(400_000))
  const door = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
  const child = spawn(process.execPath, [door, 'places', 'import', 'large.txt'], {
    cwd,
    env: { ...process.env, ...env },
  })
  const said = text(child.stderr)
  const partial = join(folder, 'large.places.partial')
  while (!existsSync(partial)) await new Promise((resolve) => setImmediate(resolve))
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  assert.deepEqual([code, await said], [130, 'herd: ended; what was imported before is as it was\n'])
  assert.deepEqual(readdirSync(folder), [])
})

test('Liechtenstein by its own name', {
  skip: existsSync(liechtenstein) ? false : LIECHTENSTEIN,
}, async (t) => {
  const { cwd, run } = stage(t)
  copyFileSync(liechtenstein, join(cwd, 'liechtenstein.osm.pbf'))
  // 370 nodes and ways, and two areas that are made of several ways.
  assert.match((await run(['import', 'liechtenstein.osm.pbf'])).out, /^liechtenstein: 372 places of osm/)
  const near = async (...more: readonly string[]) =>
    JSON.parse((await run(['near', '+47.141+9.521', '--items', '1000', '--json', ...more])).out).places
  const ofNodesAndWays = (places: { place_id: string }[]) =>
    places.filter(({ place_id }) => !place_id.startsWith('osm:r')).length
  assert.equal(ofNodesAndWays(await near('--radius', '1')), 43)
  assert.equal(ofNodesAndWays(await near('--radius', '10')), 334)
  assert.equal((await near('--rank', 'prominence'))[0].name, 'Vaduz')
})

test('an index is called like its file', () => {
  const names = [
    'a/li.osm.pbf',
    'allCountries.zip',
    'x.geojsonseq.gz',
    'places.parquet',
    'LI.txt',
    'my.places.json',
    'x',
  ]
  assert.deepEqual(names.map(nameOf), ['li', 'allCountries', 'x', 'places', 'LI', 'my.places', 'x'])
})

test('each command says what it takes, with an example and its exit codes', async (t) => {
  const { run } = stage(t)
  for (const [command, ...options] of [
    ['import', '--name', '--format', '--state-folder'],
    ['near', '--radius', '--items', '--rank', '--type', '--keyword', '--json', '--state-folder'],
    ['list', '--json', '--state-folder'],
    ['remove', '<name>', '--state-folder'],
  ] as const) {
    const { code, out, err } = await run([command, '--help'])
    assert.deepEqual([code, err], [0, ''])
    for (const text of [...options, '--herd', 'Example', `herd places ${command} `, 'Exit code: 0 ']) {
      assert.ok(out.includes(text), `${text} in ${out}`)
    }
    assert.ok(out.split('\n').every((line) => line.length <= 110))
  }
})

test('damage is told by its byte, whatever the format', async (t) => {
  const { cwd, folder, run } = stage(t)
  const feature = JSON.stringify({
    type: 'Feature',
    id: 'x',
    geometry: { type: 'Point', coordinates: [9.5, 47.1] },
    properties: { names: { primary: 'Café' }, categories: { primary: 'cafe' } },
  })
  const pbf = osmPbf([[{ type: 'node', id: 1, lat: 47, lon: 9, tags: { amenity: 'cafe', name: 'Café' } }]])
  const parquet = Buffer.from(
    parquetWriteBuffer({ columnData: [{ name: 'names', data: [{ primary: 'Café' }], type: 'JSON' }] }),
  )
  const damaged: readonly (readonly [string, Buffer | string, string])[] = [
    ['li.osm.pbf', pbf.subarray(0, -5), `damaged at byte ${pbf.length - 5}: `],
    ['LI.txt', `${dump(2)}rubbish\n`, `damaged at byte ${dump(2).length}: `],
    ['LI.txt.gz', gzipSync(dump(2_000)).subarray(0, -20), 'damaged about byte '],
    ['li.geojsonseq', `${feature}\n{`, `damaged at byte ${Buffer.byteLength(feature) + 1}: `],
    ['li.parquet', parquet.subarray(0, -2), `damaged at byte ${parquet.length - 10} or before`],
    ['li.zip', Buffer.from('PK\u0003\u0004 and no more'), 'damaged about byte 16: '],
  ]
  for (const [file, bytes, message] of damaged) {
    writeFileSync(join(cwd, file), bytes)
    const { code, err } = await run(['import', file, '--name', 'x'])
    assert.equal(code, 1)
    assert.ok(err.startsWith(`herd: ${join(cwd, file)} is ${message}`), err)
    assert.ok(!existsSync(folder) || readdirSync(folder).length === 0)
  }
})
