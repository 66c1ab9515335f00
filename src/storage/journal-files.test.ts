import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import type { DiskOperation, VirtualDisk } from '../../test/support/virtual-disk.ts'
import { appendAll, FOLDER, LIMITS, makeDisk, openJournal } from '../../test/support/virtual-journal.ts'
import { JournalFiles } from './journal-files.ts'
import { SEGMENT_HEADER_BYTES } from './journal-format.ts'
import { JournalUnusable } from './journal-opening.ts'

const FIRST = '0000000001.journal'
const SECOND = '0000000002.journal'

/** Lets the disk's next operation of a kind fail. */
function failNext(disk: VirtualDisk, operation: DiskOperation, code: string): void {
  disk.fault = (asked) => {
    if (asked !== operation) return null
    disk.fault = () => null
    return code
  }
}

/** What a journal gives after its process was killed. */
async function afterKill(disk: VirtualDisk): Promise<string[]> {
  disk.kill()
  return (await openJournal(disk)).batches
}

test('what is appended comes back in its order, over segments and restarts', async () => {
  const disk = makeDisk()
  const long = 'x'.repeat(LIMITS.batchBytesMax)
  const { journal, batches } = await openJournal(disk)
  assert.deepEqual(batches, [])
  await appendAll(journal, 'a', long, 'c')
  assert.equal(await journal.beginSegment(), 2)
  await appendAll(journal, 'd')
  await journal.close()

  const again = await openJournal(disk)
  assert.deepEqual(again.batches, ['a', long, 'c', 'd'])
  assert.deepEqual(again.segments, [1, 1, 1, 2])
  assert.deepEqual(again.troubles, [])
  assert.deepEqual(again.journal.report, {
    bytes: disk.bytes,
    batches: 4,
    segments: 2,
    cutBytes: 0,
    reason: null,
    damaged: [],
  })
  await appendAll(again.journal, 'e')
  assert.deepEqual((await afterKill(disk)).slice(2), ['c', 'd', 'e'])
})

test('bytes and segments are those on the disk, whatever happens', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  assert.deepEqual([journal.bytes, journal.segments, journal.segmentBytes], [0, 0, 0])
  await appendAll(journal, 'one', 'two')
  assert.equal(journal.bytes, disk.bytes)
  const begun = await journal.beginSegment()
  assert.equal(journal.segmentBytes, SEGMENT_HEADER_BYTES)
  await appendAll(journal, 'three')
  assert.deepEqual([journal.bytes, journal.segments], [disk.bytes, 2])
  await journal.dropBefore(begun)
  assert.deepEqual([journal.bytes, journal.segments], [disk.bytes, 1])
  assert.equal(journal.bytes, journal.segmentBytes)
  assert.deepEqual(await afterKill(disk), ['three'])
})

test('a batch is acknowledged when it is synced, not before', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'kept')
  disk.fault = (operation) => {
    if (operation === 'sync') disk.losePower()
    return null
  }
  void appendAll(journal, 'lost')
  for (let turns = 0; turns < 100; turns++) await Promise.resolve()
  assert.equal(disk.done.get('sync'), 3)
  disk.fault = () => null
  assert.deepEqual((await openJournal(disk)).batches, ['kept'])
})

test('one at a time: a second append is refused, and close waits for the first', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  const first = journal.append(Buffer.from('first'))
  await assert.rejects(journal.append(Buffer.from('second')), /one thing at a time/)
  await assert.rejects(journal.beginSegment(), /one thing at a time/)
  await Promise.all([first, journal.close(), journal.close()])
  await assert.rejects(journal.append(Buffer.from('third')), /closed/)
  assert.deepEqual((await openJournal(disk)).batches, ['first'])
})

test('batches without bytes or with too many are refused, and the journal goes on', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await assert.rejects(journal.append(Buffer.alloc(0)), RangeError)
  await assert.rejects(journal.append(Buffer.alloc(LIMITS.batchBytesMax + 1)), RangeError)
  await appendAll(journal, 'good')
  assert.deepEqual(await afterKill(disk), ['good'])
})

test('a full disk: the part that was written is cut, and the journal goes on when there is room', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'before')
  disk.bytesMax = disk.bytes + 20
  for (let times = 0; times < 3; times++) {
    await assert.rejects(journal.append(Buffer.alloc(100, 'n')), { code: 'ENOSPC' })
  }
  assert.equal(disk.bytes, disk.bytesMax, 'a part was written')
  await appendAll(journal, 'fits')
  disk.bytesMax = Number.POSITIVE_INFINITY
  await appendAll(journal, 'after')
  assert.equal(journal.segments, 1)
  assert.equal(journal.bytes, disk.bytes)
  assert.deepEqual(await afterKill(disk), ['before', 'fits', 'after'])
})

