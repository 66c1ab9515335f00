import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JOURNAL, JournaledServer, type LifeOptions, MemoryLink } from '../../test/support/memory-journal.ts'
import { appendAll, makeDisk, openJournal } from '../../test/support/virtual-journal.ts'

/** The AT line of a report. */
function at(client: string, time: number, server = 'Alford'): string {
  return `AT ${server} +0.000000000 ${client} +1+1 ${time}`
}

/** Reports some clients at a time. */
function reportAll({ server }: JournaledServer, clients: number, time: number): void {
  for (let client = 0; client < clients; client++) server.takeAt(at(`c${client}`, time))
}

/** What a server holds of each run, by the run's name. */
function vectorOf({ server }: JournaledServer): Record<string, number> {
  const { vector, runs } = server.replica
  const entries: [string, number][] = []
  for (let run = 1; run < runs.end; run++) {
    const known = runs.get(run)
    if (known !== null && vector.seq(run) > 0) entries.push([`${known.server} ${known.id}`, vector.seq(run)])
  }
  return Object.fromEntries(entries)
}

const SMALL: LifeOptions = { limits: { batchBytesMax: 200, compactBytesMin: 2000 } }

test('what was reported is there after an orderly stop, with the same vector', async () => {
  const disk = makeDisk()
  const first = await JournaledServer.open(disk, 'Alford', 1)
  reportAll(first, 20, 1)
  reportAll(first, 5, 2)
  await first.stop()
  const second = await JournaledServer.open(disk, 'Alford', 2)
  assert.deepEqual(second.server.lines, first.server.lines)
  assert.deepEqual(vectorOf(second), vectorOf(first))
  assert.deepEqual(vectorOf(second), { 'Alford 1': 25 })
})

test('while nobody waits, what is new is written together, once in a while', async () => {
  const disk = makeDisk()
  const life = await JournaledServer.open(disk, 'Alford', 1)
  const batches = (): number => life.server.counters.journalBatches
  await life.elapse(1000)
  const before = batches()
  for (let time = 1; time <= 50; time++) {
    reportAll(life, 10, time)
    await life.elapse(10)
  }
  assert.equal(batches(), before)
  await life.elapse(1000)
  assert.equal(batches(), before + 1)
  await life.elapse(10_000)
  assert.equal(batches(), before + 1, 'there is nothing new')
  assert.ok(disk.bytes < 2000, 'only the newest of each client was written')
})

test('what comes while a batch is written waits for the next one', async () => {
  const disk = makeDisk()
  const life = await JournaledServer.open(disk, 'Alford', 1)
  await life.elapse(1000)
  const before = life.server.counters.journalBatches
  reportAll(life, 10, 1)
  disk.fault = (operation) => {
    if (operation === 'sync') reportAll(life, 10, 2)
    return null
  }
  await life.elapse(1000)
  assert.equal(life.server.counters.journalBatches, before + 1)
})

test('whoever waits for the disk doesn’t wait for the next time, also for what was reported before', async () => {
  const disk = makeDisk()
  const life = await JournaledServer.open(disk, 'Alford', 1, { limits: { everyMs: 1e9 } })
  reportAll(life, 3, 1)
  await life.synced()
  disk.losePower()
  const next = await JournaledServer.open(disk, 'Alford', 2)
  assert.equal(next.server.lines.length, 3)
})

test('what was kept without the claim behind it is taken for the new run', async () => {
  const disk = makeDisk()
  const life = await JournaledServer.open(disk, 'Alford', 1, { limits: { batchBytesMax: 100 } })
  reportAll(life, 9, 1)
  await life.synced()
  disk.kill()
  // The last batch holds the claim.
  const file = disk.file(JOURNAL, '0000000001.journal')
  file.truncate(file.bytes.length - 1)
  const next = await JournaledServer.open(disk, 'Alford', 2)
  assert.ok(next.report.cutBytes > 0)
  const { length } = next.server.lines
  assert.ok(length >= 6 && length <= 9)
  assert.deepEqual(vectorOf(next), { 'Alford 2': length })
  // Once that is on the disk, it isn't taken over again and again.
  await next.synced()
  await next.stop()
  const last = await JournaledServer.open(disk, 'Alford', 3)
  assert.deepEqual(vectorOf(last), { 'Alford 2': length })
})

