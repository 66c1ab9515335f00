/** Requests through a proxy: which go there, how many at a time, and what is never said of it. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { HttpProxy } from '../../../test/support/http-proxy.ts'
import { listening } from '../../../test/support/places-stand-in.ts'
import { failureOf, NEVER } from '../../../test/support/provider-suite.ts'
import { CONNECTIONS_MAX, HttpAsker } from './http-asker.ts'

const LOGIN = { user: 'me', password: 'proxy-canary@/7' }
const WRONG = { user: 'me', password: 'other-canary%41' }

async function stage(t: TestContext, answer: RequestListener = (_, response) => void response.end('hello')) {
  const server = await listening(0)
  server.on('request', answer)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const proxy = await HttpProxy.start(t, port, LOGIN)
  const askerWith = (env: Readonly<Record<string, string>>): HttpAsker => {
    const asker = new HttpAsker({ source: 'Somebody', bodyBytesMax: 1_000, wallMs: () => 0, env })
    t.after(() => asker.close())
    return asker
  }
  return { proxy, port, askerWith }
}

function ask(asker: HttpAsker, url: string, signal: AbortSignal = NEVER): Promise<string> {
  return asker.ask({ method: 'GET', url: new URL(url), headers: { 'x-key': 'k' } }, signal)
}

function assertSilent(error: Error): void {
  for (const { password, user } of [LOGIN, WRONG]) {
    const spellings = [
      password,
      encodeURIComponent(password),
      Buffer.from(`${user}:${password}`).toString('base64'),
    ]
    const said = `${error.message} ${error.stack} ${String(error.cause)}`
    for (const spelling of spellings) assert.ok(!said.includes(spelling), said)
  }
}

test('what is asked by HTTP goes through HTTP_PROXY, but for NO_PROXY and this machine', async (t) => {
  const { proxy, port, askerWith } = await stage(t)
  const asker = askerWith({ HTTP_PROXY: proxy.url(LOGIN), NO_PROXY: '127.0.0.2' })
  assert.equal(await ask(asker, 'http://places.invalid/a?b=c'), 'hello')
  assert.deepEqual(proxy.asked, ['GET http://places.invalid/a?b=c'])
  for (const host of ['127.0.0.1', 'localhost'])
    assert.equal(await ask(asker, `http://${host}:${port}/`), 'hello')
  const failure = await failureOf(ask(asker, `http://127.0.0.2:${port}/`))
  assert.match(String(failure.cause), /ECONNREFUSED 127\.0\.0\.2/)
  assert.equal(proxy.asked.length, 1)
})

test('what is asked by HTTPS goes through a tunnel of HTTPS_PROXY, or else of HTTP_PROXY', async (t) => {
  const { proxy, askerWith } = await stage(t)
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY']) {
    // Who answers speaks no TLS; that it works with one who does is tested in test/integration.
    await failureOf(ask(askerWith({ [name]: proxy.url(LOGIN) }), 'https://places.invalid/a'))
    assert.equal(proxy.asked.pop(), 'CONNECT places.invalid:443')
  }
})

for (const scheme of ['http', 'https']) {
  test(`${scheme}: a proxy that wants another password is a failure, and no password is told`, async (t) => {
    const { proxy, askerWith } = await stage(t)
    const env = { HTTP_PROXY: proxy.url(WRONG), HTTPS_PROXY: proxy.url(WRONG) }
    const failure = await failureOf(ask(askerWith(env), `${scheme}://places.invalid/`))
    assert.match(`${failure.message} ${String(failure.cause)}`, /407/)
    assert.equal(failure.status, 'UNKNOWN_ERROR')
    assertSilent(failure)
    assert.equal(proxy.asked.length, 1)
  })

  test(`${scheme}: a proxy that isn’t there is a failure`, async (t) => {
    const { askerWith } = await stage(t)
    const gone = 'http://me:proxy-canary%40%2F7@127.0.0.1:9'
    const failure = await failureOf(ask(askerWith({ HTTP_PROXY: gone }), `${scheme}://places.invalid/`))
    assert.equal(failure.message, 'The connection to Somebody failed.')
    assertSilent(failure)
  })
}

test('CONNECT_MS_MAX: a proxy that never answers holds no tunnel open for ever', async (t) => {
  const { proxy, askerWith } = await stage(t)
  proxy.habit = 'hang'
  const asker = askerWith({ HTTPS_PROXY: proxy.url(LOGIN) })
  const failure = await failureOf(ask(asker, 'https://places.invalid/'))
  assert.match(String(failure.cause), /Headers Timeout/)
})

test(`CONNECTIONS_MAX: a proxy, too, is sent only ${CONNECTIONS_MAX} requests at a time`, async (t) => {
  const open: { end(text: string): void }[] = []
  const full = Promise.withResolvers<void>()
  const { proxy, askerWith } = await stage(t, (_, response) => {
    open.push(response)
    if (open.length === CONNECTIONS_MAX) full.resolve()
  })
  const asker = askerWith({ HTTP_PROXY: proxy.url(LOGIN) })
  const asks = Array.from({ length: CONNECTIONS_MAX + 3 }, () => ask(asker, 'http://places.invalid/'))
  await full.promise
  assert.equal(proxy.asked.length, CONNECTIONS_MAX)
  while (proxy.asked.length < asks.length) {
    for (const response of open.splice(0)) response.end('done')
    await new Promise((resolve) => setImmediate(resolve))
  }
  while (open.length < 3) await new Promise((resolve) => setImmediate(resolve))
  for (const response of open) response.end('done')
  assert.deepEqual(new Set(await Promise.all(asks)), new Set(['done']))
})
