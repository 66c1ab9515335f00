import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { CLIENT_BYTES_MAX } from '../calls/report.ts'
import { clientOf, type PhoneNames } from './phone.ts'

const BODY = { _type: 'location', topic: 'owntracks/topic-user/topic-device', tid: 'JP' }

function client(sources: readonly PhoneNames[], body: object = {}, basicUser: string | null = null): string {
  return clientOf(sources, new Map(Object.entries(body)), basicUser)
}

test('who says it first counts, for the user and for the device', () => {
  const path = { user: 'path-user', device: 'path-device' }
  const headers = { user: 'jane', device: 'phone' }
  assert.equal(client([path, headers, { user: 'u', device: 'd' }], BODY, 'basic'), 'path-user/path-device')
  assert.equal(client([{}, headers, { user: 'u', device: 'd' }], BODY, 'basic'), 'jane/phone')
  assert.equal(client([{}, {}, { user: 'u', device: 'd' }], BODY, 'basic'), 'u/d')
  assert.equal(client([{}, {}, { user: null, device: null }], BODY, 'basic'), 'topic-user/topic-device')
  assert.equal(client([{ user: '', device: '' }, {}], BODY), 'topic-user/topic-device')
  assert.equal(client([{}, { user: 'jane' }, { device: 'd' }], BODY, 'basic'), 'jane/d')
  assert.equal(client([], { tid: 'JP' }, 'basic'), 'basic/JP')
  assert.equal(client([], { topic: 'somewhere/else', tid: 'JP' }, 'basic'), 'basic/JP')
})

test('what settings can mend is refused, and the message says how', () => {
  const wrong: readonly [readonly PhoneNames[], object, RegExp][] = [
    [[], { tid: 'JP' }, /its user .*settings/],
    [[{ user: 'jane' }], {}, /its device .*settings/],
    [[{ user: 'jane', device: 'my phone' }], {}, /"my phone" can be no/],
    [[{ user: 'a/b', device: 'c' }], {}, /"a\/b" can be no/],
    [[{ user: 'a', device: '+' }], {}, /"\+" can be no/],
    [[{ user: 'a', device: '#' }], {}, /"#" can be no/],
  ]
  for (const [sources, body, message] of wrong) {
    assert.throws(() => client(sources, body), { name: 'CallRefused', code: 'invalid', message })
  }
})

test('CLIENT_BYTES_MAX: user and device may have as many, with the slash between them', () => {
  const user = 'é'.repeat(CLIENT_BYTES_MAX / 2 - 1)
  assert.equal(client([{ user, device: 'd' }]), `${user}/d`)
  assert.throws(() => client([{ user, device: 'de' }]), { code: 'invalid', message: /at?.* 1023 bytes/ })
})

test('whoever says whatever, it is a user and a device, or the answer says how to mend it', () => {
  const name = fc.oneof(
    fc.constantFrom(undefined, null, '', 'jane', 'my phone', 'a/b', '+', '__proto__'),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.nat(600).map((length) => 'é'.repeat(length)),
  )
  const source = fc.record({ user: name, device: name }, { requiredKeys: [] })
  const body = fc.dictionary(fc.constantFrom('topic', 'tid', 'x'), fc.oneof(name, fc.jsonValue()))
  fc.assert(
    fc.property(fc.array(source, { maxLength: 3 }), body, name, (sources, body, basicUser) => {
      try {
        const said = client(sources, body, basicUser ?? null)
        assert.match(said, /^[^/+#]+\/[^/+#]+$/)
        assert.ok(Buffer.byteLength(said) <= CLIENT_BYTES_MAX)
      } catch (error) {
        assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
        assert.match(error.message, /user|device/)
      }
    }),
    runs(2000),
  )
})
