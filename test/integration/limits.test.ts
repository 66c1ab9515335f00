/** Every limit of the herd file on what a client may cost: it bites, says what it says, and is counted. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LineClient } from '../support/live-client.ts'
import { countOf, LiveHerd, waitUntil } from '../support/live-herd.ts'
import { greetByHand, greetingOf } from '../support/live-intruder.ts'
import { startAskingHerd } from '../support/live-places.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'

test('lineBytesMax: a longer line is answered, and the connection closed', async (t) => {
  const herd = await alford(t, { lineBytesMax: 1024 })
  const client = await herd.connect('Alford')
  const longest = 'x'.repeat(1024)
  assert.equal(await client.ask(longest), `? ${longest}`)
  await client.send(`${REPORT}\n${longest}x\n${REPORT}\n`)
  assert.match(await client.line(), /^AT Alford /)
  assert.equal(await client.rest(), '? a line may have at most 1024 bytes\n')
  // Nor does it have to end.
  const endless = await herd.connect('Alford')
  await endless.send(`${longest}x`)
  assert.equal(await endless.rest(), '? a line may have at most 1024 bytes\n')
  assert.equal(await herd.count('Alford', 'linesTooLong'), 2)
})

test('firstLineMsMax: who says nothing, or never ends its first line, has to go', async (t) => {
  const herd = await alford(t, { firstLineMsMax: 300 })
  const talker = await herd.connect('Alford')
  await talker.ask(REPORT)
  const [silent, dawdler] = await Promise.all([herd.connect('Alford'), herd.connect('Alford')])
  await dawdler.send('IAMAT kiwi +1+1 147941388')
  for (const client of [silent, dawdler]) {
    assert.equal(await client.rest(), '? the first line must come within 300 ms\n')
  }
  assert.match(await talker.ask(REPORT), /^AT Alford /)
  assert.equal(await herd.count('Alford', 'firstLinesLate'), 2)
})

test('connectionsMax: one more is told so and closed, and there is room again when one ends', async (t) => {
  const herd = await alford(t, { connectionsMax: 5 })
  const clients = await connected(herd, 5)
  const refused = await herd.connect('Alford')
  assert.equal(await refused.rest(), '? too many connections: limits.connectionsMax (5)\n')
  const elsewhere = await herd.connect('Alford', { from: '127.0.0.2' })
  assert.equal(await elsewhere.rest(), '? too many connections: limits.connectionsMax (5)\n')
  for (const client of clients) assert.match(await client.ask(REPORT), /^AT Alford /)
  clients[0]?.halfClose()
  await clients[0]?.rest()
  await waitUntil(
    async () => (await herd.converse('Alford', `${REPORT}\n`)).startsWith('AT '),
    'there is room',
  )
  const status = await herd.status('Alford')
  assert.ok(countOf(status, 'connectionsRefused') >= 2)
  assert.equal(status.connections, 5)
})

test('connectionsPerAddressMax: another address has its own', async (t) => {
  const herd = await alford(t, { connectionsPerAddressMax: 3 })
  const clients = await connected(herd, 3)
  const refused = await herd.connect('Alford')
  assert.equal(await refused.rest(), '? too many connections: limits.connectionsPerAddressMax (3)\n')
  const elsewhere = await herd.connect('Alford', { from: '127.0.0.2' })
  assert.match(await elsewhere.ask(REPORT), /^AT Alford /)
  clients[0]?.halfClose()
  await clients[0]?.rest()
  await waitUntil(
    async () => (await herd.converse('Alford', `${REPORT}\n`)).startsWith('AT '),
    'there is room',
  )
  assert.ok((await herd.count('Alford', 'connectionsRefused')) >= 1)
})

test('pendingWhatsatsMax: the connection is read no further, and its replies keep their order', async (t) => {
  const { herd, google } = await startAskingHerd(t, { tryMsMax: 700 }, { limits: { pendingWhatsatsMax: 2 } })
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  google.behave('hang', 'hang', 'ok')
  const commands = [1, 2, 3, 4, 5].map((radius) => `WHATSAT kiwi ${radius} 1\nIAMAT after-${radius} +1+1 1\n`)
  await client.send(commands.join(''))
  await google.seen(2)
  await waitUntil(async () => (await herd.count('Alford', 'pausesForWhatsats')) > 0, 'reading pauses')
  assert.equal(google.requests.length, 2)
  assert.deepEqual(await herd.table('Alford', ['after-3']), ['? WHATSAT after-3 1 0'])
  for (const radius of [1, 2, 3, 4, 5]) {
    const { body } = await client.places()
    assert.equal(body.status, radius <= 2 ? 'UNKNOWN_ERROR' : 'OK')
    assert.match(await client.line(), new RegExp(` after-${radius} `))
  }
})

test('replyBytesMax, slowReaderMsMax: who never reads is read no further, then dropped; others notice nothing', async (t) => {
  const herd = await alford(
    t,
    { replyBytesMax: 65_536, slowReaderMsMax: 1500 },
    { logs: { level: 'events' } },
  )
  const before = await herd.memoryMib('Alford')
  const deaf = await herd.connect('Alford', { deaf: true })
  let isGone = false
  deaf.socket.once('close', () => {
    isGone = true
  })
  const other = await herd.connect('Alford')
  deaf.socket.write(Buffer.alloc(64 * 1024 * 1024, `${REPORT}\n`))
  let peak = 0
  while (!isGone) {
    assert.match(await other.ask(REPORT), /^AT Alford /)
    peak = Math.max(peak, await herd.memoryMib('Alford'))
  }
  assert.ok(peak - before < 64, `${before} MiB grew to ${peak} MiB`)
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'slowReadersDropped'), 1)
  assert.ok(countOf(status, 'pausesForReplies') >= 1)
})

test('replyBytesMax: who reads late gets every reply', async (t) => {
  const herd = await alford(t, { replyBytesMax: 65_536 }, { logs: { level: 'events' } })
  const client = await herd.connect('Alford', { deaf: true })
  const lines = 150_000
  const sent = client.send(Buffer.alloc(lines * (REPORT.length + 1), `${REPORT}\n`))
  await waitUntil(async () => (await herd.count('Alford', 'pausesForReplies')) > 0, 'reading pauses')
  client.read()
  client.halfClose()
  await sent
  const replies = await client.rest()
  assert.equal(replies.split('\n').length - 1, lines)
  assert.match(replies, /^(?:AT Alford [^\n]*\n)*$/)
})

test('replyBytesMax: below what a socket buffers by itself, too, who reads late gets every reply', async (t) => {
  const herd = await alford(t, { replyBytesMax: 4096 }, { logs: { level: 'events' } })
  const client = await herd.connect('Alford', { deaf: true })
  const lines = 100_000
  const sent = client.send(Buffer.alloc(lines * (REPORT.length + 1), `${REPORT}\n`))
  await waitUntil(async () => (await herd.count('Alford', 'pausesForReplies')) > 0, 'reading pauses')
  client.read()
  client.halfClose()
  await sent
  assert.equal((await client.rest()).split('\n').length - 1, lines)
})

test('lingerMsMax: a connection at fault that is not closed from outside is closed from inside', async (t) => {
  const herd = await alford(t, { lineBytesMax: 1024, lingerMsMax: 300 })
  const stubborn = await herd.connect('Alford', { deaf: true })
  await stubborn.send(`${'x'.repeat(2000)}\n`)
  await waitUntil(async () => (await herd.status('Alford')).connections === 1, 'it is gone')
})

test('lingerMsMax: does not cut short who has half-closed and reads late', async (t) => {
  const settings = { lingerMsMax: 100, replyBytesMax: 67_108_864, lineBytesMax: 1024 }
  const herd = await alford(t, settings, { logs: { level: 'events' } })
  const late = await herd.connect('Alford', { deaf: true })
  const lines = 200_000
  await late.send(Buffer.alloc(lines * (REPORT.length + 1), `${REPORT}\n`))
  late.halfClose()
  await waitUntil(async () => (await herd.count('Alford', 'iamats')) === lines, 'all is answered')
  // A fence: when this one has lingered for as long as it may, so would the first.
  const fence = await herd.connect('Alford', { deaf: true })
  await fence.send(`${'x'.repeat(2000)}\n`)
  await waitUntil(async () => (await herd.status('Alford')).connections <= 2, 'the fence is gone')
  late.read()
  assert.equal((await late.rest()).split('\n').length - 1, lines)
})

test('lingerMsMax: a server that stops waits no longer for those who take no replies', async (t) => {
  const herd = await alford(t, { lingerMsMax: 300 }, { logs: { level: 'events' } })
  const deaf = await herd.connect('Alford', { deaf: true })
  deaf.socket.write(Buffer.alloc(32 * 1024 * 1024, `${REPORT}\n`))
  await waitUntil(async () => (await herd.count('Alford', 'pausesForReplies')) > 0, 'reading pauses')
  await herd.kill('Alford', 'SIGTERM')
  assert.match(await herd.logText('Alford'), /"event":"server down"/)
})

test('clientsMax: a new client is refused, and those who are known go on', async (t) => {
  const herd = await alford(t, { clientsMax: 3 })
  const client = await herd.connect('Alford')
  for (const name of ['a', 'b', 'c']) assert.match(await client.ask(`IAMAT ${name} +1+1 1`), /^AT Alford /)
  assert.equal(
    await client.ask('IAMAT  d +1+1 1'),
    '? the table is full: it takes 3 clients (limits.clientsMax); the report is not kept',
  )
  assert.equal(await client.ask('WHATSAT d 1 1'), '? WHATSAT d 1 1')
  assert.match(await client.ask('IAMAT c +2+2 2'), /^AT Alford .* c \+2\+2 2$/)
  const status = await herd.status('Alford')
  assert.equal(status.clients, 3)
  assert.equal(countOf(status, 'tableFull'), 1)
})

test('tableBytesMax: what no longer fits is refused, and what is there stays', async (t) => {
  const herd = await alford(t, { tableBytesMax: 1024 * 1024 })
  const client = await herd.connect('Alford')
  const name = (index: number): string => `${index}`.padStart(5, '0').repeat(8000)
  const replies: string[] = []
  for (let index = 0; index < 40; index++) replies.push(await client.ask(`IAMAT ${name(index)} +1+1 1`))
  const taken = replies.filter((reply) => reply.startsWith('AT ')).length
  assert.ok(taken >= 1 && taken * 40_000 <= 1024 * 1024, `${taken} of 40 fit`)
  for (const [index, reply] of replies.entries()) {
    if (index >= taken)
      assert.match(reply, /^\? the table is full: .* 1048576 bytes of text \(limits.tableBytesMax\)/)
  }
  assert.match((await herd.table('Alford', [name(0)]))[0] ?? '', /^AT Alford /)
  const status = await herd.status('Alford')
  assert.equal(status.clients, taken)
  assert.equal(countOf(status, 'tableFull'), 40 - taken)
})

test('fixesPerSecondPerAddressMax: reports wait their turn, none is lost, other addresses don’t wait', async (t) => {
  const herd = await alford(t, { fixesPerSecondPerAddressMax: 100 })
  const count = 250
  const eager = await Promise.all([herd.connect('Alford'), herd.connect('Alford')])
  const startMs = performance.now()
  for (const [connection, client] of eager.entries()) {
    const lines = Array.from({ length: count / 2 }, (_, index) => `IAMAT c${connection}-${index} +1+1 1\n`)
    await client.send(lines.join(''))
  }
  const elsewhere = await herd.connect('Alford', { from: '127.0.0.2' })
  assert.match(await elsewhere.ask(REPORT), /^AT Alford /)
  assert.ok((await herd.status('Alford')).clients < count, 'the eager ones are not through yet')
  for (const [connection, client] of eager.entries()) {
    const replies = await client.lines(count / 2)
    assert.deepEqual(
      replies.map((reply) => reply.split(' ')[3]),
      Array.from({ length: count / 2 }, (_, index) => `c${connection}-${index}`),
    )
  }
  // One second's worth goes at once.
  const secondsMin = (count - 100) / 100
  assert.ok(performance.now() - startMs > secondsMin * 1000 - 50)
  assert.ok((await herd.count('Alford', 'pausesForRate')) >= 2)
})

test('handshakeMsMax: who greets and then says nothing is closed', async (t) => {
  const herd = await alford(t, {}, { link: { handshakeMsMax: 300, encryption: 'none' } })
  const client = await herd.connect('Alford')
  const greeting = greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' })
  assert.ok(await greetByHand(client, greeting))
  assert.equal(await client.rest(), '')
  await herd.logged('Alford', 'took too long')
})

test('handshakeLineBytesMax: a longer greeting is none, a longer proof ends it', async (t) => {
  const herd = await alford(t, {}, { link: { handshakeLineBytesMax: 512, encryption: 'none' } })
  const client = await herd.connect('Alford')
  const zeros = '0'.repeat(32)
  const long = `HERD 2 greet live ${'B'.repeat(512)} Alford ${zeros} ${zeros} 2-2 1479413884`
  assert.equal(await client.ask(long), `? ${long}`)
  const other = await herd.connect('Alford')
  assert.ok(await greetByHand(other, greetingOf({ herd: herd.name, from: 'Ball', to: 'Alford' })))
  await other.send('x'.repeat(513))
  assert.equal(await other.rest(), '')
  await herd.logged('Alford', 'greeting failed')
})

test('places.limits reach the provider: callsPerDayMax', async (t) => {
  const { herd, google } = await startAskingHerd(t, { callsPerDayMax: 1 })
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  assert.equal((await client.whatsat('kiwi', 1)).body.status, 'OK')
  const refused = (await client.whatsat('kiwi', 2)).body
  assert.equal(refused.status, 'OVER_QUERY_LIMIT')
  assert.match(refused.error_message ?? '', /callsPerDayMax/)
  assert.equal((await client.whatsat('kiwi', 1)).body.status, 'OK')
  assert.equal(google.requests.length, 1)
  assert.equal(await herd.count('Alford', 'places.refused'), 1)
})

function alford(
  t: TestContext,
  limits: object,
  settings: Readonly<Record<string, object>> = {},
): Promise<LiveHerd> {
  return LiveHerd.start(t, { servers: ['Alford'], settings: { limits, ...settings } })
}

/** Connections that are known to be accepted: each has been answered. */
async function connected(herd: LiveHerd, count: number): Promise<LineClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => herd.connect('Alford')))
  for (const client of clients) await client.ask(REPORT)
  return clients
}
