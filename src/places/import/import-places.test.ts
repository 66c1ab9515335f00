import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PlacesIndex } from '../index/places-index.ts'
import { importPlaces } from './import-places.ts'

function stage(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'herd-import-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'places')
  const file = join(root, 'dump.txt')
  return {
    root,
    folder,
    file,
    index: join(folder, 'x.places'),
    write: (count: number, tail = ''): void => {
      writeFileSync(file, Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('') + tail)
    },
    run: (signal = new AbortController().signal, more = {}) =>
      importPlaces({ path: file, folder, name: 'x', signal, wallMs: () => 7, ...more }),
  }
}

function line(n: number): string {
  return `${n}\tPlace ${n}\t\t\t47.1\t${n / 1e6}\tP\tPPL\tLI\t\t\t\t\t\t0\t\t\t\t2023-01-01`
}

test('a file becomes an index, which replaces the one of that name', async (t) => {
  const { write, run, index, folder } = stage(t)
  write(2_500)
  const shares: number[] = []
  const result = await run(undefined, { onProgress: ({ share }: { share: number }) => shares.push(share) })
  assert.deepEqual([result.format, result.places], ['geonames', 2_500])
  assert.ok(shares.length >= 2 && shares.at(-1) === 1)
  write(3)
  await run()
  const opened = new PlacesIndex(index)
  const { credit, ...about } = opened.about
  opened.close()
  assert.deepEqual(about, { source: 'geonames', places: 3, importedAtMs: 7, file: 'dump.txt' })
  assert.match(credit, /GeoNames.*CC BY 4\.0/)
  assert.deepEqual(readdirSync(folder), ['x.places'])
})

test('a damaged file, one without places and an end before the end leave the old index, and nothing else', async (t) => {
  const { write, run, index, folder } = stage(t)
  write(5)
  await run()
  const before = readFileSync(index)
  write(2_000, 'damage')
  await assert.rejects(run(), /damaged at byte/)
  writeFileSync(join(folder, '..', 'dump.txt'), line(1).replace('\tP\tPPL', '\tR\tRD'))
  await assert.rejects(run(), /has no named places/)
  write(5_000)
  const abort = new AbortController()
  await assert.rejects(run(abort.signal, { onProgress: () => abort.abort(new Error('enough')) }), /enough/)
  assert.deepEqual(readdirSync(folder), ['x.places'])
  assert.deepEqual(readFileSync(index), before)
})

test('kill -9 leaves the old index; the next import removes what is left; two at a time do not', async (t) => {
  const { write, run, index, folder, root, file } = stage(t)
  write(5)
  await run()
  const before = readFileSync(index)
  write(100_000)
  const script = join(root, 'import.ts')
  const source = new URL('./import-places.ts', import.meta.url).href
  writeFileSync(
    script,
    `import { importPlaces } from ${JSON.stringify(source)}
     let told = false
     await importPlaces({ path: ${JSON.stringify(file)}, folder: ${JSON.stringify(folder)}, name: 'x',
       signal: new AbortController().signal, wallMs: () => 8,
       onProgress: ({ places }) => {
         if (places < 5_000 || told) return
         told = true
         process.stdout.write('under way')
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
       } })`,
  )
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await assert.rejects(run(), /another import is writing/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(existsSync(`${index}.partial`))
  assert.deepEqual(readFileSync(index), before)
  write(6)
  assert.equal((await run()).places, 6)
  assert.deepEqual(readdirSync(folder), ['x.places'])
})
