import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { CANARY } from '../../../test/support/canary.ts'
import { listening } from '../../../test/support/places-stand-in.ts'
import { assertNoKey, failureOf, NEVER } from '../../../test/support/provider-suite.ts'
import { CONNECTIONS_MAX, type Explanation, HttpAsker, WAIT_MS_MAX } from './http-asker.ts'
import type { ProxyEnvironment } from './proxies.ts'

const NOW_MS = Date.UTC(2026, 10, 20, 12)
const BODY_BYTES_MAX = 10_000

async function stage(
  t: TestContext,
  answer: RequestListener,
  explain?: (text: string) => Explanation,
  env: ProxyEnvironment = {},
) {
  const server = await listening(0)
  server.on('request', answer)
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const asker = new HttpAsker({
    source: 'Somebody',
    bodyBytesMax: BODY_BYTES_MAX,
    wallMs: () => NOW_MS,
    env,
    secrets: [CANARY],
    ...(explain === undefined ? {} : { explain }),
  })
  t.after(async () => {
    await asker.close()
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${port}/path?a=b`)
  const ask = (signal = NEVER) => asker.ask({ method: 'GET', url }, signal)
  return { asker, server, url, ask }
}

test('sends method, path, headers and body, and takes the text', async (t) => {
  const { asker, url } = await stage(t, (request, response) => {
    const { accept, 'x-more': more } = request.headers
    request.setEncoding('utf8').on('data', (sent) => {
      response.end(JSON.stringify([request.method, request.url, accept, more, sent]))
    })
  })
  const headers = { 'x-more': 'more' }
  assert.equal(
    await asker.ask({ method: 'POST', url, headers, body: 'é' }, NEVER),
    '["POST","/path?a=b","application/json","more","é"]',
  )
})

test('bodyBytesMax: as many are taken, one more is not, packed or plain', async (t) => {
  for (const isPacked of [false, true]) {
    let bytes = BODY_BYTES_MAX
    const { ask } = await stage(t, (_, response) => {
      const body = Buffer.alloc(bytes, 'x')
      if (isPacked) response.setHeader('content-encoding', 'gzip').end(gzipSync(body))
      else response.end(body)
    })
    assert.equal((await ask()).length, BODY_BYTES_MAX)
    for (bytes of [BODY_BYTES_MAX + 1, 1_000 * BODY_BYTES_MAX]) {
      const failure = await failureOf(ask())
      assert.equal(failure.message, `Somebody answered with more than ${BODY_BYTES_MAX} bytes.`)
      assert.equal(failure.mayRetry, false)
    }
  }
})

test('what is no gzip, in no encoding that was asked for, or no UTF-8 is a failure', async (t) => {
  let encoding = 'gzip'
  let body = Buffer.from('plain')
  const { ask } = await stage(
    t,
    (_, response) => void response.setHeader('content-encoding', encoding).end(body),
  )
  assert.match(String((await failureOf(ask())).cause), /incorrect header check/)
  body = gzipSync('cut short').subarray(0, -5)
  assert.match(String((await failureOf(ask())).cause), /unexpected end/)
  encoding = 'br'
  assert.match((await failureOf(ask())).message, /encoding that was not asked for/)
  encoding = 'identity'
  body = Buffer.from([0xff])
  assert.match((await failureOf(ask())).message, /malformed/)
})

test('a redirect is not followed, on this server or to another', async (t) => {
  const urls: (string | undefined)[] = []
  const { ask } = await stage(t, (request, response) => {
    urls.push(request.url)
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  assert.match((await failureOf(ask())).message, /status 307/)
  assert.deepEqual(urls, ['/path?a=b'])
})

for (const [header, waitMs] of [
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': ' 2 ' }, 2_000],
  [{ 'retry-after': 'Fri, 20 Nov 2026 12:00:03 GMT' }, 3_000],
  [{ 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, 0],
  [{ 'retry-after': '999999999' }, WAIT_MS_MAX],
  [{ 'retry-after': 'Fri, 20 Nov 2099 12:00:00 GMT' }, WAIT_MS_MAX],
  [{ 'x-rate-limit-reset': String(NOW_MS / 1_000 + 7) }, 7_000],
  [{ 'x-rate-limit-reset': String(NOW_MS / 1_000 - 7) }, 0],
  [{ 'retry-after': '1', 'x-rate-limit-reset': String(NOW_MS / 1_000 + 7) }, 1_000],
  [{}, 0],
] as const) {
  test(`${JSON.stringify(header)} means to wait ${waitMs} ms`, async (t) => {
    const { ask } = await stage(t, (_, response) => void response.writeHead(429, header).end())
    assert.equal((await failureOf(ask())).waitMs, waitMs)
  })
}

test('a failure is explained in a few words, without the key, or by its status', async (t) => {
  let body = `It can't: ${CANARY} ${'x'.repeat(1_000)}`
  const { ask } = await stage(
    t,
    (_, response) => void response.writeHead(500).end(body),
    (text) => ({ message: text, status: 'REQUEST_DENIED' }),
  )
  const failure = await failureOf(ask())
  assert.match(failure.message, /^Somebody answered with HTTP status 500: It can't: … x{288}$/)
  assert.equal(failure.status, 'REQUEST_DENIED')
  body = 'x'.repeat(64 * 1024 + 1)
  assert.equal((await failureOf(ask())).message, 'Somebody answered with HTTP status 500.')
})

test('a connection that ends within an explanation leaves the status', async (t) => {
  const { ask } = await stage(t, (_, response) => {
    response.writeHead(429, { 'content-length': 100 }).write('half', () => response.destroy())
  })
  assert.equal((await failureOf(ask())).status, 'OVER_QUERY_LIMIT')
})

test(`CONNECTIONS_MAX: the ask beyond ${CONNECTIONS_MAX} waits for a connection, and ends when it is stopped`, async (t) => {
  const responses: { end(text: string): void }[] = []
  const full = Promise.withResolvers<void>()
  const { ask, server } = await stage(t, (_, response) => {
    responses.push(response)
    if (responses.length === CONNECTIONS_MAX) full.resolve()
  })
  let opened = 0
  server.on('connection', () => opened++)
  const asks = Array.from({ length: CONNECTIONS_MAX }, () => ask())
  await full.promise
  const stop = new AbortController()
  const beyond = ask(stop.signal)
  stop.abort()
  assert.match((await failureOf(beyond)).message, /not waited for/)
  const next = ask()
  for (const response of responses) response.end('done')
  await Promise.all(asks)
  while (responses.length === CONNECTIONS_MAX) await new Promise((resolve) => setImmediate(resolve))
  responses.at(-1)?.end('next')
  assert.equal(await next, 'next')
  assert.equal(opened, CONNECTIONS_MAX)
})

test('a request that the machine refuses to send shows no key', async (t) => {
  const { asker, url } = await stage(t, (_, response) => void response.end())
  const headers = { 'x-key': `${CANARY}\n` }
  const failure = await failureOf(asker.ask({ method: 'GET', url, headers }, NEVER))
  assertNoKey(String(failure.cause))
})
