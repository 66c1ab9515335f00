import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JournalFiles } from './journal-files.ts'
import { JournalUnusable } from './journal-opening.ts'
import { realDisk } from './real-disk.ts'

const LIMITS = { batchBytesMax: 1 << 20, readBytes: 1 << 16 }

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'herd-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(folder: string): Promise<{ journal: JournalFiles; batches: string[] }> {
  const batches: string[] = []
  const onBatch = (payload: Buffer): number => batches.push(payload.toString())
  const options = { disk: realDisk, folder, limits: LIMITS, onBatch, onTrouble: () => undefined }
  return { journal: await JournalFiles.open(options), batches }
}

test('a journal in real files comes back, cut where it was torn', async (t) => {
  const folder = join(makeFolder(t), 'made', 'if need be')
  const long = 'x'.repeat(200_000)
  const { journal } = await open(folder)
  for (const text of ['one', long, 'three']) await journal.append(Buffer.from(text))
  await journal.close()
  const path = join(folder, '0000000001.journal')
  assert.equal(statSync(path).size, journal.bytes)
  assert.equal(statSync(path).mode & 0o777, 0o600, 'for nobody else to read')
  truncateSync(path, journal.bytes - 1)

  const again = await open(folder)
  assert.deepEqual(again.batches, ['one', long])
  assert.equal(again.journal.report.cutBytes, 12)
  const begun = await again.journal.beginSegment()
  await again.journal.append(Buffer.from('four'))
  await again.journal.dropBefore(begun)
  await again.journal.close()
  assert.deepEqual(readdirSync(folder).toSorted(), ['0000000002.journal', 'lock'])

  const last = await open(folder)
  assert.deepEqual(last.batches, ['four'])
  await last.journal.close()
})

test('a journal belongs to one in this process', async (t) => {
  const folder = makeFolder(t)
  const { journal } = await open(folder)
  await assert.rejects(open(folder), JournalUnusable)
  await journal.close()
  await (await open(folder)).journal.close()
})

/** Another process, which says once it has the journal. */
async function openElsewhere(t: TestContext, folder: string): Promise<ChildProcess> {
  const script = join(makeFolder(t), 'holder.ts')
  const source = new URL('./index.ts', import.meta.url).href
  writeFileSync(
    script,
    `import { JournalFiles, realDisk } from ${JSON.stringify(source)}
    const [folder] = process.argv.slice(2)
    const journal = await JournalFiles.open({
      disk: realDisk, folder, limits: ${JSON.stringify(LIMITS)}, onBatch() {}, onTrouble() {},
    })
    await journal.append(Buffer.from('theirs'))
    process.send('has it')
    setInterval(() => {}, 1000)`,
  )
  const child = fork(script, [folder])
  t.after(() => child.kill('SIGKILL'))
  const [message] = await once(child, 'message')
  assert.equal(message, 'has it')
  return child
}

test('a journal belongs to one process, until that is killed', async (t) => {
  const folder = makeFolder(t)
  const child = await openElsewhere(t, folder)
  const before = readFileSync(join(folder, '0000000001.journal'))
  await assert.rejects(open(folder), JournalUnusable)
  assert.deepEqual(readFileSync(join(folder, '0000000001.journal')), before)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { journal, batches } = await open(folder)
  assert.deepEqual(batches, ['theirs'])
  await journal.close()
})

test('a folder that can not be made, or a lock that is none, is the error of the system', async (t) => {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'file'), '')
  await assert.rejects(open(join(folder, 'file', 'below')), { code: 'ENOTDIR' })
  writeFileSync(join(folder, 'lock'), 'no database at all, but longer than a header of one'.repeat(20))
  await assert.rejects(open(folder), /not a database/)
})
