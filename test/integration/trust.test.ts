/** Whoever doesn't hold the secret changes nothing but their own location, and the secret shows nowhere. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { greetLine, proofLine, readHandshakeLine } from '../../src/replication/handshake.ts'
import { makeLinkKeys } from '../../src/replication/link-keys.ts'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, waitUntil } from '../support/live-herd.ts'
import { greetByHand, greetingOf, handshakeByHand } from '../support/live-intruder.ts'
import { LiveProxy } from '../support/live-proxy.ts'

const PAIR = ['Alford', 'Ball']
/** Links that everybody can read and write: the greeting alone must do. */
const PLAIN_PAIR = {
  servers: PAIR,
  links: chainOf(PAIR),
  settings: { link: { encryption: 'none' } },
}
const NO_HTTP = { http: { on: false } }
const FORGED = 'AT Ball +0.1 victim +1+1 1479413884\n'

test('a first line that is both a greeting and an HTTP request is the latter', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'] })
  const replies = await herd.converse('Alford', 'HERD / HTTP/1.1\nIAMAT page +1+1 1\n')
  assert.match(replies, /^HTTP\/1\.1 400 /)
  const [page] = await herd.table('Alford', ['page'])
  assert.equal(page, '? WHATSAT page 1 0')
})

test('the same where HTTP is off', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: NO_HTTP })
  const replies = await herd.converse('Alford', 'HERD / HTTP/1.1\nIAMAT page +1+1 1\n')
  assert.equal(replies, '? HERD / HTTP/1.1\n')
})

test('AT from a client is an invalid command, and changes nothing', async (t) => {
  const herd = await pairOf(t)
  const client = await herd.connect('Alford')
  assert.equal(await client.ask(FORGED.trimEnd()), `? ${FORGED.trimEnd()}`)
  // The connection goes on, and what follows shows that the line had no effect here or there.
  assert.equal(await client.ask('WHATSAT victim 10 5'), '? WHATSAT victim 10 5')
  await herd.report('Alford', 'fence')
  await herd.agree(PAIR, ['fence'])
  await nothingChanged(herd)
})

test('a greeting that proves nothing is refused, says why, and changes nothing', async (t) => {
  const herd = await pairOf(t)
  const honest = { herd: herd.name, from: 'Ball', to: 'Alford' }
  const cases = [
    { parts: { ...honest, herd: 'ucla' }, secret: herd.secret, answer: 'no challenge' },
    { parts: { ...honest, to: 'Welsh' }, secret: herd.secret, answer: 'no challenge' },
    {
      parts: honest,
      secret: `${herd.secret}.`,
      answer: 'HERD 2 refused that is not the secret of herd live',
    },
    { parts: honest, secret: '', answer: 'HERD 2 refused that is not the secret of herd live' },
    {
      parts: { ...honest, from: 'Welsh' },
      secret: herd.secret,
      answer:
        "HERD 2 refused Welsh is no neighbor of Alford in the herd file, and doesn't say where it listens",
    },
    {
      parts: { ...honest, from: 'Alford' },
      secret: herd.secret,
      answer: "HERD 2 refused Alford is this server's own name: give each server another",
    },
  ]
  const before = await herd.count('Alford', 'greetingsRefused')
  for (const { parts, secret, answer } of cases) {
    const client = await herd.connect('Alford')
    assert.equal(await handshakeByHand(client, greetingOf(parts), secret), answer)
    await client.send(FORGED)
    client.halfClose()
    assert.equal(await client.rest(), '')
  }
  await nothingChanged(herd)
  await herd.linked()
  assert.equal((await herd.count('Alford', 'greetingsRefused')) - before, cases.length)
})

