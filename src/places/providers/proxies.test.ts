import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProxyUnusable, proxiesOf } from './proxies.ts'

const HERE = 'localhost,127.0.0.1,::1'

test('no environment, or an empty one, is no proxy', () => {
  const none = { httpProxy: '', httpsProxy: '', noProxy: HERE, secrets: [] }
  assert.deepEqual(proxiesOf({}), none)
  assert.deepEqual(proxiesOf({ HTTP_PROXY: '', https_proxy: ' ', NO_PROXY: '' }), none)
})

test('small letters go first, and a proxy may come without a scheme', () => {
  const env = {
    HTTP_PROXY: 'http://large:1',
    http_proxy: 'small.example:3128',
    https_proxy: 'https://tls.example',
  }
  assert.deepEqual(proxiesOf({ ...env, NO_PROXY: 'a.example,.b' }), {
    httpProxy: 'http://small.example:3128/',
    httpsProxy: 'https://tls.example/',
    noProxy: `a.example,.b,${HERE}`,
    secrets: [],
  })
})

test('its password is a secret, as written, as meant and as sent; so is a user alone', () => {
  assert.deepEqual(proxiesOf({ HTTP_PROXY: 'http://me:p%40ss@proxy.example' }).secrets, [
    ...['p%40ss', 'p@ss', Buffer.from('me:p@ss').toString('base64')],
  ])
  assert.deepEqual(proxiesOf({ HTTPS_PROXY: 'token@proxy.example' }).secrets, [
    ...['token', 'token', Buffer.from('token:').toString('base64')],
  ])
})

for (const value of [
  'http://me:canary@',
  'socks5://me:canary@proxy',
  'http://me:canary%zz@proxy',
  'me:canary@pro xy',
]) {
  test(`${value.replace(/canary/, '…')} is no proxy, and the message doesn’t repeat it`, () => {
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) {
      assert.throws(
        () => proxiesOf({ [name.toLowerCase()]: value }),
        (error) => {
          assert.ok(error instanceof ProxyUnusable && error.cause === undefined)
          assert.doesNotMatch(error.message, /canary/)
          return error.message.startsWith(`${name} is not the URL of a proxy; `)
        },
      )
    }
  })
}