test('a full disk still reads, and has no segment until there is room', async () => {
  const disk = makeDisk()
  await appendAll((await openJournal(disk)).journal, 'before')
  disk.kill()
  disk.bytesMax = disk.bytes
  const { journal, batches } = await openJournal(disk)
  assert.deepEqual(batches, ['before'])
  await assert.rejects(journal.append(Buffer.from('none')), { code: 'ENOSPC' })
  await assert.rejects(journal.beginSegment(), { code: 'ENOSPC' })
  assert.deepEqual(disk.names(FOLDER), [FIRST], 'nothing is left of what could not be begun')
  disk.bytesMax = Number.POSITIVE_INFINITY
  await appendAll(journal, 'after')
  assert.deepEqual(await afterKill(disk), ['before', 'after'])
})

test('after a sync that failed the same file is never written again', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'before')
  failNext(disk, 'sync', 'EIO')
  await assert.rejects(journal.append(Buffer.from('dropped')), { code: 'EIO' })
  await appendAll(journal, 'after')
  disk.losePower()
  const { batches, segments, troubles, journal: again } = await openJournal(disk)
  assert.deepEqual(batches, ['before', 'after'])
  assert.deepEqual(segments, [1, 2])
  assert.deepEqual([troubles, again.report.damaged], [[], []], 'the first was cut when it was left')
})

test('after a sync that failed and a restart nothing is written behind what may not be there', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'before')
  failNext(disk, 'sync', 'EIO')
  await assert.rejects(journal.append(Buffer.from('dropped')), { code: 'EIO' })
  disk.kill()
  const again = await openJournal(disk)
  assert.deepEqual(again.batches, ['before', 'dropped'], 'the system still shows it')
  await appendAll(again.journal, 'after')
  disk.losePower()
  const { batches } = await openJournal(disk)
  assert.deepEqual(batches, ['before', 'after'])
})

test('a torn batch that can not be cut is left behind with its segment', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'before')
  disk.bytesMax = disk.bytes + 10
  await assert.rejects(journal.append(Buffer.from('torn in the middle')), { code: 'ENOSPC' })
  disk.bytesMax = Number.POSITIVE_INFINITY
  disk.fault = (operation) => (operation === 'truncate' ? 'EIO' : null)
  await appendAll(journal, 'after')
  disk.kill()
  const { batches, journal: again, troubles } = await openJournal(disk)
  assert.deepEqual(batches, ['before', 'after'])
  assert.deepEqual(again.report.damaged, [1])
  assert.match(troubles.join(), /0000000001\.journal .* from byte 34 on \(torn\): what follows in it is lost/)
})

test('short writes are gone on with', async () => {
  const disk = makeDisk()
  const create = disk.create.bind(disk)
  disk.create = async (folder, name) => {
    const file = await create(folder, name)
    const write = file.write.bind(file)
    file.write = (pieces, position) => write([Buffer.concat([...pieces]).subarray(0, 3)], position)
    return file
  }
  await appendAll((await openJournal(disk)).journal, 'in many small parts', 'and more')
  assert.deepEqual(await afterKill(disk), ['in many small parts', 'and more'])
})

test('a disk that takes nothing and says no error does not hang the journal', async () => {
  const disk = makeDisk()
  const create = disk.create.bind(disk)
  disk.create = async (folder, name) => Object.assign(await create(folder, name), { write: async () => 0 })
  const { journal } = await openJournal(disk)
  await assert.rejects(journal.append(Buffer.from('none')), /takes nothing/)
})

test('two cannot have one journal, until the first closes it', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await assert.rejects(openJournal(disk), JournalUnusable)
  await appendAll(journal, 'mine')
  await journal.close()
  const second = await openJournal(disk)
  assert.deepEqual(second.batches, ['mine'])
})

test('a journal of another version is refused and left as it is', async () => {
  const disk = makeDisk()
  await appendAll((await openJournal(disk)).journal, 'one')
  disk.kill()
  const file = Buffer.from(disk.file(FOLDER, FIRST).bytes)
  file.writeUInt32LE(2, 8)
  file.writeUInt32LE(crc32(file.subarray(0, 16)), 16)
  disk.put(FOLDER, FIRST, file)
  for (let times = 0; times < 2; times++) await assert.rejects(openJournal(disk), JournalUnusable)
  assert.deepEqual(disk.file(FOLDER, FIRST).bytes, file)
})

test('damage in an earlier segment loses the rest of it, is told, and later segments are read', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'one', 'two', 'three')
  await journal.beginSegment()
  await appendAll(journal, 'four')
  disk.kill()
  disk.file(FOLDER, FIRST).damage(SEGMENT_HEADER_BYTES + 8 + 3 + 8, 1)
  const { batches, troubles, journal: again } = await openJournal(disk)
  assert.deepEqual(batches, ['one', 'four'])
  assert.deepEqual(again.report.damaged, [1])
  assert.match(troubles.join(), /0000000001\.journal .* from byte 31 on \(checksum\)/)
  assert.equal(again.bytes, disk.bytes, 'it is left as it is')
})

test('damage in the last segment cuts it there, and says how much', async () => {
  const disk = makeDisk()
  await appendAll((await openJournal(disk)).journal, 'one', 'two', 'three')
  disk.kill()
  disk.file(FOLDER, FIRST).damage(SEGMENT_HEADER_BYTES + 8 + 3 + 8, 1)
  const { batches, troubles, journal } = await openJournal(disk)
  assert.deepEqual(batches, ['one'])
  assert.deepEqual(journal.report, {
    bytes: 31,
    batches: 1,
    segments: 1,
    cutBytes: 24,
    reason: 'checksum',
    damaged: [],
  })
  assert.match(troubles.join(), /\(checksum\): the last 24 bytes are cut/)
  await appendAll(journal, 'new')
  assert.deepEqual(await afterKill(disk), ['one', 'new'])
})

