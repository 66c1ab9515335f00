import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { addMapRoutes } from './map-routes.ts'

const PAGE = '<!doctype html><title>map</title>'
const SCRIPT = 'document.title = "語"'

/** A server of the map, whose files are in `folder`. */
async function open(t: TestContext, pmtiles?: string): Promise<{ app: FastifyInstance; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-map-'))
  const app = Fastify()
  t.after(async () => {
    await app.close()
    await rm(folder, { recursive: true, force: true })
  })
  app.get('/', await addMapRoutes(app, { folder, pmtiles: pmtiles && join(folder, pmtiles) }))
  return { app, folder }
}

/** Makes what a build of the page leaves. */
async function build(folder: string): Promise<void> {
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), PAGE)
  await writeFile(join(folder, 'assets/main-1a2b.js'), SCRIPT)
  await writeFile(join(folder, 'assets/main-1a2b.js.br'), brotliCompressSync(SCRIPT))
  await writeFile(join(folder, 'secret.txt'), 'secret')
}

test('a map that is not built says how it is made, and is there as soon as it is', async (t) => {
  const { app, folder } = await open(t)
  const missing = await app.inject('/')
  assert.equal(missing.statusCode, 503)
  assert.match(missing.headers['content-type'] ?? '', /^text\/plain/)
  assert.match(missing.body, /npm run build:web/)
  assert.equal((await app.inject('/assets/main-1a2b.js')).statusCode, 404)
  await build(folder)
  const page = await app.inject('/')
  assert.deepEqual([page.statusCode, page.body], [200, PAGE])
  assert.equal((await app.inject('/assets/main-1a2b.js')).body, SCRIPT)
})

test('the page may ask nobody but its own server, and is asked for anew each time', async (t) => {
  const { app, folder } = await open(t)
  await build(folder)
  const { headers } = await app.inject('/')
  assert.match(String(headers['content-security-policy']), /^default-src 'none'; .*connect-src 'self'; /)
  assert.deepEqual(
    [headers['x-content-type-options'], headers['referrer-policy']],
    ['nosniff', 'no-referrer'],
  )
  assert.doesNotMatch(headers['cache-control'] ?? '', /max-age=[1-9]|immutable/)
  const tag = headers.etag ?? ''
  const again = await app.inject({ url: '/', headers: { 'if-none-match': tag } })
  assert.deepEqual([again.statusCode, again.body], [304, ''])
  const changed = await app.inject({ url: '/', headers: { 'if-none-match': '"other"' } })
  assert.equal(changed.statusCode, 200)
  const head = await app.inject({ url: '/', method: 'HEAD' })
  assert.deepEqual(
    [head.statusCode, head.headers['content-length'], head.body],
    [200, String(PAGE.length), ''],
  )
})

test('what has its content in its name is kept for a year, and sent small to who can read that', async (t) => {
  const { app, folder } = await open(t)
  await build(folder)
  const url = '/assets/main-1a2b.js'
  const plain = await app.inject(url)
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(plain.headers.vary), /accept-encoding/i)
  assert.equal(plain.headers['x-content-type-options'], 'nosniff')
  const small = await app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } })
  assert.equal(small.headers['content-encoding'], 'br')
  assert.equal(brotliDecompressSync(small.rawPayload).toString(), SCRIPT)
  assert.match(String(small.headers['content-type']), /javascript/)
})

for (const path of [
  ...[
    '/assets/../secret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..%2fsecret.txt',
    '/assets/%2e%2e%2fsecret.txt',
  ],
  ...[
    '/assets/....//secret.txt',
    '/assets/..%5csecret.txt',
    '/assets//secret.txt',
    '/assets/%00',
    '/assets/',
    '/assets',
  ],
]) {
  test(`nothing beside the files of the page is served: ${path}`, async (t) => {
    const { app, folder } = await open(t, 'tiles.pmtiles')
    await build(folder)
    const { statusCode, body } = await app.inject(path)
    assert.ok(statusCode >= 400 && statusCode < 500, String(statusCode))
    assert.notEqual(body, 'secret')
  })
}

test('the page is told of street tiles only where there are some, and they are served as they are', async (t) => {
  const without = await open(t)
  assert.deepEqual((await without.app.inject('/map.json')).json(), { tiles: null })
  assert.equal((await without.app.inject('/map/tiles.pmtiles')).statusCode, 404)
  const { app, folder } = await open(t, '.my tiles?#%41.pmtiles')
  const { tiles } = (await app.inject('/map.json')).json()
  await writeFile(join(folder, '.my tiles?#%41.pmtiles'), 'PMTiles0123456789')
  const url = `/${tiles}`
  const part = await app.inject({ url, headers: { range: 'bytes=7-9', 'accept-encoding': 'br, gzip' } })
  assert.deepEqual([part.statusCode, part.body], [206, '012'])
  assert.equal(part.headers['content-encoding'], undefined)
  assert.equal(part.headers['accept-ranges'], 'bytes')
  assert.match(String(part.headers['cache-control']), /max-age=0/)
  // Several ranges at once are more than they need be: all of it is right as well.
  const several = await app.inject({ url, headers: { range: 'bytes=0-1,3-4' } })
  assert.deepEqual([several.statusCode, several.body], [200, 'PMTiles0123456789'])
  const nonsense = await app.inject({ url, headers: { range: 'lines=1-2' } })
  assert.equal(nonsense.statusCode, 200)
  assert.equal((await app.inject({ url, headers: { range: 'bytes=17-' } })).statusCode, 416)
})

test('nothing that lies beside an archive is taken for it', async (t) => {
  const { app, folder } = await open(t, 'tiles.pmtiles')
  await writeFile(join(folder, 'tiles.pmtiles'), 'PMTiles')
  await writeFile(join(folder, 'tiles.pmtiles.br'), brotliCompressSync('old'))
  const headers = { 'accept-encoding': 'br', range: 'bytes=0-2' }
  const { statusCode, body } = await app.inject({ url: '/map/tiles.pmtiles', headers })
  assert.deepEqual([statusCode, body], [206, 'PMT'])
})
