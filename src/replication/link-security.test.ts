import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { makeAuthority, makeCertificate, readCertificates } from '../../test/support/certificates.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { cutPair, firstChunk, type SocketPair, socketPair } from '../../test/support/socket-pairs.ts'
import type { Channel } from './greet.ts'
import { makeLinkKeys } from './link-keys.ts'
import { type LinkEncryption, LinkSecurity, type Secured } from './link-security.ts'

const MS_MAX = 20_000
const SECRET = Buffer.from('a secret of the herd')
const PSK: LinkEncryption = { mode: 'psk' }

function securityOf(name: string, secrets = [SECRET], herd = 'ucla', encryption = PSK): LinkSecurity {
  return new LinkSecurity(encryption, herd, name, makeLinkKeys(secrets, herd))
}

/** Dials Ball; both ends as they are afterwards. */
async function secure(
  { dialing, dialed }: SocketPair,
  dialer: LinkSecurity,
  ball: LinkSecurity,
): Promise<[Secured, Secured]> {
  const accepted = firstChunk(dialed).then((chunk) => ball.accept(dialed, chunk, MS_MAX))
  return Promise.all([dialer.dial(dialing, 'Ball', MS_MAX), accepted])
}

function channelOf(secured: Secured | undefined): Channel {
  assert.ok(secured?.outcome === 'secure', JSON.stringify(secured))
  return secured.channel
}

function reasonsOf(ends: readonly Secured[]): string[] {
  return ends.map((end) => {
    assert.ok(end.outcome === 'refused', JSON.stringify(end))
    return end.reason
  })
}

/** What is written at one end, as the other end reads it. */
async function carry(from: Channel, to: Channel, text: string): Promise<string> {
  from.socket.end(text)
  let read = ''
  for await (const chunk of to.socket as AsyncIterable<Buffer>) read += chunk.toString()
  return read
}

/** Records of a handshake begin with it. */
const TLS_FIRST_BYTE = 0x16

test('two that hold the secret have a connection that is theirs alone', async (t) => {
  const bindings: string[] = []
  for (let round = 0; round < 2; round++) {
    const [one, other] = await secure(await socketPair(t), securityOf('Alford'), securityOf('Ball'))
    const [near, far] = [channelOf(one), channelOf(other)]
    assert.equal(near.binding.length, 32)
    assert.deepEqual(near.binding, far.binding)
    bindings.push(near.binding.toString('hex'))
    assert.equal(far.objection('Alford'), null)
    assert.match(far.objection('Welsh') ?? '', /name different servers/)
    assert.equal(await carry(near, far, 'AT Alford'), 'AT Alford')
  }
  assert.notEqual(bindings[0], bindings[1])
})

test('the longest names fit', async (t) => {
  const [long, herd] = ['A'.repeat(64), 'u'.repeat(64)]
  const [one, other] = await secure(
    await socketPair(t),
    securityOf(long, [SECRET], herd),
    securityOf('Ball', [SECRET], herd),
  )
  assert.equal(channelOf(one).objection('Ball'), null)
  assert.equal(channelOf(other).objection(long), null)
})

test('its bytes may come in any pieces', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
      async (sizes) => {
        const ends = await secure(await cutPair(t, sizes), securityOf('Alford'), securityOf('Ball'))
        const [near, far] = ends.map(channelOf)
        assert.ok(near !== undefined && far !== undefined)
        assert.equal(await carry(near, far, 'AT Alford'), 'AT Alford')
      },
    ),
    runs(8),
  )
})

test('another secret, a secret of another herd: refused, and both sides know why', async (t) => {
  const another = [Buffer.from('another secret')]
  const [one = '', other = ''] = reasonsOf(
    await secure(await socketPair(t), securityOf('Alford', another), securityOf('Ball')),
  )
  const { id } = makeLinkKeys(another, 'ucla')[0]
  assert.equal(one, `Ball does not hold our secret of herd ucla (key ${id})`)
  assert.equal(other, `Alford does not hold the secret of herd ucla (key ${id})`)
  const [, herd] = reasonsOf(
    await secure(await socketPair(t), securityOf('Alford', [SECRET], 'lakers'), securityOf('Ball')),
  )
  assert.equal(herd, 'this is herd ucla')
})

