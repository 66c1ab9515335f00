import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { HeldDisk } from '../../test/support/held-disk.ts'
import { fc, runs } from '../../test/support/properties.ts'
import type { LogLimits } from './log-file.ts'
import { ServerLog } from './server-log.ts'

const KIB = 1024
const NOON_MS = Date.UTC(2026, 10, 20, 10, 18, 0, 123)
const LIMITS: LogLimits = { fileBytesMax: 1 << 30, filesMax: 8, bufferBytesMax: 64 * KIB }

interface Logged {
  readonly log: ServerLog
  readonly folder: string
  readonly troubles: string[]
  /** How many events were dropped. */
  readonly dropped: () => number
}

/** A log in a folder of its own. */
function openLog(t: TestContext, limits: Partial<LogLimits> = {}, server: string = 'Alford'): Logged {
  const folder = mkdtempSync(join(tmpdir(), 'herd-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const troubles: string[] = []
  let dropped = 0
  const log = new ServerLog({
    folder: join(folder, 'made', 'if need be'),
    server,
    traffic: true,
    limits: { ...LIMITS, ...limits },
    wallMs: () => NOON_MS,
    dropped: () => dropped++,
    trouble: (text) => troubles.push(text),
  })
  return { log, folder: join(folder, 'made', 'if need be'), troubles, dropped: () => dropped }
}

interface LogEvent {
  readonly time: string
  readonly event: string
  readonly connection?: number
  readonly line?: string
  readonly count?: number
}

/** All events of all files, which must be whole. */
function events(folder: string): LogEvent[] {
  return files(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'latin1')
    assert.ok(text === '' || text.endsWith('\n'))
    assert.match(text, /^[\n -~]*$/)
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogEvent)
  })
}

function files(folder: string): string[] {
  return readdirSync(folder).toSorted()
}

function lineIn(log: ServerLog, line: string | Buffer, connection: number = 1): void {
  const bytes = Buffer.concat([Buffer.from('<'), Buffer.from(line), Buffer.from('>\n')])
  log.lineIn(connection, bytes, 1, bytes.length - 2)
}

test('one JSON event a line, in a file named by server and UTC time', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOON_MS })
  const { log, folder } = openLog(t)
  log.event('info', 'server up', { port: 12000, address: '::1', tls: false })
  lineIn(log, Buffer.from('IAMAT "\xff\x1b[31m\r', 'latin1'), 42)
  const out = Buffer.from('xAT one\n? two\n\nthree\ny')
  log.linesOut(42, out, 1, out.length - 1)
  log.event('warning', 'a\nb"\u009b\u2028\u{1f600}', { 'key\n': '\u0085' })
  await log.close()
  assert.deepEqual(files(folder), ['Alford_2026-11-20_10_18_00.log'])
  const time = '2026-11-20T10:18:00.123Z'
  assert.deepEqual(events(folder), [
    { time, event: 'server up', level: 'info', port: 12000, address: '::1', tls: false },
    { time, event: 'in', connection: 42, line: 'IAMAT "\xff\x1b[31m\r' },
    { time, event: 'out', connection: 42, line: 'AT one' },
    { time, event: 'out', connection: 42, line: '? two' },
    { time, event: 'out', connection: 42, line: '' },
    { time, event: 'out', connection: 42, line: 'three' },
    { time, event: 'a\nb"\u009b\u2028\u{1f600}', level: 'warning', 'key\n': '\u0085' },
  ])
})

test('any bytes of a client are in the log as they came', async (t) => {
  const sample = fc.sample(fc.uint8Array({ maxLength: 400 }), runs(300).numRuns)
  const { log, folder, dropped } = openLog(t, { bufferBytesMax: 4 << 20 })
  for (const bytes of sample) lineIn(log, Buffer.from(bytes))
  await log.close()
  assert.equal(dropped(), 0)
  assert.deepEqual(
    events(folder).map(({ line }) => line),
    sample.map((bytes) => Buffer.from(bytes).toString('latin1')),
  )
})

test('a long line is logged by its beginning, and says so', async (t) => {
  const { log, folder } = openLog(t, { bufferBytesMax: 4 << 20 })
  for (const bytes of [4096, 4097, 60_000]) lineIn(log, Buffer.alloc(bytes, 0xff))
  await log.close()
  const beginning = '\xff'.repeat(4096)
  assert.deepEqual(
    events(folder).map(({ line }) => line),
    [beginning, `${beginning}…`, `${beginning}…`],
  )
})

