/** What was answered at a level is there after what that level promises to survive; what isn't is said. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LineClient } from '../support/live-client.ts'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'

const PAIR = ['Alford', 'Ball']
const LINKS = chainOf(PAIR)
/** What nobody waits for is not written within a test. */
const LATE_JOURNAL = { everyMs: 3_600_000 }
const settings = { link: QUICK_LINK, journal: LATE_JOURNAL, limits: { ackMsMax: 15_000 } }

function journalFolder(herd: LiveHerd, name: string): string {
  return join(herd.folder, '.herd', 'journal', name)
}

async function segments(herd: LiveHerd, name: string): Promise<string[]> {
  const names = await readdir(journalFolder(herd, name))
  return names.filter((file) => file.endsWith('.journal')).toSorted()
}

/** The client of an AT line. */
function clientOf(line: string): string {
  const [, , , client = ''] = line.split(' ')
  return client
}

/** Reports one client after the other, several at a time, until the server is gone; those that were answered. */
async function reportUntilGone(client: LineClient, prefix: string, answered: Set<string>): Promise<void> {
  try {
    for (let chunk = 0; ; chunk++) {
      const ids = [0, 1, 2].map((index) => `${prefix}-${chunk}-${index}`)
      await client.send(ids.map((id) => `IAMAT ${id} +1+1 1479413884\n`).join(''))
      for (const line of await client.lines(ids.length)) {
        assert.match(line, /^AT /)
        answered.add(clientOf(line))
      }
    }
  } catch (error) {
    if (!client.isEnded) throw error
  }
}

/** Which of these a server doesn't know. */
async function missing(herd: LiveHerd, name: string, clients: ReadonlySet<string>): Promise<string[]> {
  const table = await herd.table(name, [...clients])
  return table.filter((line) => line.startsWith('? '))
}

test('ACK disk: whatever was answered is there after kill -9, again and again, with no neighbor', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings })
  const answered = new Set<string>()
  for (let life = 0; life < 6; life++) {
    const clients = await Promise.all([1, 2, 3].map(() => herd.connect('Alford')))
    for (const client of clients) assert.equal(await client.ask('ACK disk'), 'ACK disk')
    const before = answered.size
    const reporting = clients.map((client, index) => reportUntilGone(client, `${life}-${index}`, answered))
    await waitUntil(() => answered.size >= before + 60 * life, 'reports are answered')
    await herd.restart('Alford')
    await Promise.all(reporting)
    assert.deepEqual(await missing(herd, 'Alford', answered), [])
  }
  assert.ok(answered.size > 300)
  assert.equal(
    await herd.count('Alford', 'linkLinesIn'),
    0,
    'what is read from the journal came from no neighbor',
  )
})

test('ACK peers:1: whatever was answered is at the neighbor, though the server and its disk are gone', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: LINKS, settings })
  await herd.linked()
  const answered = new Set<string>()
  const client = await herd.connect('Alford')
  assert.equal(await client.ask('ACK peers:1'), 'ACK peers:1')
  const reporting = reportUntilGone(client, 'p', answered)
  await waitUntil(() => answered.size > 100, 'reports are answered')
  await herd.kill('Alford')
  await reporting
  assert.deepEqual(await missing(herd, 'Ball', answered), [])
  await rm(journalFolder(herd, 'Alford'), { recursive: true })
  await herd.startServer('Alford')
  await herd.agree(PAIR, [...answered])
})

test('ACK disk+peers:1: whatever was answered is at both after both were killed', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: LINKS, settings })
  await herd.linked()
  const answered = new Set<string>()
  const client = await herd.connect('Alford')
  assert.equal(await client.ask('ACK disk+peers:1'), 'ACK disk+peers:1')
  const reporting = reportUntilGone(client, 'dp', answered)
  await waitUntil(() => answered.size > 60, 'reports are answered')
  // The other's memory must last until this one's disk is read; then its memory is lost.
  await herd.kill('Alford')
  await reporting
  assert.deepEqual(await missing(herd, 'Ball', answered), [])
  await herd.kill('Ball')
  await herd.startServer('Alford')
  assert.deepEqual(await missing(herd, 'Alford', answered), [])
})