test('lines that are no proof end the greeting, and are not heeded', async (t) => {
  const herd = await pairOf(t)
  const honest = { herd: herd.name, from: 'Ball', to: 'Alford' }
  for (const line of [
    FORGED,
    'HERD 2 proof\n',
    'HERD 2 proof 00\n',
    `HERD 2 proof ${'0'.repeat(64)} ${'0'.repeat(64)}\n`,
    `HERD 2 welcome ${'0'.repeat(64)}\n`,
    'HERD 2 status\n',
    `${'x'.repeat(2000)}\n`,
    '\n',
  ]) {
    const client = await herd.connect('Alford')
    assert.ok(await greetByHand(client, greetingOf(honest)))
    await client.send(line + FORGED)
    assert.doesNotMatch(await client.rest(), /welcome|status \{/)
  }
  await nothingChanged(herd)
})

test('a malformed greeting is an invalid command like any other', async (t) => {
  const herd = await pairOf(t)
  const hex = '0123456789abcdef'.repeat(2)
  for (const line of [
    'HERD',
    'HERD 2',
    'HERD 2 greet',
    `HERD 2 greet live Ball Alford ${hex}`,
    `HERD 2 greet live Ball Alford ${hex} ${hex} 2-2`,
    `HERD 2 greet live Ball Alford ${hex} ${hex.toUpperCase()} 2-2 1.5`,
    `HERD 2 greet live Ball Alford ${hex}0 ${hex} 2-2 1.5`,
    `HERD 2 greet live Ball Alford ${hex} ${hex} 3-2 1.5`,
    `HERD one greet live Ball Alford ${hex} ${hex}`,
    `HERD 2 proof ${hex}${hex}`,
    'HERD 2 status',
    'HERD 2 ping',
    `HERD 2 greet live ${'B'.repeat(2000)} Alford ${hex} ${hex} 2-2 1.5`,
  ]) {
    const client = await herd.connect('Alford')
    assert.equal(await client.ask(line), `? ${line}`)
    assert.match(await client.ask('IAMAT somebody +1+1 1479413884'), /^AT Alford /)
    // Only the first line of a connection can be a greeting.
    const late = greetLine(greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' }))
    assert.equal(await client.ask(late), `? ${late}`)
  }
})

test('another version of the link protocol is refused, and a reset behind it harms nobody', async (t) => {
  const herd = await pairOf(t)
  const before = (await herd.status('Alford')).connections
  for (let round = 0; round < 20; round++) {
    const client = await herd.connect('Alford')
    await client.send('HERD 1 greet live Ball Alford and more\n')
    assert.equal(await client.line(), 'HERD 2 refused this server speaks versions 2-2 of the link protocol')
    if (round % 2 === 0) {
      await client.send(FORGED)
      client.socket.resetAndDestroy()
    } else {
      client.halfClose()
      assert.equal(await client.rest(), '')
    }
  }
  await waitUntil(
    async () => (await herd.status('Alford')).connections <= before,
    'the refused connections are gone',
  )
  await nothingChanged(herd)
})

test('a handshake that was overheard opens nothing when it is played again', async (t) => {
  const proxy = await LiveProxy.start(t)
  const nowhere = await LiveProxy.start(t)
  nowhere.cut()
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: chainOf(PAIR),
    settings: { link: { ...QUICK_LINK, encryption: 'none' } },
    routes: [
      { from: 'Alford', to: 'Ball', proxy },
      { from: 'Ball', to: 'Alford', proxy: nowhere },
    ],
  })
  await herd.linked()
  await herd.report('Alford', 'overheard')
  await herd.agree(PAIR, ['overheard'])
  const heard = proxy.recordings.map(({ up }) => Buffer.concat(up))
  const handshake = heard.find((bytes) => bytes.includes('AT Alford '))
  assert.ok(handshake !== undefined)
  await herd.kill('Alford')
  await herd.restart('Ball')

  // All of it at once; and line by line, in step with the answers.
  const hasty = await herd.converse('Ball', handshake)
  assert.match(hasty, /^HERD 2 challenge .*\nHERD 2 refused that is not the secret of herd live\n$/)
  const patient = await herd.connect('Ball')
  const [greeting = '', ...rest] = handshake.toString('latin1').split('\n')
  assert.match(await patient.ask(greeting), /^HERD 2 challenge /)
  assert.equal(await patient.ask(rest.join('\n')), 'HERD 2 refused that is not the secret of herd live')
  const { clients, links } = await herd.status('Ball')
  assert.equal(clients, 0)
  assert.ok(links.every((link) => !link.open))
})

