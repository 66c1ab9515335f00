/** What one connection may look like: cut, joined, half closed, in any bytes. Replies are the same, and in order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { startAskingHerd } from '../support/live-places.ts'

const TIME = '1479413884.392014450'
const servers = ['Alford']

test('replies keep the order of the commands while a WHATSAT waits for its provider', async (t) => {
  const { herd, google } = await startAskingHerd(t)
  const client = await herd.connect('Alford')
  await client.ask(`IAMAT waiting +1+1 ${TIME}`)
  google.behave({ slowMs: 300 }, 'ok')
  const later = Array.from({ length: 50 }, (_, index) => `IAMAT c${index} +1+1 ${TIME}`)
  await client.send(
    `WHATSAT waiting 10 1\n${later.join('\n')}\nnonsense\nWHATSAT waiting 20 2\nIAMAT last +1+1 ${TIME}\n`,
  )
  const first = await client.places()
  assert.equal(first.body.results.length, 1)
  const replies = await client.lines(51)
  for (const [index, reply] of replies.slice(0, 50).entries()) {
    assert.match(reply, new RegExp(`^AT Alford [+]\\d+\\.\\d{9} c${index} `))
  }
  assert.equal(replies[50], '? nonsense')
  assert.equal((await client.places()).body.results.length, 2)
  assert.match(await client.line(), /^AT Alford .* last /)
})

test('others are answered at once while a WHATSAT waits', async (t) => {
  const { herd, google } = await startAskingHerd(t)
  const asker = await herd.connect('Alford')
  await asker.ask(`IAMAT waiting +1+1 ${TIME}`)
  google.behave('hang')
  await asker.send('WHATSAT waiting 10 1\n')
  await google.seen(1)
  const other = await herd.connect('Alford')
  assert.match(await other.ask(`IAMAT other +1+1 ${TIME}`), /^AT Alford /)
  assert.equal(asker.waitingBytes, 0)
})

test('a half-closed connection gets all its replies, that of a WHATSAT under way too', async (t) => {
  const { herd, google } = await startAskingHerd(t)
  google.behave({ slowMs: 200 })
  const replies = await herd.converse(
    'Alford',
    `IAMAT kiwi +1+1 ${TIME}\nWHATSAT kiwi 10 3\nIAMAT kiwi +2+2 ${TIME}1\nWHATSAT kiwi 10 2\n`,
  )
  assert.match(
    replies,
    /^AT Alford [^{]*\nAT Alford [^{]*\n\{[\s\S]*\}\n\nAT Alford [^{]*\nAT Alford [^{]*\n\{[\s\S]*\}\n\n$/,
  )
})

test('a last line without its end is answered as invalid, and changes nothing', async (t) => {
  const herd = await LiveHerd.start(t, { servers })
  assert.equal(await herd.converse('Alford', `IAMAT cut +1+1 ${TIME}`), `? IAMAT cut +1+1 ${TIME}\n`)
  assert.deepEqual(await herd.table('Alford', ['cut']), ['? WHATSAT cut 1 0'])
  assert.equal(await herd.converse('Alford', ''), '')
})

test('one byte at a time, any two halves, or all at once: the same replies', async (t) => {
  const herd = await LiveHerd.start(t, { servers })
  const commands = Buffer.concat([
    Buffer.from(`IAMAT kiwi +34.068930-118.445127 ${TIME}\r\n\t IAMAT\v b \f +1-1 1.5 \n`),
    Buffer.from(
      '\n \t\r\v\f\nIAMAT kiwi\nat\nIAMAT \xff\xfe\x80\x00 +0+0 0\nWHATSAT \xff\xfe\x80\x00 1 0\n',
      'latin1',
    ),
    Buffer.from(
      'WHATSAT kiwi 1 2\nWHOSAT kiwi 50 20\nWHATSAT nobody 1 2\n\x16\x03\x01\nHERD\nAT x\n? AT\nend',
    ),
  ])
  const whole = masked(await herd.converse('Alford', commands))
  assert.match(
    whole,
    /^AT Alford SKEW kiwi .*\nAT Alford SKEW b \+1-1 1\.5\n\? \n\? {2}\t\r\v\f\n\? IAMAT kiwi\n\? at\n/,
  )
  assert.ok(whole.includes('AT Alford SKEW \xff\xfe\x80\x00 +0+0 0\n'))
  assert.ok(whole.endsWith('\n? end\n'))

  const client = await herd.connect('Alford')
  for (const byte of commands) await client.send(Buffer.of(byte))
  client.halfClose()
  assert.equal(masked(await client.rest()), whole)
  for (let cut = 1; cut < commands.length; cut += 7) {
    const halves = await herd.connect('Alford')
    await halves.send(commands.subarray(0, cut))
    await halves.send(commands.subarray(cut))
    halves.halfClose()
    assert.equal(masked(await halves.rest()), whole)
  }
})

test('thousands of commands in one piece are answered one by one, in order', async (t) => {
  const herd = await LiveHerd.start(t, { servers, settings: { logs: { level: 'events' } } })
  const count = 20_000
  const lines = Array.from({ length: count }, (_, index) =>
    index % 10 === 9
      ? `wrong ${index}`
      : index % 100 === 50
        ? 'WHOSAT c0 1 1'
        : `IAMAT c${index} +${index % 90}+1 ${TIME}`,
  )
  const replies = (await herd.converse('Alford', `${lines.join('\n')}\n`)).split('\n')
  let at = 0
  for (const [index, line] of lines.entries()) {
    const reply = replies[at++] ?? ''
    if (line.startsWith('wrong')) assert.equal(reply, `? ${line}`)
    else if (line.startsWith('WHOSAT')) {
      // The nearest, once there is one, and an empty line.
      if (reply === '') continue
      assert.match(reply, /^AT Alford /)
      assert.equal(replies[at++], '')
    } else assert.match(reply, new RegExp(`^AT Alford [+]\\d+\\.\\d{9} c${index} [+]\\d+[+]1 ${TIME}$`))
  }
  assert.deepEqual(replies.slice(at), [''])
})

test('many connections at once, many commands in flight on each: each gets its own replies in order', async (t) => {
  const herd = await LiveHerd.start(t, { servers, settings: { logs: { level: 'events' } } })
  const conversations = Array.from({ length: 50 }, async (_, connection) => {
    const names = Array.from({ length: 200 }, (_, index) => `c${connection}-${index}`)
    const replies = await herd.converse(
      'Alford',
      names.map((name) => `IAMAT ${name} +1+1 ${TIME}\n`).join(''),
    )
    const answered = replies
      .trimEnd()
      .split('\n')
      .map((reply) => reply.split(' ')[3])
    assert.deepEqual(answered, names)
  })
  await Promise.all(conversations)
  assert.equal((await herd.status('Alford')).clients, 50 * 200)
})

test('a client that goes away in the middle of its replies harms nobody', async (t) => {
  const { herd, google } = await startAskingHerd(t)
  await herd.converse('Alford', `IAMAT kiwi +1+1 ${TIME}\n`)
  google.behave({ slowMs: 50 })
  for (let round = 1; round <= 10; round++) {
    const client = await herd.connect('Alford')
    await client.send(`WHATSAT kiwi ${round} 5\nIAMAT a +1+1 ${TIME}\n`)
    await google.seen(round)
    client.socket.resetAndDestroy()
  }
  await waitUntil(
    async () => (await herd.status('Alford')).connections === 1,
    'only our question is connected',
  )
  assert.match(await herd.converse('Alford', `IAMAT b +1+1 ${TIME}\n`), /^AT Alford /)
})

/** Without the differences, which no two receptions share. */
function masked(replies: string): string {
  return replies.replace(/^AT Alford [+-]\d+\.\d{9} /gm, 'AT Alford SKEW ')
}