test('while a secret is changed, each of two is accepted', async (t) => {
  const next = Buffer.from('the secret to come')
  for (const dialers of [[SECRET], [next, SECRET], [next]]) {
    const ends = await secure(
      await socketPair(t),
      securityOf('Alford', dialers),
      securityOf('Ball', [SECRET, next]),
    )
    for (const end of ends) channelOf(end)
  }
  reasonsOf(await secure(await socketPair(t), securityOf('Alford', [next, SECRET]), securityOf('Ball')))
})

test('a key that is only named is not held', async (t) => {
  const { dialing, dialed } = await socketPair(t)
  const { id } = makeLinkKeys([SECRET], 'ucla')[0]
  const impostor = connect({
    socket: dialing,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    pskCallback: () => ({ psk: Buffer.alloc(32), identity: `HERD 2 ucla Alford ${id}` }),
  })
  impostor.on('error', () => undefined)
  const [reason] = reasonsOf([await securityOf('Ball').accept(dialed, await firstChunk(dialed), MS_MAX)])
  assert.equal(reason, 'Alford does not hold the secret of herd ucla (it only knows its name)')
})

test('no bytes behind the first of TLS do more than end the connection', async (t) => {
  const ball = securityOf('Ball')
  const record = fc
    .tuple(fc.constantFrom(0x0300, 0x0301, 0x0303), fc.uint8Array({ minLength: 1, maxLength: 600 }))
    .map(([version, body]) => {
      const head = Buffer.from([
        TLS_FIRST_BYTE,
        version >> 8,
        version & 0xff,
        body.length >> 8,
        body.length & 0xff,
      ])
      return Buffer.concat([head, body])
    })
  const anything = fc
    .uint8Array({ maxLength: 600 })
    .map((body) => Buffer.concat([Buffer.of(TLS_FIRST_BYTE), body]))
  await fc.assert(
    fc.asyncProperty(fc.oneof(record, anything), async (bytes) => {
      const { dialing, dialed } = await socketPair(t)
      dialing.end(bytes)
      const end = await ball.accept(dialed, await firstChunk(dialed), MS_MAX)
      assert.equal(end.outcome, 'lost')
      assert.ok(dialed.destroyed)
    }),
    runs(100),
  )
})

test('half a handshake that is held open is given up in time, at either end', async (t) => {
  const { dialing, dialed } = await socketPair(t)
  dialing.write(Buffer.of(TLS_FIRST_BYTE, 3, 1))
  const [one, other] = await Promise.all([
    securityOf('Ball').accept(dialed, await firstChunk(dialed), 50),
    securityOf('Alford').dial((await socketPair(t)).dialing, 'Ball', 50),
  ])
  for (const end of [one, other])
    assert.deepEqual(end, { outcome: 'lost', reason: 'no TLS handshake within 50 ms' })
  assert.ok(dialed.destroyed)
})

test('a server that answers in plain lines is said to speak no TLS', async (t) => {
  for (const answer of [
    'HERD 2 refused links to this server are not encrypted\n',
    '? \x16\x03\x01\n',
    'HTTP/1.1 400\r\n\r\n',
  ]) {
    const { dialing, dialed } = await socketPair(t)
    const answered = firstChunk(dialed).then(() => dialed.write(answer))
    const [reason] = reasonsOf([await securityOf('Alford').dial(dialing, 'Ball', MS_MAX)])
    await answered
    assert.equal(reason, 'Ball does not speak TLS (link.encryption)')
  }
})

test('without encryption a connection is as it was', async (t) => {
  const { dialing } = await socketPair(t)
  const channel = channelOf(
    await securityOf('Alford', [], 'ucla', { mode: 'none' }).dial(dialing, 'Ball', MS_MAX),
  )
  assert.equal(channel.socket, dialing)
  assert.deepEqual(channel.binding, Buffer.alloc(0))
})

/** Two authorities, and certificates for some names. */
async function certificatesOf(
  t: TestContext,
): Promise<(authority: string, file: string) => Promise<LinkEncryption>> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-certificates-'))
  t.after(() => rm(folder, { recursive: true }))
  await Promise.all(['ca', 'stranger'].map((name) => makeAuthority(folder, name)))
  await makeCertificate(folder, 'ca', 'Alford', 'Alford')
  await makeCertificate(folder, 'ca', 'Ball', 'Ball', 'common')
  await makeCertificate(folder, 'stranger', 'false', 'Alford')
  return async (authority, file) => {
    return { mode: 'certificates', certificates: await readCertificates(folder, authority, file) }
  }
}

