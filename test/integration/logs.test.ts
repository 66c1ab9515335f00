/** The logs of real servers: what is in them, how far they grow, and that no log ever stops a server. */
import assert from 'node:assert/strict'
import { readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
const servers = ['Alford']

test('every line in and out, with its connection; links, connections, start and stop', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford', 'Ball'], links: [['Alford', 'Ball']] })
  await herd.linked()
  const at = await herd.report('Alford', 'kiwi')
  await herd.agree(['Alford', 'Ball'], ['kiwi'])
  await herd.kill('Ball', 'SIGTERM')
  await herd.logged('Alford', 'link lost')
  await herd.kill('Alford', 'SIGTERM')
  const events = eventsOf(await herd.logText('Alford'))
  const names = events.map(({ event }) => event)
  assert.deepEqual(names.slice(0, 2), ['journal read', 'server up'])
  assert.equal(names.at(-1), 'server down')
  for (const name of ['link open', 'link lost', 'connection open', 'connection closed']) {
    assert.ok(names.includes(name), name)
  }
  const heard = events.find(({ event, line }) => event === 'in' && line?.startsWith('IAMAT kiwi'))
  const said = events.find(({ event, line }) => event === 'out' && line === at)
  assert.equal(heard?.connection, said?.connection)
  assert.ok(
    events.some(
      ({ event, line, connection }) => event === 'out' && line === at && connection !== said?.connection,
    ),
  )
  for (const { time } of events) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  for (const file of await logFiles(herd)) assert.match(file, /^\w+_\d{4}-\d\d-\d\d_\d\d_\d\d_\d\d\.log$/)
})

test('logs.level events: no line of any client is logged', async (t) => {
  const herd = await LiveHerd.start(t, { servers, settings: { logs: { level: 'events' } } })
  await herd.converse('Alford', `${REPORT}\nnonsense of a client\n`)
  await herd.kill('Alford', 'SIGTERM')
  const log = await herd.logText('Alford')
  assert.doesNotMatch(log, /kiwi|nonsense|"event":"(?:in|out)"/)
  assert.match(log, /"event":"connection open"/)
})

test('logs.bufferBytesMax: what the disk can’t take in time is dropped and counted, whatever its size', async (t) => {
  const herd = await LiveHerd.start(t, { servers, settings: { logs: { bufferBytesMax: 65_536 } } })
  // Lines of every length, so that the buffer is left with every amount of room.
  const lines = Array.from({ length: 5000 }, (_, index) => 'x'.repeat((index * 7) % 300))
  for (let round = 0; round < 5; round++) {
    const replies = await herd.converse('Alford', `${lines.join('\n')}\n`)
    assert.equal(replies.split('\n').length - 1, lines.length)
  }
  assert.ok((await herd.count('Alford', 'logDropped')) > 0)
  await herd.logged('Alford', 'log events dropped')
  await herd.kill('Alford', 'SIGTERM')
  eventsOf(await herd.logText('Alford'))
})

test('logs.fileBytesMax, logs.filesMax: a full file is followed by the next, and the oldest goes', async (t) => {
  const logs = { fileBytesMax: 65_536, filesMax: 2 }
  const herd = await LiveHerd.start(t, { servers, settings: { logs } })
  const seen = new Set<string>()
  let most = 0
  await waitUntil(async () => {
    await herd.converse('Alford', `${REPORT}\n`.repeat(300))
    const files = await logFiles(herd)
    most = Math.max(most, files.length)
    for (const file of files) seen.add(file)
    return seen.size >= 4
  }, 'there have been four files')
  // One more for the moment in which the next is there and the oldest still is.
  assert.ok(most <= 3, `${most} files`)
  await waitUntil(async () => (await logFiles(herd)).length === 2, 'two files are kept')
  const [oldest] = [...seen].toSorted()
  assert.ok(!(await logFiles(herd)).includes(oldest ?? ''))
  assert.match(await herd.converse('Alford', `${REPORT}\n`), /^AT Alford /)
})

test('logs.fileBytesMax holds for each file, however fast it is written', async (t) => {
  const logs = { fileBytesMax: 65_536, filesMax: 100, bufferBytesMax: 65_536 }
  const herd = await LiveHerd.start(t, { servers, settings: { logs } })
  for (let round = 0; round < 20; round++) await herd.converse('Alford', `${REPORT}\n`.repeat(100))
  await herd.kill('Alford', 'SIGTERM')
  const folder = join(herd.folder, '.herd', 'logs')
  for (const file of await logFiles(herd)) {
    const { size } = await stat(join(folder, file))
    assert.ok(size <= logs.fileBytesMax, `${file} has ${size} bytes`)
  }
})

test('a log folder that is gone is told, and the server goes on', async (t) => {
  const herd = await LiveHerd.start(t, { servers, settings: { logs: { fileBytesMax: 65_536 } } })
  const folder = join(herd.folder, '.herd', 'logs')
  await rename(folder, `${folder}-elsewhere`)
  await writeFile(folder, 'where a folder was')
  await waitUntil(async () => {
    assert.match(await herd.converse('Alford', `${REPORT}\n`.repeat(300)), /^AT Alford /)
    return herd.output.includes("the log can't be written")
  }, 'it says so')
  assert.match(await herd.converse('Alford', `${REPORT}\n`), /^AT Alford /)
})

interface LoggedEvent {
  readonly time: string
  readonly event: string
  readonly connection?: number
  readonly line?: string
}

function eventsOf(log: string): LoggedEvent[] {
  return log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LoggedEvent)
}

async function logFiles(herd: LiveHerd): Promise<string[]> {
  return readdir(join(herd.folder, '.herd', 'logs'))
}