test('a journal is written anew when it is long, and the older segments go', async () => {
  const disk = makeDisk()
  const life = await JournaledServer.open(disk, 'Alford', 1, SMALL)
  let longest = 0
  let compactions = 0
  for (let time = 1; time <= 200; time++) {
    const { segments } = life.files
    reportAll(life, 20, time)
    await life.elapse(1000)
    longest = Math.max(longest, disk.bytes)
    if (disk.names(JOURNAL)[0] !== '0000000001.journal' && life.files.segments <= segments) compactions++
  }
  assert.ok(compactions > 0)
  // Twice what must be held and the bound; while it is written anew, that once more; and a batch.
  const needed = 20 * 60
  assert.ok(longest < 2 * needed + 2000 + needed + 1200 + 400, `${longest} bytes`)
  disk.losePower()
  const next = await JournaledServer.open(disk, 'Alford', 2, SMALL)
  assert.deepEqual(next.server.lines, life.server.lines)
})

test('many short lives leave few segments behind', async () => {
  const disk = makeDisk()
  let most = 0
  for (let life = 1; life <= 30; life++) {
    const server = await JournaledServer.open(disk, 'Alford', life)
    reportAll(server, 3, life)
    await server.synced()
    await server.elapse(1000)
    most = Math.max(most, server.files.segments)
    disk.kill()
  }
  assert.ok(most <= 9, `${most} segments`)
})

test('a process that ends in the middle of writing anew has lost nothing', async () => {
  for (let operations = 1; operations < 40; operations++) {
    const disk = makeDisk(() => 0.5)
    const life = await JournaledServer.open(disk, 'Alford', 1, SMALL)
    reportAll(life, 20, 1)
    await life.synced()
    const { lines } = life.server
    let left = operations
    disk.fault = () => {
      if (left-- === 0) {
        life.die()
        disk.losePower()
      }
      return null
    }
    for (let time = 2; time < 8; time++) {
      reportAll(life, 20, time)
      await life.elapse(1000)
    }
    disk.fault = () => null
    disk.kill()
    const next = await JournaledServer.open(disk, 'Alford', 2, SMALL)
    assert.deepEqual(next.report.damaged, [])
    assert.equal(next.server.lines.length, lines.length, `after ${operations} operations`)
  }
})

test('a segment that is damaged in the middle: no claim is believed, and a neighbor brings what is missing', async () => {
  const disk = makeDisk()
  let life = await JournaledServer.open(disk, 'Alford', 1)
  const neighbor = await JournaledServer.open(makeDisk(), 'Ball', 1)
  const link = new MemoryLink(life.server, neighbor.server)
  reportAll(life, 20, 1)
  await life.synced()
  neighbor.server.takeAt(at('of-Ball', 3, 'Ball'))
  link.settle()
  await life.stop()
  link.close()
  life = await JournaledServer.open(disk, 'Alford', 2)
  reportAll(life, 5, 2)
  await life.synced()
  disk.kill()

  const file = disk.file(JOURNAL, '0000000001.journal')
  file.damage(Math.floor(file.bytes.length / 2), 4)
  const next = await JournaledServer.open(disk, 'Alford', 3)
  assert.deepEqual(next.report.damaged, [1])
  assert.match(next.troubles.join('\n'), /0000000001\.journal .*checksum/)
  assert.deepEqual(
    Object.keys(vectorOf(next)),
    ['Alford 3'],
    'it claims only what it has given numbers itself',
  )
  const again = new MemoryLink(next.server, neighbor.server)
  again.settle()
  assert.deepEqual(next.server.lines, neighbor.server.lines)
  assert.equal(next.server.lines.length, 21)
  // The damaged segment is written anew at once, and then believed.
  await next.elapse(1000)
  await next.stop()
  const last = await JournaledServer.open(disk, 'Alford', 4)
  assert.deepEqual(last.report.damaged, [])
  assert.deepEqual(last.server.lines, next.server.lines)
})

test('a full disk: the server goes on, says so once, and writes what is missing when there is room', async () => {
  const disk = makeDisk(() => 0.5)
  const life = await JournaledServer.open(disk, 'Alford', 1)
  reportAll(life, 20, 1)
  await life.synced()
  const bytes = disk.bytes
  disk.bytesMax = bytes + 300
  reportAll(life, 20, 2)
  await assert.rejects(life.synced())
  assert.equal(life.server.counters.journalFailing, 1)
  for (let tries = 0; tries < 20; tries++) await life.elapse(5000)
  assert.ok(life.server.counters.journalFailures > 10)
  assert.equal(life.troubles.length, 1)
  assert.match(life.troubles[0] ?? '', /can’t be written.*ENOSPC/)
  assert.ok(disk.names(JOURNAL).length <= 2, 'tries leave no files behind')

  // Room for what is missing, but not for everything once more.
  disk.bytesMax = bytes + 1500
  await life.elapse(5000)
  await life.synced()
  assert.equal(life.server.counters.journalFailing, 0)
  assert.deepEqual(life.troubles.slice(1), ['the journal can be written again'])
  disk.losePower()
  const next = await JournaledServer.open(disk, 'Alford', 2)
  assert.deepEqual(next.server.lines, life.server.lines)
})