test('what a server proves can’t be turned against it', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: chainOf(PAIR),
    settings: { link: { ...QUICK_LINK, encryption: 'none' } },
    started: ['Alford'],
  })
  // We are Ball, and don't know the secret: Alford dials us and greets.
  const dialed = Promise.withResolvers<Socket>()
  const ball = createServer((socket) => {
    socket.on('error', () => undefined)
    dialed.resolve(socket)
  })
  ball.listen(herd.port('Ball'), '127.0.0.1')
  t.after(() => ball.close())
  const inward = await dialed.promise
  t.after(() => inward.destroy())
  const alfords = readHandshakeLine(await nextLine(inward))
  assert.ok(alfords.type === 'greet')

  // We dial Alford with the same run and nonce, and hand its challenge back to it.
  const { run, nonce } = alfords.greeting
  const outward = await herd.connect('Alford')
  const parts = { herd: herd.name, from: 'Ball', to: 'Alford', run, nonce }
  const challenged = await greetByHand(outward, greetingOf(parts))
  assert.ok(challenged !== undefined)
  inward.write(`${challenged.transcript.challenge}\n`)
  const proof = await nextLine(inward)
  assert.match(proof, /^HERD 2 proof [0-9a-f]{64}$/)
  assert.equal(await outward.ask(proof), 'HERD 2 refused that is not the secret of herd live')
  // Its own proof, called a welcome, is none.
  inward.write(`${proof.replace('proof', 'welcome')}\n${FORGED}`)
  await once(inward, 'close')
  await herd.logged('Alford', 'Ball does not hold the secret of herd live')
  const { clients, links } = await herd.status('Alford')
  assert.equal(clients, 0)
  assert.ok(links.every((link) => !link.open))
})

