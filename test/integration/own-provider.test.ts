/** A provider of the user's own: the one of docs/places.md, as it stands there, in a real server. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { CANARY, tracesIn } from '../support/canary.ts'
import { runCommand } from '../support/live-command.ts'
import { LiveHerd } from '../support/live-herd.ts'
import { listening } from '../support/places-stand-in.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
const STOPS = Array.from({ length: 3 }, (_, id) => {
  return {
    id: String(id),
    name: `Stop ${id}`,
    lat: 34.0689 + id / 1000,
    lng: -118.4451,
    lines: `${id}, ${id + 1}`,
  }
})

/** The code and the settings of docs/places.md. */
async function documented(): Promise<{ readonly code: string; readonly settings: string }> {
  const text = await readFile(new URL('../../docs/places.md', import.meta.url), 'utf8')
  const section = text.slice(text.indexOf('## A provider of your own'))
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(section) ?? []
  const [, settings = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? []
  return { code, settings }
}

/** The documented provider, a service of stops that answers as `says` does, and a herd of one server. */
async function stage(t: TestContext, says: () => string, callsPerDayMax = 1000) {
  const { code } = await documented()
  const asked: string[] = []
  const service = await listening(0)
  t.after(() => {
    service.closeAllConnections()
    service.close()
  })
  service.on('request', ({ url = '', headers }, response) => {
    asked.push(url)
    response.writeHead(headers['x-key'] === CANARY ? 200 : 403).end(says())
  })
  const address = service.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const options = { url: `http://127.0.0.1:${port}/stops` }
  const herd = await LiveHerd.start(t, {
    servers: ['Alford'],
    files: { 'bus-stops.ts': code },
    env: { STOPS_KEY: CANARY },
    settings: {
      places: {
        providers: ['./bus-stops.ts', 'embedded'],
        own: { 'bus-stops': { callsPerDayMax, options } },
        limits: {
          callsPerSecondMax: 0,
          callsPerSecondPerAddressMax: 0,
          retriesMax: 0,
          breakerFailuresMax: 3,
        },
      },
    },
  })
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  return { herd, client, asked }
}

test('the documented provider answers WHATSAT; its answers are kept, cut and counted as ours are', async (t) => {
  const { herd, client, asked } = await stage(t, () => JSON.stringify(STOPS))
  const { body, at } = await client.whatsat('kiwi', 10, 2)
  assert.match(at, /^AT Alford .* kiwi /)
  assert.equal(body.status, 'OK')
  assert.deepEqual(body.results[0], {
    geometry: { location: { lat: 34.0689, lng: -118.4451 } },
    name: 'Stop 0',
    place_id: 'stops:0',
    reference: 'stops:0',
    scope: 'STOPS',
    types: ['bus_station', 'transit_station', 'point_of_interest', 'establishment'],
    vicinity: 'Lines 0, 1',
  })
  assert.equal(body.results.length, 2)
  assert.equal((await client.whatsat('kiwi', 10, 20)).body.results.length, 3)
  assert.deepEqual(asked, ['/stops?lat=34.06893&lng=-118.445127&metres=10000'])
  const { providers, budgets } = (await herd.status('Alford')).places ?? {}
  const [own] = providers ?? []
  assert.deepEqual([own?.name, own?.local, own?.asks, own?.calls, own?.hits], ['bus-stops', false, 2, 1, 1])
  assert.deepEqual(
    budgets?.map(({ provider, per, budget, usedHere }) => [provider, per, budget, usedHere]),
    [['bus-stops', 'day', 1000, 1]],
  )
})

test('when it throws, the next provider answers; the log tells why, and nobody hears the key', async (t) => {
  let says = 'no JSON'
  const { herd, client, asked } = await stage(t, () => says)
  const texts: string[] = []
  const find = async (radius: number) => {
    const { text, body } = await client.whatsat('kiwi', radius, 1)
    texts.push(text)
    assert.deepEqual([body.status, body.results.map(({ name }) => name)], ['OK', ['Bel Air']])
    return body.info_messages
  }
  assert.deepEqual(await find(1.7), ['bus-stops did not answer: bus-stops failed.'])
  await herd.logged('Alford', '"cause":"SyntaxError: ')
  says = '{}'
  assert.deepEqual(await find(1.8), ['bus-stops did not answer: Bus stops gave no list.'])
  for (const radius of [2, 3, 4]) texts.push((await client.whatsat('kiwi', radius, 1)).text)
  texts.push(JSON.stringify(await herd.status('Alford')))
  await herd.kill('Alford', 'SIGTERM')
  texts.push(await herd.logText('Alford'), herd.output)
  assert.deepEqual(tracesIn(texts.join('\n'), 'what was said'), [])
  assert.ok(asked.length >= 2)
})

test('its budget holds', async (t) => {
  const { client, asked } = await stage(t, () => JSON.stringify(STOPS), 1)
  assert.equal((await client.whatsat('kiwi', 10, 1)).body.info_messages, undefined)
  const { body } = await client.whatsat('kiwi', 20, 1)
  assert.match(String(body.info_messages), /^bus-stops was not asked: .*\(callsPerDayMax\)/)
  assert.equal(asked.length, 1)
})

test('the documented settings are valid, and a server whose provider can’t be loaded does not start', async (t) => {
  const { settings, code } = await documented()
  const yaml = `herd: h\nservers: { Alford: { port: 14321 } }\n${settings}`
  const herd = await LiveHerd.start(t, {
    servers: ['Alford'],
    files: { 'stops.yaml': yaml, 'google.ts': code, 'wrong.yaml': yaml.replaceAll('bus-stops', 'google') },
  })
  const { folder } = herd
  const place = { folder, env: { HERD_SECRET: herd.secret } }
  const checked = await runCommand(t, place, ['check', 'stops.yaml'])
  assert.equal(checked.code, 0, checked.err)
  assert.match(checked.out, /name: bus-stops\n +file: \S+\/bus-stops\.ts/)
  const wrong = await runCommand(t, place, ['check', 'wrong.yaml'])
  assert.match(wrong.err, /would be called google, as one that comes with Herd; rename it/)
  const started = await runCommand(t, place, ['start', 'Alford', '--herd', 'stops.yaml'])
  assert.equal(started.code, 1)
  assert.match(started.out + started.err, /can't start: the provider \S+bus-stops\.ts is not there: /)
})
