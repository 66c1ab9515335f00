/** A server whose provider is reached through a proxy: by a tunnel, and with no word about the proxy's password. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CANARY, CANARY_KEY, CANARY_WORD, tracesIn } from '../support/canary.ts'
import { makeAuthority, makeCertificate } from '../support/certificates.ts'
import { HttpProxy } from '../support/http-proxy.ts'
import { runCommand } from '../support/live-command.ts'
import { LiveHerd } from '../support/live-herd.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
const HOST = 'places.invalid'
const LOGIN = { user: 'me', password: CANARY }
const PLACE = { id: 'p1', displayName: { text: 'Behind' }, location: { latitude: 34.07, longitude: -118.44 } }

/** Google as far as a proxy sees it: somewhere, with a certificate. */
async function stage(t: TestContext, password: string) {
  const folder = await mkdtemp(join(tmpdir(), 'herd-proxy-'))
  t.after(() => rm(folder, { recursive: true }))
  await makeAuthority(folder, 'ca')
  await makeCertificate(folder, 'ca', 'google', HOST)
  const [cert, key] = await Promise.all(
    ['google.pem', 'google.key.pem'].map((name) => readFile(join(folder, name))),
  )
  const keys: unknown[] = []
  const google = createServer({ cert, key }, ({ headers }, response) => {
    keys.push(headers['x-goog-api-key'])
    response.end(JSON.stringify({ places: [PLACE] }))
  })
  await new Promise<void>((resolve) => google.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    google.closeAllConnections()
    google.close()
  })
  const address = google.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const proxy = await HttpProxy.start(t, port, { ...LOGIN, password })
  const herd = await LiveHerd.start(t, {
    servers: ['Alford'],
    env: {
      GOOGLE_PLACES_API_KEY: CANARY_KEY,
      HTTPS_PROXY: proxy.url(LOGIN),
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    },
    settings: {
      places: {
        providers: ['google', 'embedded'],
        rank: 'distance',
        google: { baseUrl: `https://${HOST}` },
        limits: { retriesMax: 0 },
      },
    },
  })
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  const { text, body } = await client.whatsat('kiwi', 10, 1)
  const status = JSON.stringify(await herd.status('Alford'))
  await herd.kill('Alford', 'SIGTERM')
  const said = [text, status, await herd.logText('Alford'), herd.output].join('\n')
  assert.deepEqual(tracesIn(said, 'what was said'), [])
  return { body, keys, proxy, said }
}

test('HTTPS goes through a tunnel: the proxy learns the name of the source alone', async (t) => {
  const { body, keys, proxy } = await stage(t, LOGIN.password)
  assert.deepEqual([body.status, body.results.map(({ name }) => name)], ['OK', ['Behind']])
  assert.deepEqual(keys, [CANARY_KEY])
  assert.deepEqual(proxy.asked, [`CONNECT ${HOST}:443`])
})

test('a proxy that lets nobody through is told as a failed connection, and the next provider answers', async (t) => {
  const { body, keys, proxy, said } = await stage(t, 'another')
  assert.deepEqual([body.status, body.results.map(({ name }) => name)], ['OK', ['Bel Air']])
  assert.deepEqual(body.info_messages, ['google did not answer: The connection to Google failed.'])
  assert.match(said, /"cause":"[^"]*407/)
  assert.deepEqual([keys, proxy.asked.length], [[], 1])
})

test('a proxy that is none is an error at the start, without its password', async (t) => {
  const places = { providers: ['overpass', 'embedded'] }
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { places } })
  await herd.kill('Alford', 'SIGTERM')
  const env = { HERD_SECRET: herd.secret, HTTPS_PROXY: `http://me:${CANARY_WORD}@` }
  const started = await runCommand(t, { folder: herd.folder, env }, [
    'start',
    'Alford',
    '--herd',
    'Alford.yaml',
  ])
  assert.equal(started.code, 1)
  assert.match(started.out + started.err, /can't start: HTTPS_PROXY is not the URL of a proxy; it takes/)
  assert.deepEqual(tracesIn(started.out + started.err, 'what was printed'), [])
})