test('who is believed: a neighbor that has proved the secret, and its AT lines', async (t) => {
  const herd = await LiveHerd.start(t, { ...PLAIN_PAIR, started: ['Alford'] })
  const client = await herd.connect('Alford')
  const challenged = await greetByHand(client, greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' }))
  assert.ok(challenged !== undefined)
  const [key] = makeLinkKeys([Buffer.from(herd.secret)], herd.name)
  await client.send(`${proofLine(key, 'proof', challenged.transcript)}\n${FORGED}`)
  assert.equal(await client.line(), proofLine(key, 'welcome', challenged.transcript))
  assert.deepEqual(await herd.agree(['Alford'], ['victim']), [FORGED.trimEnd()])
})

test('the secret and the proofs of it show in no log, status or output', async (t) => {
  const herd = await pairOf(t)
  const honest = { herd: herd.name, from: 'Welsh', to: 'Alford' }
  await handshakeByHand(await herd.connect('Alford'), greetingOf(honest), herd.secret)
  const statuses = await Promise.all(PAIR.map((name) => herd.status(name)))
  await herd.logged('Alford', 'greeting failed')
  await Promise.all(PAIR.map((name) => herd.kill(name, 'SIGTERM')))
  const logs = await Promise.all(PAIR.map((name) => herd.logText(name)))
  for (const text of [JSON.stringify(statuses), herd.output, ...logs]) {
    assert.ok(!text.includes(herd.secret))
    assert.ok(!text.includes(Buffer.from(herd.secret).toString('hex')))
    assert.ok(!text.includes(Buffer.from(herd.secret).toString('base64')))
    assert.doesNotMatch(text, /(?:proof|welcome) [0-9a-f]{64}/)
  }
})

for (const head of [
  'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n',
  'POST /IAMAT HTTP/1.0\n\n',
  'GET /%0AIAMAT%20victim%20+1+1%201479413884 HTTP/1.1\r\nX: y\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
]) {
  const name = JSON.stringify(head.slice(0, 20))
  test(`an HTTP request is not taken for lines: ${name}`, async (t) => {
    const herd = await pairOf(t)
    const client = await herd.connect('Alford')
    const slow = await herd.connect('Alford')
    await client.send(`${head}IAMAT victim +1+1 1479413884\r\n\r\n`)
    client.halfClose()
    assert.match(await client.rest(), /^HTTP\/1\.1 4\d\d /)
    // Byte by byte it is the same request.
    for (const byte of Buffer.from(`${head}IAMAT victim +1+1 1479413884\n\n`))
      await slow.send(Buffer.of(byte))
    slow.halfClose()
    assert.match(await slow.rest(), /^HTTP\/1\.1 4\d\d /)
    await nothingChanged(herd)
  })

  test(`nor where HTTP is off: ${name}`, async (t) => {
    const herd = await pairOf(t, NO_HTTP)
    const client = await herd.connect('Alford')
    await client.send(`${head}IAMAT victim +1+1 1479413884\r\n`)
    const requestLine = head.slice(0, head.indexOf('\n'))
    assert.equal(await client.rest(), `? ${requestLine}\n`)
    // Byte by byte it is the same request.
    const slow = await herd.connect('Alford')
    for (const byte of Buffer.from(`${head}IAMAT victim +1+1 1479413884\n`)) await slow.send(Buffer.of(byte))
    assert.equal(await slow.rest(), `? ${requestLine}\n`)
    await nothingChanged(herd)
    assert.equal(await herd.count('Alford', 'httpRefused'), 2)
  })
}

test('nothing that a client sends can forge an event of the log or move a terminal', async (t) => {
  const herd = await pairOf(t)
  const hostile = [
    'IAMAT \x1b[31mred\x07 +1+1 1479413884',
    'IAMAT "}{"event":"link open" +1+1 1479413884',
    'no command\r{"time":"2026-11-20T10:18:00.000Z","event":"forged","level":"error"}',
    'back\\slash \\u001b[2J \b\x7f \x00',
    'c1 \x9b31m and \x85 and \xe2\x80\xa8 and \xff\xfe',
  ]
  const client = await herd.connect('Alford')
  for (const line of hostile) await client.send(Buffer.from(`${line}\n`, 'latin1'))
  await client.lines(hostile.length)
  // What an event says of a greeting is the peer's own text too.
  const sly = { herd: '\x1b[31m"\u009b\u2028', from: '\x1b]0;owned\x07', to: 'Alford' }
  const greeter = await herd.connect('Alford')
  await greeter.send(`${greetLine(greetingOf(sly))}\n`)
  await greeter.rest()
  await herd.logged('Alford', 'greeting failed')
  await herd.kill('Alford', 'SIGTERM')

  const log = await herd.logText('Alford')
  assert.match(log, /^[\n\x20-\x7e]*$/)
  const events = log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(!events.some(({ event }) => event === 'forged'))
  const lines = events.filter(({ event }) => event === 'in').map(({ line }) => line)
  for (const line of hostile) assert.ok(lines.includes(line), JSON.stringify(line))
  assert.ok(!herd.output.includes('\x1b'))
})

async function pairOf(t: TestContext, settings: object = {}): Promise<LiveHerd> {
  const herd = await LiveHerd.start(t, {
    ...PLAIN_PAIR,
    settings: { ...PLAIN_PAIR.settings, ...settings },
  })
  await herd.linked()
  return herd
}

/** The victim of the forged lines is unknown, and the one link is there. */
async function nothingChanged(herd: LiveHerd): Promise<void> {
  for (const name of PAIR) assert.deepEqual(await herd.table(name, ['victim']), ['? WHATSAT victim 1 0'])
  for (const name of PAIR) {
    const status = await herd.status(name)
    assert.ok(status.links.every((link) => link.open))
    assert.equal(countOf(status, 'linksOpened') - countOf(status, 'linksLost'), 1)
  }
}

async function nextLine(socket: Socket): Promise<string> {
  let text = ''
  while (!text.includes('\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    text += chunk.toString('latin1')
  }
  return text.slice(0, text.indexOf('\n'))
}
