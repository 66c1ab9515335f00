import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { CountingProxy } from './counting-proxy.ts'

test('bytes of both directions are counted, and a cut ends connections until it is healed', async (t) => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const proxy = await CountingProxy.start()
  t.after(() => {
    proxy.close()
    echo.close()
  })
  proxy.targetPort = (echo.address() as AddressInfo).port

  const first = connect(proxy.port, '127.0.0.1')
  first.write('12345')
  await once(first, 'data')
  assert.equal(proxy.bytes, 10)
  assert.ok(proxy.firstByteMs > 0 && proxy.firstByteMs <= performance.now())
  const ended = once(first, 'close')
  proxy.cut()
  await ended

  const refused = connect(proxy.port, '127.0.0.1')
  refused.on('error', () => {})
  await once(refused, 'close')
  assert.equal(proxy.bytes, 10)

  proxy.heal()
  assert.equal(proxy.firstByteMs, 0)
  const second = connect(proxy.port, '127.0.0.1')
  second.write('1')
  await once(second, 'data')
  assert.equal(proxy.bytes, 12)
  second.destroy()
})