test('with certificates each side is who its certificate says', async (t) => {
  const certificates = await certificatesOf(t)
  const withOf = async (
    name: string,
    authority: string,
    file: string,
    secrets = [SECRET],
  ): Promise<LinkSecurity> => securityOf(name, secrets, 'ucla', await certificates(authority, file))
  const [alford, ball] = await Promise.all([withOf('Alford', 'ca', 'Alford'), withOf('Ball', 'ca', 'Ball')])

  const [one, other] = (await secure(await socketPair(t), alford, ball)).map(channelOf)
  assert.ok(one !== undefined && other !== undefined)
  assert.deepEqual(one.binding, other.binding)
  assert.equal(other.objection('Alford'), null)
  assert.equal(other.objection('Welsh'), 'that certificate is not for the name Welsh')
  assert.equal(await carry(one, other, 'AT Alford'), 'AT Alford')

  // A certificate of somebody else's: at the end that dials, and at the end that is dialed.
  const thief = await withOf('Alford', 'ca', 'false')
  const [, robbed] = await secure(await socketPair(t), thief, ball)
  assert.match(channelOf(robbed).objection('Alford') ?? '', /^that certificate is not accepted: /)
  const [lured] = reasonsOf([
    (await secure(await socketPair(t), alford, await withOf('Ball', 'ca', 'false')))[0],
  ])
  assert.match(lured ?? '', /certificate/)
  const [misled] = reasonsOf([
    (await secure(await socketPair(t), alford, await withOf('Ball', 'ca', 'Alford')))[0],
  ])
  assert.equal(misled, 'its certificate is not for the name Ball')

  // Nobody's: enough for an operator, who proves the secret later, and only where there is one.
  const { certificates: own } = (await certificates('ca', 'Alford')) as {
    readonly certificates: { readonly ca: string }
  }
  const nobody = securityOf('*', [SECRET], 'ucla', { mode: 'certificates', certificates: { ca: own.ca } })
  const asked = channelOf((await secure(await socketPair(t), nobody, ball))[1])
  assert.equal(asked.objection('*'), null)
  assert.equal(asked.objection('Alford'), 'links to this server take a certificate')
  const secretless = await withOf('Ball', 'ca', 'Ball', [])
  const refused = channelOf((await secure(await socketPair(t), nobody, secretless))[1])
  assert.match(refused.objection('*') ?? '', /this server has no secret/)
})

test('a certificate does not stand in for the secret', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'herd-certificates-'))
  t.after(() => rm(folder, { recursive: true }))
  await makeAuthority(folder, 'ca')
  await makeCertificate(folder, 'ca', 'Ball', 'Ball')
  const { certificate: cert, key } = await readCertificates(folder, 'ca', 'Ball')
  const { dialing, dialed } = await socketPair(t)
  const impostor = createServer({ cert, key })
  impostor.on('tlsClientError', () => undefined)
  impostor.emit('connection', dialed)
  const [reason] = reasonsOf([await securityOf('Alford').dial(dialing, 'Ball', MS_MAX)])
  assert.ok(reason !== undefined)
})

test('a TLS session can not be taken up again without the key', async (t) => {
  const ball = securityOf('Ball')
  const [one, other] = (await secure(await socketPair(t), securityOf('Alford'), ball)).map(channelOf)
  assert.ok(one !== undefined && other !== undefined)
  const sessions: Buffer[] = []
  one.socket.on('session', (session: Buffer) => sessions.push(session))
  assert.equal(await carry(other, one, 'AT Ball'), 'AT Ball')
  assert.ok(sessions.length > 0)
  for (const session of sessions) {
    const { dialing, dialed } = await socketPair(t)
    const again = connect({
      socket: dialing,
      session,
      minVersion: 'TLSv1.3',
      checkServerIdentity: () => undefined,
    })
    again.on('error', () => undefined)
    const end = await ball.accept(dialed, await firstChunk(dialed), MS_MAX)
    assert.notEqual(end.outcome, 'secure')
  }
})
