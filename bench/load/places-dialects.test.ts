import assert from 'node:assert/strict'
import { test } from 'node:test'
import { herdPlaces, placesDialectOf, redisPlaces } from './places-dialects.ts'

const AT = { latitude: 47.5, longitude: -9.25 }

test('herd is told of clients and asked about them', () => {
  assert.deepEqual(herdPlaces.commands([], [AT]), [
    'IAMAT client-00000000.city +47.500000-9.250000 1700000000.000000000\n',
  ])
  const question = { radiusKm: 10, items: 20, rank: undefined }
  assert.equal(herdPlaces.request(7, AT, question), 'WHATSAT client-00000007.city 10 20\n')
  assert.equal(
    herdPlaces.request(7, AT, { ...question, rank: 'distance' }),
    'WHATSAT client-00000007.city 10 20 rank=distance\n',
  )
})

test('redis is told of places and asked about positions', () => {
  const commands = redisPlaces.commands(Array(150).fill(AT), [])
  assert.equal(commands.length, 2)
  assert.ok(commands[1]?.startsWith('*152\r\n$6\r\nGEOADD\r\n$6\r\nplaces\r\n$5\r\n-9.25\r\n$4\r\n47.5\r\n'))
  assert.ok(commands[1]?.includes('place-000149'))
  const pole = { latitude: -90, longitude: 0 }
  assert.ok(redisPlaces.commands([pole, AT], [])[0]?.startsWith('*5\r\n'), 'the pole is left out')
  const request = redisPlaces.request(7, AT, { radiusKm: 10, items: 20, rank: undefined })
  assert.match(request, /FROMLONLAT\r\n\$5\r\n-9\.25\r\n\$4\r\n47\.5\r\n\$8\r\nBYRADIUS/)
})

const HERD = `AT A +0.1 c +1+1 1\n${JSON.stringify({ status: 'OK', results: [{ geometry: { location: { lat: 47.5, lng: -9.25 } } }] }, null, 3)}\n\n`
const REDIS = '*1\r\n*2\r\n$12\r\nplace-000001\r\n*2\r\n$5\r\n-9.25\r\n$4\r\n47.5\r\n'

for (const [name, reply, none] of [
  ['herd', HERD, 'AT A +0.1 c +1+1 1\n{"status":"ZERO_RESULTS","results":[]}\n\n'],
  ['redis', REDIS, '*0\r\n'],
] as const) {
  test(`${name}: a reply ends where it ends, wherever it is cut, and tells its positions`, () => {
    const dialect = placesDialectOf(name)
    const bytes = Buffer.from(reply + reply)
    for (let length = 0; length < reply.length; length += 1) {
      assert.equal(dialect.endOf(bytes.subarray(0, length), 0), -1)
    }
    assert.equal(dialect.endOf(bytes, 0), reply.length)
    assert.equal(dialect.endOf(bytes, reply.length), bytes.length)
    assert.deepEqual(dialect.positionsIn(reply), [AT])
    assert.equal(dialect.endOf(Buffer.from(none), 0), none.length)
    assert.deepEqual(dialect.positionsIn(none), [])
  })
}

test('what is no answer is an error', () => {
  assert.throws(() => herdPlaces.endOf(Buffer.from('? WHATSAT\n'), 0), /\? WHATSAT/)
  assert.throws(() => redisPlaces.endOf(Buffer.from('-ERR no\r\n'), 0), /-ERR no/)
  assert.throws(
    () => herdPlaces.positionsIn('AT\n{"status":"UNKNOWN_ERROR","results":[]}\n\n'),
    /UNKNOWN_ERROR/,
  )
  assert.throws(() => placesDialectOf('sql'), /sql/)
})