test('while the disk is busy events wait up to the bound, then are dropped, counted and told', async (t) => {
  const disk = new HeldDisk(t)
  const lines = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 150, maxLength: 400 })
  for (const lengths of fc.sample(lines, runs(40).numRuns)) {
    const { log, folder, dropped, troubles } = openLog(t)
    disk.mood = 'holds'
    for (const length of lengths) lineIn(log, 'x'.repeat(length))
    // What fits when the rest of the room is nearly used up must not be lost over saying what was.
    for (let length = 200; length >= 0; length--) lineIn(log, 'y'.repeat(length))
    disk.release()
    await log.close()
    const logged = events(folder)
    const told = logged.filter(({ event }) => event === 'log events dropped')
    assert.equal(logged.length - told.length + dropped(), lengths.length + 201)
    assert.ok(dropped() > 0)
    assert.ok(told.reduce((sum, { count = 0 }) => sum + count, 0) <= dropped())
    assert.deepEqual(troubles, [])
  }
})

test('how many were dropped is told by the first event that finds room', async (t) => {
  const disk = new HeldDisk(t)
  const { log, folder, dropped } = openLog(t)
  disk.mood = 'holds'
  for (let line = 0; line < 1000; line++) lineIn(log, 'x'.repeat(500))
  assert.ok(dropped() > 800)
  disk.release()
  await until(() => disk.underway === 0)
  log.event('info', 'after')
  await log.close()
  const logged = events(folder)
  assert.deepEqual(
    logged.slice(-2).map(({ event, count }) => [event, count]),
    [
      ['log events dropped', dropped()],
      ['after', undefined],
    ],
  )
  assert.equal(logged.length - 2 + dropped(), 1000)
})

test('a disk that writes a part at a time loses nothing', async (t) => {
  const disk = new HeldDisk(t)
  const { log, folder } = openLog(t)
  disk.mood = 'short'
  for (let line = 0; line < 50; line++) lineIn(log, `line ${line}`)
  await log.close()
  assert.deepEqual(
    events(folder).map(({ line }) => line),
    Array.from({ length: 50 }, (_, line) => `line ${line}`),
  )
})

test('a full disk is told once, what it did not take is counted, and the log goes on when it can', async (t) => {
  const disk = new HeldDisk(t)
  const { log, folder, troubles, dropped } = openLog(t)
  disk.mood = 'full'
  let lines = 0
  while (dropped() < 400) {
    lineIn(log, 'x'.repeat(500))
    lines++
    await turn()
  }
  assert.equal(troubles.length, 1)
  assert.match(troubles[0] ?? '', /can't be written.*no space left/)
  disk.mood = 'works'
  while (troubles.length === 1) {
    lineIn(log, 'x'.repeat(500))
    lines++
    await turn()
  }
  lineIn(log, 'last')
  lines++
  await log.close()
  assert.deepEqual(troubles.slice(1), ['the log is written again'])
  const logged = events(folder)
  const told = logged.filter(({ event }) => event === 'log events dropped')
  assert.equal(logged.length - told.length + dropped(), lines)
  assert.deepEqual(
    told.map(({ count }) => count),
    [dropped()],
  )
  assert.equal(logged.at(-1)?.line, 'last')
})

test('a folder that can’t be made is told to whoever opens the log', (t) => {
  const { log, folder } = openLog(t)
  writeFileSync(join(folder, 'file'), '')
  const options = { server: 'Ball', traffic: true, limits: LIMITS, wallMs: () => 0 }
  const silent = { dropped: () => undefined, trouble: () => undefined }
  assert.throws(() => new ServerLog({ ...options, ...silent, folder: join(folder, 'file', 'x') }), /ENOTDIR/)
  return log.close()
})

test('a file that is full is followed by the next, and the oldest of this server go', async (t) => {
  const disk = new HeldDisk(t)
  t.mock.timers.enable({ apis: ['Date'], now: NOON_MS })
  const { log, folder, dropped } = openLog(t, { fileBytesMax: 64 * KIB, filesMax: 3 })
  const others = ['Alford_notes.log', 'Al_2026-11-20_10_18_00.log', 'Alford_2026-11-20_10_18_00.log.gz']
  for (const name of [...others, 'Alford_1999-01-01_00_00_00.log']) writeFileSync(join(folder, name), '')
  for (let second = 0; second < 24; second++) {
    t.mock.timers.setTime(NOON_MS + second * 1000)
    // A buffer takes those of a second, and what is left of the second before.
    for (let line = 0; line < 32; line++) lineIn(log, 'x'.repeat(500))
    await until(() => disk.underway === 0)
  }
  await log.close()
  const ours = files(folder).filter((file) => !others.includes(file))
  assert.equal(ours.length, 3)
  assert.equal(dropped(), 0)
  for (const file of ours) {
    assert.match(file, /^Alford_2026-11-20_10_18_\d\d\.log$/)
    assert.ok(statSync(join(folder, file)).size <= 64 * KIB)
  }
})

/** Lets the disk work until something is so. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}
