import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { CLIENT_BYTES_MAX } from '../calls/report.ts'
import { SOCKET_CHECKS } from './socket-schemas.ts'

const OPS = ['token', 'report', 'watch', 'unwatch', 'get', 'near', 'ping'] as const
const CIRCLE = { lat: 1, lon: 2, radius_m: 3 }

/** What the check of a message's `op` says; `null`: nothing. */
function complaint(op: (typeof OPS)[number], message: unknown): string | null {
  try {
    const check: { check(value: unknown): void } = SOCKET_CHECKS[op]
    check.check(message)
    return null
  } catch (error) {
    assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
    return error.message
  }
}

test('each message is taken as it is documented, at its bounds too', () => {
  const longest = 'x'.repeat(64)
  for (const message of [
    { op: 'token', token: '' },
    { op: 'report', report: { client: 'a', lat: 90, lon: -180 } },
    { op: 'report', id: longest, report: { client: 'é'.repeat(CLIENT_BYTES_MAX / 2), position: '+1+1' } },
    { op: 'watch', id: 'w' },
    { op: 'watch', id: 'w', clients: [], circle: CIRCLE, from: 'all' },
    { op: 'watch', id: 'w', clients: ['a'], box: [170, -90, -170, 90], from: { cursor: '0' } },
    { op: 'watch', id: 'w', circle: { ...CIRCLE, radius_m: 0 }, from: 'now' },
    { op: 'unwatch', id: 'w' },
    { op: 'get', id: 'g', client: 'kiwi' },
    { op: 'near', id: 'n', client: 'kiwi', radius_m: 20_040_000, limit: 1, max_age_s: 0 },
    { op: 'near', id: 'n', lat: -90, lon: 180 },
    { op: 'ping' },
  ] as const) {
    assert.equal(complaint(message.op, message), null, JSON.stringify(message))
  }
})

for (const [message, says] of [
  [{ op: 'token' }, /token/],
  [{ op: 'token', token: 5 }, /^token of the message must be string: it is 5$/],
  [{ op: 'report' }, /report/],
  [{ op: 'report', id: '', report: { client: 'a', lat: 1, lon: 1 } }, /^id of the message .*""$/],
  [
    { op: 'report', report: { client: 'a', lat: 91, lon: 1 } },
    /^report\.lat of the message must be <= 90: it is 91$/,
  ],
  [{ op: 'report', report: { client: 'a', altitude: 1 } }, /^the message has "altitude", which nobody knows/],
  [{ op: 'watch' }, /id/],
  [{ op: 'watch', id: 'x'.repeat(65) }, /^id of the message must not have more than 64 characters/],
  [{ op: 'watch', id: 'w', clients: [''] }, /^clients\.0 of the message/],
  [{ op: 'watch', id: 'w', box: [1, 2, 3] }, /^box of the message/],
  [{ op: 'watch', id: 'w', box: [1, 2, 3, '4'] }, /^box\.3 of the message must be number: it is "4"$/],
  [{ op: 'watch', id: 'w', circle: { lat: 1, lon: 2 } }, /^circle of the message .*radius_m/],
  [{ op: 'watch', id: 'w', from: 'then' }, /^from of the message .*"then"$/],
  [{ op: 'watch', id: 'w', from: { cursor: 5 } }, /^from(?:\.cursor)? of the message/],
  [{ op: 'watch', id: 'w', fro: 'all' }, /^the message has "fro"/],
  [{ op: 'unwatch', id: null }, /^id of the message must be string: it is null$/],
  [{ op: 'get', id: 'g' }, /client/],
  [{ op: 'near', id: 'n', limit: 0 }, /^limit of the message must be >= 1: it is 0$/],
  [{ op: 'near', id: 'n', limit: 1.5 }, /^limit of the message must be integer: it is 1\.5$/],
  [{ op: 'near', id: 'n', format: 'json' }, /^the message has "format"/],
  [{ op: 'ping', id: 'p' }, /^the message has "id"/],
] as const) {
  test(`wrong: ${JSON.stringify(message).slice(0, 80)}`, () => {
    assert.match(complaint(message.op, message) ?? 'nothing', says)
  })
}

test('whatever message comes, it is as it must be or the answer says what of it is not', () => {
  const names = [
    'id',
    'token',
    'report',
    'clients',
    'circle',
    'box',
    'from',
    'client',
    'lat',
    'limit',
    '__proto__',
  ]
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(
      'a',
      'all',
      CIRCLE,
      { cursor: '0' },
      { client: 'a', lat: 1, lon: 1 },
      [1, 2, 3, 4],
      ['a'],
    ),
    fc.string({ unit: 'binary' }),
  )
  const members = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 5 })), value)
  fc.assert(
    fc.property(fc.constantFrom(...OPS), fc.oneof(members, fc.jsonValue()), (op, json) => {
      const message: unknown =
        typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json, op } : json
      const said = complaint(op, message)
      if (said !== null) assert.match(said, /the message/)
    }),
    runs(3000),
  )
})
