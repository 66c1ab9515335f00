/** What may come over a wire in bad faith or bad health: bounded memory, and others notice nothing. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
const MIB = 1024 * 1024
const QUIET_LOG = { level: 'events' }

test('a line of 256 MiB costs no memory, and gets its answer', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { logs: QUIET_LOG } })
  const other = await herd.connect('Alford')
  await other.ask(REPORT)
  const before = await herd.memoryMib('Alford')
  const endless = await herd.connect('Alford')
  const block = Buffer.alloc(MIB, 'x')
  let peak = before
  for (let sent = 0; sent < 256 && !endless.socket.destroyed; sent++) {
    await endless.send(block)
    if (sent % 16 !== 0) continue
    peak = Math.max(peak, await herd.memoryMib('Alford'))
    assert.match(await other.ask(REPORT), /^AT Alford /)
  }
  endless.halfClose()
  assert.equal(await endless.rest(), '? a line may have at most 65536 bytes\n')
  assert.ok(peak - before < 96, `${before} MiB grew to ${peak} MiB`)
})

test('many unfinished lines cost what they hold', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { logs: QUIET_LOG } })
  const before = await herd.memoryMib('Alford')
  const clients = await Promise.all(Array.from({ length: 500 }, () => herd.connect('Alford')))
  for (const client of clients) await client.ask(REPORT)
  const unfinished = Buffer.alloc(60_000, 'x')
  await Promise.all(clients.map((client) => client.send(unfinished)))
  for (const client of clients) await client.send('x')
  const grownMib = (await herd.memoryMib('Alford')) - before
  // 500 × 60 kB, at most twice that in room to grow, and what is read on the way.
  assert.ok(grownMib < 160, `${grownMib} MiB`)
  await Promise.all(
    clients.map(async (client) => {
      assert.equal(await client.ask(''), `? ${'x'.repeat(60_001)}`)
    }),
  )
})

test('10,000 idle connections: bounded memory, and whoever asks is answered at once', async (t) => {
  const count = 10_000
  const filesMax = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  if (filesMax !== 'unlimited' && Number(filesMax) < count + 1000) {
    t.skip(`only ${filesMax} files may be open`)
    return
  }
  const herd = await LiveHerd.start(t, {
    servers: ['Alford'],
    settings: { logs: QUIET_LOG, limits: { firstLineMsMax: 600_000 } },
  })
  const before = await herd.memoryMib('Alford')
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  while (sockets.length < count) {
    const batch = Array.from({ length: 500 }, () => connect({ port: herd.port('Alford'), host: '127.0.0.1' }))
    sockets.push(...batch)
    await Promise.all(batch.map((socket) => once(socket, 'connect')))
  }
  await waitUntil(async () => (await herd.status('Alford')).connections > count, 'all are accepted')
  const grownMib = (await herd.memoryMib('Alford')) - before
  assert.ok(grownMib < 256, `${grownMib} MiB for ${count} connections`)

  const other = await herd.connect('Alford')
  const times: number[] = []
  for (let round = 0; round < 200; round++) {
    const startMs = performance.now()
    await other.ask(REPORT)
    times.push(performance.now() - startMs)
  }
  const median = times.toSorted((a, b) => a - b)[100] ?? Number.NaN
  assert.ok(median < 50, `${median} ms`)
})

test('binary junk in any chunks: each line is copied behind a question mark, and nothing falls over', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'] })
  const random = randomFrom(20261120)
  await Promise.all(
    Array.from({ length: 60 }, async () => {
      const junk = Buffer.from(Array.from({ length: 20_000 }, () => Math.floor(random() * 256)))
      const client = await herd.connect('Alford')
      for (let at = 0; at < junk.length; ) {
        const end = at + 1 + Math.floor(random() * 5000)
        await client.send(junk.subarray(at, end))
        at = end
      }
      client.halfClose()
      const lines = junk.toString('latin1').split('\n')
      // What stands behind the last line end is a line too, unless it is nothing.
      if (lines.at(-1) === '') lines.pop()
      assert.equal(await client.rest(), lines.map((line) => `? ${line}\n`).join(''))
    }),
  )
  assert.match(await herd.converse('Alford', `${REPORT}\n`), /^AT Alford /)
})

test('words of the protocol in any disorder: one reply for each line, and the server lives', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { logs: QUIET_LOG } })
  const random = randomFrom(1479413884)
  const words = [
    'IAMAT',
    'WHOSAT',
    'AT',
    'HERD',
    '1',
    'greet',
    '?',
    '+1-1',
    '+0.1',
    '-',
    '1e9',
    '99999999999',
    '1.5',
    'kiwi',
    '\xff',
    '',
  ]
  const spaces = [' ', '\t', '\r', '\f', '\v', '  ']
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? ''
  const lines = Array.from({ length: 20_000 }, () =>
    Array.from({ length: Math.floor(random() * 8) }, () => pick(words) + pick(spaces)).join(''),
  )
  // A greeting can only come first.
  const replies = await herd.converse('Alford', Buffer.from(`first\n${lines.join('\n')}\n`, 'latin1'))
  const answers = replies.split('\n').slice(1, -1)
  let at = 0
  for (const line of lines) {
    const answer = answers[at++] ?? ''
    if (answer === `? ${line}`) continue
    const [word, ...operands] = line.split(/[ \t\r\f\v]+/).filter((field) => field !== '')
    assert.ok(answer.startsWith('AT Alford ') || answer === '', `${JSON.stringify(line)}: ${answer}`)
    assert.equal(operands.length, 3)
    if (word === 'IAMAT') assert.ok(answer.endsWith(` ${operands.join(' ')}`))
    else {
      assert.equal(word, 'WHOSAT')
      // AT lines, if anyone is near, and an empty line.
      for (let other = answer; other !== ''; other = answers[at++] ?? '') assert.match(other, /^AT Alford /)
    }
  }
  assert.equal(at, answers.length)
})

test('who sends byte after byte, or drops out anywhere, disturbs nobody', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'] })
  const other = await herd.connect('Alford')
  const slow = await Promise.all(Array.from({ length: 20 }, () => herd.connect('Alford')))
  for (const byte of Buffer.from(`${REPORT}\n`)) {
    for (const client of slow) await client.send(Buffer.of(byte))
    assert.match(await other.ask(REPORT), /^AT Alford /)
  }
  for (const client of slow) assert.match(await client.line(), /^AT Alford /)
  for (let cut = 0; cut <= REPORT.length; cut += 5) {
    const client = await herd.connect('Alford')
    await client.send(REPORT.slice(0, cut))
    client.socket.resetAndDestroy()
  }
  await waitUntil(
    async () => (await herd.status('Alford')).connections === 22,
    'those that dropped out are gone',
  )
  assert.match(await other.ask(REPORT), /^AT Alford /)
})

/** Numbers from [0, 1), the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
