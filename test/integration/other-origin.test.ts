/** What a page of another origin can do to a herd through its visitor's browser: nothing. In a real browser. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startBrowser } from '../support/browser.ts'
import { LiveHerd } from '../support/live-herd.ts'

/** Tries all that a page may make a browser send; says what came of each. */
function attack(herd: string): string {
  return `(async () => {
    const herd = ${JSON.stringify(herd)}
    const report = JSON.stringify({ client: 'victim', lat: 1, lon: 1 })
    const location = JSON.stringify({ _type: 'location', tid: 'vi', lat: 1, lon: 1, tst: 1700000000 })
    const tries = {
      json: () => fetch(herd + '/v1/fixes', { method: 'POST', headers: { 'content-type': 'application/json' }, body: report }),
      simple: () => fetch(herd + '/v1/fixes', { method: 'POST', mode: 'no-cors', body: report }),
      owntracks: () => fetch(herd + '/pub?u=victim&d=phone', { method: 'POST', mode: 'no-cors', body: location }),
      osmand: () => fetch(herd + '/?id=victim&lat=1&lon=1', { mode: 'no-cors' }),
      lines: () => fetch(herd + '/', { method: 'POST', mode: 'no-cors', body: 'IAMAT victim +1+1 1700000000\\n' }),
      read: async () => (await fetch(herd + '/v1/clients')).text(),
      picture: () => new Promise((resolve, reject) => {
        const picture = new Image()
        picture.onload = resolve
        picture.onerror = () => reject(new Error('no picture'))
        picture.src = herd + '/osmand?id=victim&lat=1&lon=1'
      }),
      form: () => new Promise((resolve) => {
        const frame = document.createElement('iframe')
        frame.name = 'hidden'
        const form = document.createElement('form')
        Object.assign(form, { method: 'POST', action: herd + '/?id=victim&lat=1&lon=1', target: 'hidden' })
        document.body.append(frame, form)
        frame.onload = () => resolve('sent')
        form.submit()
      }),
      socket: () => new Promise((resolve, reject) => {
        const socket = new WebSocket(herd.replace('http', 'ws') + '/v1/socket')
        socket.onopen = () => {
          socket.send('{"op":"report","report":' + report + '}')
          resolve('open')
        }
        socket.onerror = () => reject(new Error('no socket'))
      }),
      stream: () => new Promise((resolve, reject) => {
        const stream = new EventSource(herd + '/v1/stream')
        stream.onopen = () => resolve('open')
        stream.onerror = () => reject(new Error('no stream'))
      }),
    }
    const outcomes = {}
    for (const [name, attempt] of Object.entries(tries)) {
      outcomes[name] = await attempt().then((answer) => (answer?.type ?? 'done'), () => 'refused')
    }
    return outcomes
  })()`
}

async function pageElsewhere(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title><body>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}/`
}

test('a page of another origin can neither report nor read through its visitor’s browser', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'] })
  const address = `http://127.0.0.1:${herd.port('Alford')}`
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  await page.goto(await pageElsewhere(t))
  const outcomes = await page.evaluate(attack(address))
  // `opaque`: the browser has sent it, and keeps the answer (a 403) to itself.
  assert.deepEqual(outcomes, {
    ...{ json: 'refused', simple: 'opaque', owntracks: 'opaque', osmand: 'opaque', lines: 'opaque' },
    ...{ read: 'refused', picture: 'refused', form: 'done', socket: 'refused', stream: 'refused' },
  })
  assert.deepEqual(await herd.table('Alford', ['victim', 'victim/phone']), [
    '? WHATSAT victim 1 0',
    '? WHATSAT victim/phone 1 0',
  ])
  // The same is taken from a page of the server's own.
  await page.goto(address)
  const own = await page.evaluate(attack(address))
  assert.equal(new Map(Object.entries(Object(own))).get('json'), 'basic')
  assert.match((await herd.table('Alford', ['victim']))[0] ?? '', /^AT Alford /)
})