test('a crash while a segment is begun leaves nothing that harms', async () => {
  for (const bytes of [0, 1, SEGMENT_HEADER_BYTES - 1, SEGMENT_HEADER_BYTES]) {
    const disk = makeDisk()
    const { journal } = await openJournal(disk)
    await appendAll(journal, 'one')
    await journal.beginSegment()
    disk.kill()
    disk.file(FOLDER, SECOND).truncate(bytes)
    const { batches, journal: again } = await openJournal(disk)
    assert.deepEqual(batches, ['one'])
    assert.deepEqual(again.report.damaged, [])
    await appendAll(again, 'two')
    assert.deepEqual(await afterKill(disk), ['one', 'two'])
    assert.ok(!disk.names(FOLDER).includes(SECOND) || bytes === SEGMENT_HEADER_BYTES)
  }
})

test('what could not be removed of a segment that could not be begun is dropped with the others', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  disk.fault = (operation) => (operation === 'write' || operation === 'remove' ? 'EIO' : null)
  await assert.rejects(journal.append(Buffer.from('none')), { code: 'EIO' })
  disk.fault = () => null
  await appendAll(journal, 'one')
  assert.deepEqual(disk.names(FOLDER), [FIRST, SECOND])
  disk.kill()
  const { journal: again } = await openJournal(disk)
  assert.deepEqual(again.report.damaged, [])
  const begun = await again.beginSegment()
  await appendAll(again, 'two')
  await again.dropBefore(begun)
  assert.deepEqual(disk.names(FOLDER), ['0000000003.journal'])
})

test('a foreign header before a long last segment is not taken for what a crash left', async () => {
  const disk = makeDisk()
  await appendAll((await openJournal(disk)).journal, 'one')
  disk.kill()
  disk.file(FOLDER, FIRST).damage(0, 1)
  const { troubles, journal } = await openJournal(disk)
  assert.match(troubles.join(), /\(header\): it is left as it is/)
  await appendAll(journal, 'two')
  assert.deepEqual(disk.names(FOLDER), [FIRST, SECOND])
})

test('a segment that can not be read is told, left, and read the next time', async () => {
  for (const operation of ['open', 'size', 'read'] as const) {
    const disk = makeDisk()
    await appendAll((await openJournal(disk)).journal, 'one')
    disk.kill()
    failNext(disk, operation, 'EIO')
    const { batches, troubles, journal } = await openJournal(disk)
    assert.deepEqual(batches, [])
    assert.match(troubles.join(), /EIO.*left as it is/)
    assert.match(journal.report.reason ?? '', /EIO/)
    await appendAll(journal, 'two')
    assert.deepEqual(await afterKill(disk), ['one', 'two'])
  }
})

test('a segment that is dropped in part is dropped the next time', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'one')
  const begun = await journal.beginSegment()
  failNext(disk, 'remove', 'EIO')
  await assert.rejects(journal.dropBefore(begun), { code: 'EIO' })
  assert.equal(journal.segments, 2)
  await journal.dropBefore(begun)
  assert.deepEqual(disk.names(FOLDER), [SECOND])
})

test('a segment that a sync ended while it was filled is not dropped with those before it', async () => {
  const disk = makeDisk()
  const { journal } = await openJournal(disk)
  await appendAll(journal, 'old')
  const begun = await journal.beginSegment()
  await appendAll(journal, 'one')
  failNext(disk, 'sync', 'EIO')
  await assert.rejects(journal.append(Buffer.from('two')), { code: 'EIO' })
  await appendAll(journal, 'two')
  await journal.dropBefore(begun)
  assert.deepEqual(await afterKill(disk), ['one', 'two'])
})

test('other files in the folder are no business of the journal', async () => {
  const disk = makeDisk()
  const names = ['lock', '1.journal', '0000000000.journal', '9999999999.journal', '0000000001.journal~']
  for (const name of names) disk.put(FOLDER, name, Buffer.from('something'))
  const { journal, troubles } = await openJournal(disk)
  await appendAll(journal, 'one')
  await journal.dropBefore(9)
  assert.deepEqual([journal.segments, troubles], [1, []])
  assert.deepEqual(disk.names(FOLDER), [...names, FIRST].toSorted())
})

test('an error of who reads ends the opening, and the lock', async () => {
  const disk = makeDisk()
  await appendAll((await openJournal(disk)).journal, 'one')
  disk.kill()
  const options = { disk, folder: FOLDER, limits: LIMITS, onTrouble: () => undefined }
  const onBatch = (): never => {
    throw new Error('no such line')
  }
  await assert.rejects(JournalFiles.open({ ...options, onBatch }), /no such line/)
  assert.deepEqual((await openJournal(disk)).batches, ['one'])
})
