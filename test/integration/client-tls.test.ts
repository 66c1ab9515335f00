/** Clients that encrypt, and links, on the one port. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { makeToken } from '../../src/gateways/access/tokens.ts'
import { makeAuthority, makeCertificate } from '../support/certificates.ts'
import { LineClient } from '../support/live-client.ts'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'
import { setTokens } from '../support/live-tokens.ts'

const run = promisify(execFile)
const PAIR = ['Alford', 'Ball']
const NAME = 'herd.example'

async function certificatesIn(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-client-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  await makeAuthority(folder, 'ca')
  await makeCertificate(folder, 'ca', 'clients', NAME)
  return folder
}

function clientsOf(folder: string): { certificateFile: string; keyFile: string } {
  return { certificateFile: join(folder, 'clients.pem'), keyFile: join(folder, 'clients.key.pem') }
}

async function pair(
  t: TestContext,
  more: object = {},
): Promise<{ herd: LiveHerd; folder: string; ca: Buffer }> {
  const folder = await certificatesIn(t)
  const settings = { link: QUICK_LINK, clients: clientsOf(folder), ...more }
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), settings })
  return { herd, folder, ca: await readFile(join(folder, 'ca.pem')) }
}

async function secured(
  t: TestContext,
  port: number,
  ca: Buffer,
  more: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca,
    servername: NAME,
    ...more,
  })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

test('lines in TLS, by openssl and by Node: replies, tokens, watches, half-close', async (t) => {
  const { herd, folder, ca } = await pair(t)
  const port = herd.port('Alford')
  const args = [
    's_client',
    '-quiet',
    '-no_ign_eof',
    '-connect',
    `127.0.0.1:${port}`,
    '-CAfile',
    join(folder, 'ca.pem'),
  ]
  const child = spawn('openssl', [...args, '-verify_return_error', '-verify_hostname', NAME])
  t.after(() => child.kill())
  child.stdin.write(`IAMAT kiwi +34+118 ${timeNow()}\n`)
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  assert.match(first.toString(), /^AT Alford \S+ kiwi \+34\+118 /)
  child.stdin.end()
  assert.equal(await text(child.stdout), '')
  const token = makeToken()
  await setTokens(herd, 'Alford', { anna: { token, report: ['*'], read: ['*'] } })
  const client = LineClient.over(await secured(t, port, ca))
  assert.match(await client.ask('WHATSAT kiwi 10 1'), /^\? this herd wants a client token/)
  assert.equal(await client.ask(`TOKEN ${token}`), 'TOKEN anna')
  assert.equal(await client.ask('WATCH kiwi'), 'WATCH kiwi')
  assert.equal(await client.line(), first.toString().trimEnd())
  const asking = LineClient.over(await secured(t, port, ca))
  await asking.send(`TOKEN ${token}\nWHATSAT kiwi 10 5\n`)
  asking.halfClose()
  assert.match(await asking.rest(), /^TOKEN anna\nAT Alford \S+ kiwi [^{]+\{[\s\S]+"status" : "OK"\n\}\n\n$/)
  await herd.kill('Alford', 'SIGTERM')
  assert.equal(await client.rest(), '')
})

test('HTTPS by curl, on the same port, and kept open', async (t) => {
  const { herd, folder } = await pair(t)
  const port = herd.port('Alford')
  const at = await herd.report('Alford', 'kiwi', '+1+2')
  assert.match(at, /^AT/)
  const url = `https://${NAME}:${port}/v1/clients/kiwi`
  const base = ['-sS', '--resolve', `${NAME}:${port}:127.0.0.1`, '--cacert', join(folder, 'ca.pem')]
  const { stdout } = await run('curl', [...base, '-w', '%{http_code} %{num_connects}\n', url, url])
  assert.equal(stdout.match(/"client":"kiwi"/g)?.length, 2)
  assert.deepEqual(stdout.match(/200 \d/g), ['200 1', '200 0'])
  await assert.rejects(run('curl', ['-sS', `https://127.0.0.1:${port}/v1/clients/kiwi`]), /certificate/)
})

test('links are as they were, by the secret and by certificates, and an operator is', async (t) => {
  const { herd } = await pair(t)
  await herd.linked()
  const at = await herd.report('Alford', 'kiwi')
  assert.deepEqual(await herd.agree(PAIR, ['kiwi']), [at])
  const folder = await certificatesIn(t)
  for (const name of PAIR) await makeCertificate(folder, 'ca', name, name)
  const certificates = { ca: await readFile(join(folder, 'ca.pem'), 'utf8') }
  const link = {
    ...QUICK_LINK,
    ...{ encryption: 'certificates', caFile: join(folder, 'ca.pem') },
    ...{ certificateFile: join(folder, '{server}.pem'), keyFile: join(folder, '{server}.key.pem') },
  }
  const settings = { link, clients: clientsOf(folder) }
  const proved = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), settings, certificates })
  await proved.linked()
  const client = LineClient.over(await secured(t, proved.port('Ball'), Buffer.from(certificates.ca)))
  assert.match(await client.ask(`IAMAT emu +1+1 ${timeNow()}`), /^AT Ball /)
  await proved.agree(PAIR, ['emu'])
})

test('a greeting that comes byte by byte is one all the same, of a client and of a link', async (t) => {
  const { herd, ca } = await pair(t)
  const slow = createServer((near) => {
    const far = connectPlain({ port: herd.port('Alford'), host: '127.0.0.1', noDelay: true })
    t.after(() => far.destroy())
    far.pipe(near)
    for (const socket of [near, far]) socket.on('error', () => undefined)
    let done = Promise.resolve()
    near.on('data', (chunk: Buffer) => {
      for (const byte of chunk)
        done = done.then(
          () => new Promise((resolve) => far.write(Buffer.from([byte]), () => setImmediate(resolve))),
        )
    })
  })
  t.after(() => slow.close())
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const client = LineClient.over(await secured(t, (slow.address() as AddressInfo).port, ca))
  assert.match(await client.ask(`IAMAT kiwi +1+1 ${timeNow()}`), /^AT Alford /)
})

test('garbage, half a greeting, TLS in TLS, and strangers to the authority: closed, counted, and nobody else notices', async (t) => {
  const { herd, ca } = await pair(t, { limits: { firstLineMsMax: 600 } })
  await herd.linked()
  const port = herd.port('Alford')
  const late = await herd.count('Alford', 'firstLinesLate')
  const patient = await herd.connect('Alford')
  await patient.send(Buffer.from('\x16\x03\x01\x02\x00\x01', 'latin1'))
  for (const bytes of [
    '\x16\x03\x01',
    '\x16\x03\x01\xff\xff',
    `\x16\x03\x01\x00\x05${'x'.repeat(5000)}\n`,
    `\x16\x03\x03${'x'.repeat(20_000)}`,
  ]) {
    const client = await herd.connect('Alford')
    await client.send(Buffer.from(bytes, 'latin1'))
    client.halfClose()
    assert.doesNotMatch(await client.rest(), /^[?A]/)
  }
  // What only begins with the same byte is a line.
  assert.equal(await herd.converse('Alford', '\x16 is no TLS\n'), '? \x16 is no TLS\n')
  // By the time alone.
  assert.equal(await patient.rest(), '')
  const inner = LineClient.over(await secured(t, port, ca))
  await inner.send(Buffer.from('\x16\x03\x01\x02\x00\x01', 'latin1'))
  assert.equal(await inner.rest(), '')
  await assert.rejects(secured(t, port, Buffer.alloc(0)), /certificate/)
  await assert.rejects(secured(t, port, ca, { ALPNProtocols: ['h2'] }))
  const status = await herd.status('Alford')
  assert.ok(countOf(status, 'tlsFailed') >= 6)
  assert.ok(countOf(status, 'firstLinesLate') > late)
  const many = await Promise.all(Array.from({ length: 40 }, () => secured(t, port, ca)))
  const replies = await Promise.all(
    many.map((socket) => LineClient.over(socket).ask(`IAMAT kiwi +1+1 ${timeNow()}`)),
  )
  for (const reply of replies) assert.match(reply, /^AT Alford /)
  for (const socket of many) socket.destroy()
  await waitUntil(async () => (await herd.status('Alford')).connections <= 3, 'all that was closed is gone')
  assert.doesNotMatch(herd.output, /MaxListeners|ended by itself/)
})

test('a certificate that is none keeps the server from starting, and is named', async (t) => {
  const folder = await certificatesIn(t)
  await writeFile(join(folder, 'clients.pem'), 'none')
  const settings = { clients: clientsOf(folder) }
  await assert.rejects(
    LiveHerd.start(t, { servers: ['Alford'], settings }),
    /clients\.certificateFile or clients\.keyFile can't be used/,
  )
})
