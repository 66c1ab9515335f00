import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { fc, runs } from '../../test/support/properties.ts'
import { helloKind } from './client-hello.ts'

const LINK = 'herd'

/** What somebody who begins TLS with a port sends first: all of its first record. */
async function helloOf(t: TestContext, begin: (port: number) => void): Promise<Buffer> {
  const server = createServer()
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection') as Promise<[Socket]>
  begin(port)
  const [socket] = await accepted
  socket.on('error', () => undefined)
  let bytes = Buffer.alloc(0)
  while (bytes.length < 5 || bytes.length < 5 + bytes.readUInt16BE(3)) {
    const [more] = (await once(socket, 'data')) as [Buffer]
    bytes = Buffer.concat([bytes, more])
  }
  socket.destroy()
  return bytes
}

const nodeHello = (t: TestContext, ALPNProtocols: string[] | undefined): Promise<Buffer> =>
  helloOf(t, (port) => {
    const options = ALPNProtocols === undefined ? {} : { ALPNProtocols }
    const socket = connect({ port, host: '127.0.0.1', servername: 'a.example', ...options })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
  })

const commandHello = (t: TestContext, command: string, args: (port: number) => string[]): Promise<Buffer> =>
  helloOf(t, (port) => {
    const child = execFile(command, args(port), () => undefined)
    t.after(() => child.kill())
  })

/** Every beginning of a hello says that more is needed, the whole of it what it is, whatever follows. */
function checkSplits(hello: Buffer, kind: 'link' | 'client'): void {
  for (let end = 0; end < hello.length; end++)
    assert.equal(helloKind(hello.subarray(0, end), LINK), 'need-more')
  assert.equal(helloKind(hello, LINK), kind)
  assert.equal(helloKind(Buffer.concat([hello, Buffer.from('more')]), LINK), kind)
}

test('the hello of Node, by what it asks for', async (t) => {
  checkSplits(await nodeHello(t, ['herd']), 'link')
  checkSplits(await nodeHello(t, ['http/1.1', 'herd']), 'link')
  checkSplits(await nodeHello(t, ['http/1.1', 'herd2', 'her']), 'client')
  checkSplits(await nodeHello(t, undefined), 'client')
})

test('the hello of openssl and of curl', async (t) => {
  const openssl = (more: string[]) => (port: number) => ['s_client', '-connect', `127.0.0.1:${port}`, ...more]
  checkSplits(await commandHello(t, 'openssl', openssl([])), 'client')
  checkSplits(await commandHello(t, 'openssl', openssl(['-alpn', 'herd'])), 'link')
  checkSplits(await commandHello(t, 'openssl', openssl(['-tls1_2', '-servername', 'b.example'])), 'client')
  checkSplits(await commandHello(t, 'curl', (port) => ['-sk', `https://127.0.0.1:${port}/`]), 'client')
})

test('no bytes at all make it throw, or wait for more than a record', async (t) => {
  const hello = await nodeHello(t, ['herd'])
  const longest = 5 + 65_535
  const look = (bytes: Buffer): void => {
    const kind = helloKind(bytes, LINK)
    if (kind === 'need-more') assert.ok(bytes.length < longest)
    assert.ok(['link', 'client', 'need-more'].includes(kind))
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => look(Buffer.from([0x16, 3, 1, ...bytes]))),
    runs(2000),
  )
  // A real one with some of it changed, and all of it there.
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (changes) => {
        const changed = Buffer.from(hello)
        for (const [at, byte] of changes) changed[at] = byte
        look(changed)
        look(Buffer.concat([changed, Buffer.alloc(longest)]))
      },
    ),
    runs(2000),
  )
  assert.notEqual(
    helloKind(Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(65_535)]), LINK),
    'link',
  )
})