test('a report to which the neighbor says nothing is answered in time, with what it has reached', async (t) => {
  const link = { ...QUICK_LINK, silenceMsMax: 20_000, progressMsMax: 20_000 }
  const limits = { ackMsMax: 1000 }
  const herd = await LiveHerd.start(t, { servers: PAIR, links: LINKS, settings: { link, limits } })
  await herd.linked()
  const client = await herd.connect('Alford')
  assert.equal(await client.ask('ACK disk+peers:1'), 'ACK disk+peers:1')
  assert.match(await client.ask('IAMAT first +1+1 1479413884'), /^AT Alford \S+ first /)
  herd.signal('Ball', 'SIGSTOP')
  const late = /^\? reached disk, not disk\+peers:1, in 1000 ms: AT Alford \S+ kiwi \+1\+1 1479413884$/
  assert.match(await client.ask('IAMAT kiwi +1+1 1479413884'), late)
  assert.equal(await client.ask('ACK peers:1'), 'ACK peers:1')
  // Nobody asked for the disk, but it may have it by then.
  const nowhere = /^\? reached (?:memory|disk), not peers:1, in 1000 ms: AT Alford \S+ emu /
  assert.match(await client.ask('IAMAT emu +1+1 1479413884'), nowhere)
  // Others don't wait.
  assert.match(await herd.report('Alford', 'other'), /^AT Alford /)
  herd.signal('Ball', 'SIGCONT')
  // Late isn't lost.
  await herd.agree(PAIR, ['first', 'kiwi', 'emu', 'other'])
  assert.match(await client.ask('IAMAT kiwi +1+1 1479413885'), /^AT Alford \S+ kiwi /)
  assert.equal(await herd.count('Alford', 'acksLate'), 2)
})

test('a level that the server can’t have is refused with the reason', async (t) => {
  const journal = { keep: false }
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: LINKS,
    settings: { link: QUICK_LINK, journal },
  })
  await herd.linked()
  const client = await herd.connect('Alford')
  assert.equal(await client.ask('ACK peers:9'), '? this server has 1 neighbor that could acknowledge, not 9')
  const noDisk = '? this server keeps no journal (journal.keep), so nothing is on its disk'
  assert.equal(await client.ask('ACK disk'), noDisk)
  assert.equal(await client.ask('ACK disk+peers:1'), noDisk)
  assert.equal(await client.ask('ACK peers:1'), 'ACK peers:1')
  assert.match(await client.ask('IAMAT kiwi +1+1 1479413884'), /^AT Alford /)
  // Without a journal, what one server knows is gone with it, and comes from its neighbor.
  await assert.rejects(segments(herd, 'Alford'), /ENOENT/)
  await herd.restart('Alford')
  await herd.agree(PAIR, ['kiwi'])
})

test('ack: disk in the herd file holds for everybody who asks for nothing else', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { ...settings, ack: 'disk' } })
  const clients = new Set(Array.from({ length: 50 }, (_, index) => `c${index}`))
  for (const client of clients) await herd.report('Alford', client)
  await herd.restart('Alford')
  assert.deepEqual(await missing(herd, 'Alford', clients), [])
  assert.equal(await herd.converse('Alford', 'ACK memory\n'), 'ACK memory\n')
})

test('without ACK, what is older than journal.everyMs is there too, and all after an orderly stop', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { journal: { everyMs: 20 } } })
  await herd.report('Alford', 'kiwi')
  const batches = await herd.count('Alford', 'journalBatches')
  await waitUntil(async () => (await herd.count('Alford', 'journalBatches')) > batches, 'it is written')
  await herd.report('Alford', 'emu')
  await herd.kill('Alford', 'SIGTERM')
  await herd.startServer('Alford')
  assert.deepEqual(await missing(herd, 'Alford', new Set(['kiwi', 'emu'])), [])
})

test('a journal that another process has: the server says so and does not start', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: LINKS,
    settings: { link: QUICK_LINK },
    started: ['Alford'],
  })
  // The same journal for another server: what a copied herd file would do.
  const file = join(herd.folder, 'Ball.yaml')
  const config = JSON.parse(await readFile(file, 'utf8')) as { servers: Record<string, object> }
  const { Alford, Ball } = config.servers
  await writeFile(file, JSON.stringify({ ...config, servers: { Alford: Ball, Ball: Alford } }))
  await writeFile(join(herd.folder, 'Alford.yaml'), await readFile(file))
  const running = herd.pid('Alford')
  await assert.rejects(
    herd.startServer('Alford'),
    /Alford can't start: the journal in .*journal.Alford is in use by another server/,
  )
  // Who has it goes on.
  assert.match(
    await herd.converse('Alford', 'ACK disk\nIAMAT kiwi +1+1 1479413884\n'),
    /^ACK disk\nAT Alford /,
  )
  process.kill(running, 'SIGKILL')
})