test('no room to write the journal anew: it goes on as it was, and what was begun gives its room back', async () => {
  const disk = makeDisk(() => 0.5)
  const life = await JournaledServer.open(disk, 'Alford', 1, SMALL)
  reportAll(life, 20, 1)
  await life.synced()
  disk.bytesMax = 2900
  let failed = 0
  for (let time = 2; time < 12; time++) {
    reportAll(life, 10, time)
    await life.elapse(1000)
    if (life.server.counters.journalFailing === 0) continue
    failed++
    await life.elapse(5000)
    // Nothing is lost by it, and what is new has its room again.
    if (life.server.counters.journalFailing === 0) break
  }
  assert.equal(failed, 1)
  await life.synced()
  disk.losePower()
  const next = await JournaledServer.open(disk, 'Alford', 2, SMALL)
  assert.deepEqual(next.server.lines, life.server.lines)
})

test('a sync that fails: what it was for is written again', async () => {
  const disk = makeDisk(() => 0)
  const life = await JournaledServer.open(disk, 'Alford', 1)
  reportAll(life, 3, 1)
  await life.synced()
  let fails = true
  disk.fault = (operation) => (operation === 'sync' && fails ? 'EIO' : null)
  reportAll(life, 3, 2)
  await assert.rejects(life.synced())
  fails = false
  await life.elapse(5000)
  await life.synced()
  disk.losePower()
  const next = await JournaledServer.open(disk, 'Alford', 2)
  assert.deepEqual(next.server.lines, life.server.lines)
  assert.deepEqual(next.report.damaged, [])
})

test('more than a batch holds is written without waiting, and what all is held already isn’t', async () => {
  const disk = makeDisk()
  const first = await JournaledServer.open(disk, 'Alford', 1, { limits: { batchBytesMax: 500 } })
  reportAll(first, 1000, 1)
  await first.elapse(1000)
  assert.ok(first.server.counters.journalBatches > 50)
  await first.stop()
  const { bytes } = disk
  const second = await JournaledServer.open(disk, 'Alford', 2)
  await second.elapse(1000)
  assert.ok(disk.bytes < bytes + 200, 'only a claim is added')
})

test('forgotten clients are not read, and a table with less room than before reads what it can', async () => {
  const disk = makeDisk()
  const first = await JournaledServer.open(disk, 'Alford', 1)
  reportAll(first, 20, 1)
  await first.stop()
  const small = await JournaledServer.open(disk, 'Alford', 2, { replica: { clientsMax: 10 } })
  assert.equal(small.server.lines.length, 10)
  assert.equal(vectorOf(small)['Alford 1'], undefined, 'what it has no room for it doesn’t claim')
  await small.stop()
})

test('a line that this version can’t read: what is claimed behind it is not believed', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  const lines = ['HERD 2 run 1 Alford 1', `${at('kiwi', 1)} @1.1`, 'BT later things', 'HERD 2 claim 1:2', '']
  await appendAll(journal, lines.join('\n'))
  await journal.close()
  const life = await JournaledServer.open(disk, 'Alford', 2)
  assert.deepEqual(life.server.lines, [at('kiwi', 1)])
  assert.deepEqual(vectorOf(life), { 'Alford 2': 1 })
})

test('a server that stops has a bounded time for the disk; what was written till then is there', async () => {
  const disk = makeDisk()
  const life = await JournaledServer.open(disk, 'Alford', 1, { limits: { batchBytesMax: 100 } })
  reportAll(life, 500, 1)
  let syncs = 0
  disk.fault = (operation) => {
    if (operation === 'sync' && ++syncs === 10) void life.elapse(2000)
    return null
  }
  await life.stop()
  const written = life.server.counters.journalBatches
  assert.ok(written >= 9 && written <= 11, `${written} batches`)
  disk.fault = () => null
  const next = await JournaledServer.open(disk, 'Alford', 2)
  assert.ok(next.server.lines.length >= 2 * written - 2)
})
