/** Links in TLS: nobody reads them, nobody stands in for a server, and the secret can be changed under way. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { greetLine, proofLine } from '../../src/replication/handshake.ts'
import { makeLinkKeys } from '../../src/replication/link-keys.ts'
import { makeAuthority, makeCertificate, readCertificates } from '../support/certificates.ts'
import { chainOf, meshOf, QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, waitUntil } from '../support/live-herd.ts'
import { connectTls, greetByHand, greetingOf, handshakeByHand } from '../support/live-intruder.ts'
import { LiveProxy } from '../support/live-proxy.ts'

const PAIR = ['Alford', 'Ball']
const FORGED = 'AT Ball +0.1 victim +1+1 1479413884\n'
const CLIENT_HELLO_BEGUN = Buffer.of(0x16, 3, 1, 2, 0, 1)

test('whoever listens to the wire reads no line of a link', async (t) => {
  const { herd, proxy } = await listenedTo(t)
  await herd.report('Alford', 'very.private.client', '+12.345678-098.765432')
  await herd.agree(PAIR, ['very.private.client'])
  const heard = Buffer.concat(proxy.recordings.flatMap(({ up, down }) => [...up, ...down])).toString('latin1')
  assert.ok(heard.length > 500)
  assert.doesNotMatch(heard, /AT Alford|private|12\.345678|greet|proof|ping/)
  assert.ok(!heard.includes(herd.secret))
})

test('a TLS connection that was overheard opens nothing when it is played again', async (t) => {
  const { herd, proxy } = await listenedTo(t)
  await herd.report('Alford', 'overheard')
  await herd.agree(PAIR, ['overheard'])
  const said = proxy.recordings.map(({ up }) => Buffer.concat(up)).filter((bytes) => bytes.length > 500)
  assert.ok(said.length > 0)
  await herd.kill('Alford')
  await herd.restart('Ball')
  for (const bytes of said) {
    const client = await herd.connect('Ball')
    await client.send(bytes)
    await client.rest()
  }
  const status = await herd.status('Ball')
  assert.equal(status.clients, 0)
  assert.equal(countOf(status, 'linksOpened'), 0)
  assert.ok(countOf(status, 'tlsFailed') >= said.length)
})

test('servers with different secrets have no link, and both logs say why', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: chainOf(PAIR),
    settings: { link: QUICK_LINK, secretFile: 'herd.secret' },
    env: { HERD_SECRET: '' },
    started: [],
  })
  await keepSecrets(herd, 'the secret of Alford alone')
  await herd.startServer('Alford')
  await keepSecrets(herd, herd.secret)
  await herd.startServer('Ball')
  // Both dial, so both refuse and are refused.
  await herd.logged('Ball', 'Alford does not hold our secret of herd live')
  await herd.logged('Ball', 'Alford does not hold the secret of herd live')
  await herd.logged('Alford', 'Ball does not hold our secret of herd live')
  await herd.logged('Alford', 'Ball does not hold the secret of herd live')
  assert.ok((await herd.status('Ball')).links.every((link) => !link.open))
})

test('garbage, half a handshake and plain greetings: closed in time, and nobody else notices', async (t) => {
  const link = { ...QUICK_LINK, handshakeMsMax: 500 }
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), settings: { link } })
  await herd.linked()
  const before = await herd.status('Alford')
  const patient = await herd.connect('Alford')
  await patient.send(CLIENT_HELLO_BEGUN)
  for (const bytes of [
    '\x16\x03\x01',
    '\x16\x03\x01\xff\xff',
    `\x16\x03\x01 ${'x'.repeat(5000)}\n`,
    `\x16\x03\x01IAMAT victim +1+1 1\n`,
  ]) {
    const client = await herd.connect('Alford')
    await client.send(Buffer.from(bytes, 'latin1'))
    client.halfClose()
    assert.doesNotMatch(await client.rest(), /^[?A]/)
  }
  const plain = await herd.connect('Alford')
  await plain.send(`${greetLine(greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' }))}\n`)
  assert.equal(await plain.line(), 'HERD 2 refused links to this server are encrypted (link.encryption: psk)')
  // It has said nothing further, and is closed by the time alone.
  await patient.rest()
  await herd.logged('Alford', 'no TLS handshake within 500 ms')
  const after = await herd.status('Alford')
  assert.ok(countOf(after, 'tlsFailed') - countOf(before, 'tlsFailed') >= 5)
  assert.equal(countOf(after, 'linksLost'), countOf(before, 'linksLost'))
  await waitUntil(
    async () => (await herd.status('Alford')).connections <= before.connections,
    'the connections that were refused are gone',
  )
  assert.deepEqual(await herd.table('Alford', ['victim']), ['? WHATSAT victim 1 0'])
})

test('within TLS only a greeting may come, by the one who proved to TLS to be that server', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), started: ['Alford'] })
  const port = herd.port('Alford')
  for (const line of ['IAMAT victim +1+1 1479413884\n', FORGED, 'HERD 2 status\n']) {
    const { client } = await connectTls(t, herd, port, { from: 'Ball' })
    await client.send(line)
    assert.equal(await client.rest(), '')
  }
  const greeting = greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' })
  const posing = await connectTls(t, herd, port, { from: '*' })
  assert.equal(
    await handshakeByHand(posing.client, greeting, herd.secret, posing.channel.binding),
    'no challenge',
  )
  // A proof that leaves out the connection that it is said in, as one would be that was carried over.
  const carried = await connectTls(t, herd, port, { from: 'Ball' })
  assert.match(
    await handshakeByHand(carried.client, greeting, herd.secret),
    /^HERD 2 refused that is not the secret/,
  )
  const honest = await connectTls(t, herd, port, { from: 'Ball' })
  assert.match(
    await handshakeByHand(honest.client, greeting, herd.secret, honest.channel.binding),
    /^HERD 2 welcome /,
  )
  assert.deepEqual(await herd.table('Alford', ['victim']), ['? WHATSAT victim 1 0'])
})

test('TLS and a greeting that come a byte at a time make a link', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), started: ['Alford'] })
  const slow = await bytewise(t, herd.port('Alford'))
  const { client, channel } = await connectTls(t, herd, slow, { from: 'Ball' })
  const greeting = greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' })
  assert.match(await handshakeByHand(client, greeting, herd.secret, channel.binding), /^HERD 2 welcome /)
  await client.send(FORGED)
  assert.deepEqual(await herd.agree(['Alford'], ['victim']), [FORGED.trimEnd()])
})

test('a server of the next version has a link with this one, whatever more it says', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), started: ['Alford'] })
  const { client, channel } = await connectTls(t, herd, herd.port('Alford'), { from: 'Ball' })
  const versions = { min: 2, max: 3 }
  const greeting = greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford', versions })
  const challenged = await greetByHand(client, greeting, channel.binding, ' zip colors=red,green')
  assert.ok(challenged !== undefined)
  const [key] = makeLinkKeys([Buffer.from(herd.secret)], herd.name)
  await client.send(`${proofLine(key, 'proof', challenged.transcript)}\n`)
  assert.equal(await client.line(), proofLine(key, 'welcome', challenged.transcript))
  await client.send(`HERD 2 dance 1 2 3\nHERD 3 sing\n${FORGED}`)
  assert.deepEqual(await herd.agree(['Alford'], ['victim']), [FORGED.trimEnd()])
  const status = await herd.status('Alford')
  assert.ok(status.links.every((link) => link.open))
  assert.equal(countOf(status, 'linkLinesBad'), 0)
})

test('servers that forget after different times have no link, and say so', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: chainOf(PAIR),
    settings: { forgetAfter: '1h' },
    started: ['Alford'],
  })
  const { client, channel } = await connectTls(t, herd, herd.port('Alford'), { from: 'Ball' })
  const greeting = greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford', forgetAfterSeconds: 60 })
  assert.equal(
    await handshakeByHand(client, greeting, herd.secret, channel.binding),
    'HERD 2 refused forgetAfter must be the same in a herd: this server has 3600, the other 60 (seconds)',
  )
})

test('the secret of a herd is changed one server at a time', async (t) => {
  const servers = ['Alford', 'Ball', 'Hamilton']
  // Servers that start may keep the machine busy for a while: that is no reason to lose the link between the others.
  const link = { ...QUICK_LINK, silenceMsMax: 20_000 }
  const herd = await LiveHerd.start(t, {
    servers,
    links: meshOf(servers),
    settings: { link, secretFile: 'herd.secret' },
    env: { HERD_SECRET: '' },
    started: [],
  })
  const [old, next] = [herd.secret, 'the secret of the live tests to come']
  await keepSecrets(herd, old)
  await Promise.all(servers.map((name) => herd.startServer(name)))
  await herd.linked(servers)
  for (const secrets of [[old, next], [next, old], [next]]) {
    await keepSecrets(herd, ...secrets)
    for (const name of servers) {
      const others = servers.filter((other) => other !== name)
      const lost = await lostTo(herd, others)
      await herd.restart(name)
      herd.secret = secrets[0] ?? ''
      await herd.linked(servers)
      // The two that go on have kept the link between them.
      assert.deepEqual(await lostTo(herd, others), lost)
    }
    await herd.report('Alford', `by-${secrets.length}`)
    await herd.agree(servers, [`by-${secrets.length}`])
  }
  herd.secret = old
  await assert.rejects(herd.status('Alford'), /does not hold our secret|no status/)
})

test('links by certificates: each server shows its own, and nobody else’s will do', async (t) => {
  const servers = ['Alford', 'Ball']
  const link = { ...QUICK_LINK, encryption: 'certificates' }
  const files = { caFile: 'ca.pem', certificateFile: '{server}.pem', keyFile: '{server}.key.pem' }
  const options = { servers, links: chainOf(servers), settings: { link: { ...link, ...files } } }
  const certificates: { ca?: string } = {}
  const herd = await LiveHerd.start(t, { ...options, certificates, started: [] })
  const { folder } = herd
  await makeAuthority(folder, 'ca')
  for (const name of [...servers, 'Welsh']) await makeCertificate(folder, 'ca', name, name)
  const welsh = await readCertificates(folder, 'ca', 'Welsh')
  certificates.ca = welsh.ca
  await Promise.all(servers.map((name) => herd.startServer(name)))
  await herd.linked(servers)
  await herd.report('Alford', 'certified')
  await herd.agree(servers, ['certified'])

  const greeting = greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' })
  const encryption = { mode: 'certificates', certificates: welsh } as const
  const { client } = await connectTls(t, herd, herd.port('Alford'), { from: 'Ball', encryption })
  await client.send(`${greetLine(greeting)}\n`)
  assert.equal(await client.line(), 'HERD 2 refused that certificate is not for the name Ball')
  await assert.rejects(
    connectTls(t, herd, herd.port('Alford'), { from: 'Welsh', encryption, to: 'Ball' }),
    /its certificate is not for the name Ball/,
  )
  // A server whose own certificate its neighbors would refuse doesn't start.
  await herd.kill('Ball')
  await makeCertificate(folder, 'ca', 'Ball', 'Welsh')
  await assert.rejects(herd.startServer('Ball'), /the certificate of Ball is not for the name Ball/)
})

test('a server for which no secret can be kept listens on loopback only, and says so', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: chainOf(PAIR),
    settings: { stateFolder: 'Alford.yaml', logs: { folder: 'logs' } },
    env: { HERD_SECRET: '' },
    started: [],
    host: '0.0.0.0',
  })
  await herd.startServer('Alford')
  assert.match(
    herd.output,
    /can't be made in .*until then this server listens on 127\.0\.0\.1 only and has no link/,
  )
  assert.match(await herd.report('Alford', 'alone'), /^AT Alford /)
})

/** Alford dials Ball through a wire that is listened to; Ball can't dial Alford. */
async function listenedTo(t: TestContext): Promise<{ readonly herd: LiveHerd; readonly proxy: LiveProxy }> {
  const [proxy, nowhere] = await Promise.all([LiveProxy.start(t), LiveProxy.start(t)])
  nowhere.cut()
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: chainOf(PAIR),
    settings: { link: QUICK_LINK },
    routes: [
      { from: 'Alford', to: 'Ball', proxy },
      { from: 'Ball', to: 'Alford', proxy: nowhere },
    ],
  })
  await herd.linked()
  return { herd, proxy }
}

async function keepSecrets(herd: LiveHerd, ...secrets: string[]): Promise<void> {
  await writeFile(join(herd.folder, 'herd.secret'), `${secrets.join('\n')}\n`, { mode: 0o600 })
}

/** The links between two servers that were lost; not those of which another one took the place. */
async function lostTo(herd: LiveHerd, [one = '', other = '']: readonly string[]): Promise<string[]> {
  const lines = (await herd.logText(one)).split('\n')
  return lines.filter(
    (line) => line.includes('"link lost"') && line.includes(`"${other}"`) && !/replaced/.test(line),
  )
}

/** A port behind which everything that is sent comes to another port byte by byte. */
async function bytewise(t: TestContext, target: number): Promise<number> {
  const server = createServer((near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
    for (const socket of [near, far]) socket.on('error', () => undefined)
    far.pipe(near)
    near.on('close', () => far.destroy())
    void (async () => {
      for await (const chunk of near as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at++) {
          far.write(chunk.subarray(at, at + 1))
          await nextTurn()
        }
      }
    })().catch(() => undefined)
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await waitUntil(() => server.listening, 'the slow wire is there')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}