test('a last byte that never got to the disk is cut, said in the log, and costs only its batch', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { ...settings, ack: 'disk' } })
  await herd.report('Alford', 'first')
  await herd.report('Alford', 'last')
  await herd.kill('Alford')
  const [name = ''] = await segments(herd, 'Alford')
  const file = join(journalFolder(herd, 'Alford'), name)
  const bytes = await readFile(file)
  await truncate(file, bytes.length - 1)
  await herd.startServer('Alford')
  assert.deepEqual(await missing(herd, 'Alford', new Set(['first', 'last'])), ['? WHATSAT last 1 0'])
  await herd.logged('Alford', `${name} of the journal can't be read from byte`)
  assert.match(await herd.logText('Alford'), /"event":"journal read".*"cutBytes":[1-9]/)
  assert.match(herd.output, /the last \d+ bytes are cut/)
})

test('a byte that changed in the middle: what is missing comes from the neighbor', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: LINKS,
    settings: { link: QUICK_LINK, journal: { everyMs: 50 }, ack: 'disk' },
  })
  await herd.linked()
  const clients = Array.from({ length: 40 }, (_, index) => `c${index}`)
  for (const client of clients.slice(0, 20)) await herd.report('Alford', client)
  await herd.restart('Alford')
  for (const client of clients.slice(20)) await herd.report('Alford', client)
  await herd.agree(PAIR, clients)
  await herd.kill('Alford')
  const [name = ''] = await segments(herd, 'Alford')
  const file = join(journalFolder(herd, 'Alford'), name)
  const bytes = await readFile(file)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(file, bytes)
  await herd.startServer('Alford')
  await herd.agree(PAIR, clients)
  assert.match(await herd.logText('Alford'), /what follows in it is lost, what is later is read/)
  await waitUntil(async () => !(await segments(herd, 'Alford')).includes(name), 'the journal is written anew')
})

test('a server with a journal asks its neighbors only for what it missed', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: PAIR,
    links: LINKS,
    settings: { ...settings, logs: { level: 'events' } },
  })
  await herd.linked()
  const clients = Array.from({ length: 3000 }, (_, index) => `c${index}`)
  const reports = clients.map((client) => `IAMAT ${client} +1+1 1479413884\n`).join('')
  await herd.converse('Ball', `ACK disk+peers:1\n${reports}`)
  await herd.kill('Alford', 'SIGTERM')
  for (let late = 0; late < 10; late++) await herd.report('Ball', `late${late}`)
  await herd.startServer('Alford')
  await herd.agree(PAIR, [...clients, 'late9'])
  assert.equal((await herd.status('Alford')).clients, 3010)
  const lines = await herd.count('Alford', 'linkLinesIn')
  assert.ok(lines <= 20, `${lines} lines came`)
})

const noSmallDisk = await whyNoSmallDisk()
test('a full disk: memory goes on, an alarm tells, and the disk catches up', {
  skip: noSmallDisk,
}, async (t) => {
  const disk = await SmallDisk.mount(t, 512 << 10)
  const journal = { folder: disk.folder, everyMs: 10, retryMs: 50 }
  const herd = await LiveHerd.start(t, {
    servers: ['Alford'],
    settings: { journal, limits: { ackMsMax: 300 } },
  })
  const client = await herd.connect('Alford')
  assert.equal(await client.ask('ACK disk'), 'ACK disk')
  assert.match(await client.ask('IAMAT before +1+1 1479413884'), /^AT /)
  await disk.fill()
  const long = 'x'.repeat(8000)
  const late = /^\? reached memory, not disk, in 300 ms: AT Alford /
  assert.match(await client.ask(`IAMAT ${long} +1+1 1479413884`), late)
  assert.equal(await herd.count('Alford', 'journalFailing'), 1)
  assert.match(await herd.report('Alford', 'other'), /^AT Alford /)
  await waitUntil(async () => (await herd.count('Alford', 'journalFailures')) > 3, 'it is tried again')
  assert.equal(herd.output.match(/the journal can’t be written/g)?.length, 1)
  await disk.free()
  await waitUntil(async () => (await herd.count('Alford', 'journalFailing')) === 0, 'the disk works again')
  assert.match(await client.ask('IAMAT after +1+1 1479413884'), /^AT /)
  await herd.restart('Alford')
  assert.deepEqual(await missing(herd, 'Alford', new Set(['before', long, 'other', 'after'])), [])
})
