import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { FileStore } from './file-store.ts'
import type { KeptReport } from './report-store.ts'

const one = (n: number, note = ''): KeptReport => ({
  key: String(n).padStart(4, '0'),
  report: { client: `client-${n}`, lat: 1, lon: n, tags: { note } },
})

async function fileIn(t: Pick<TestContext, 'after'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-client-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'reports.jsonl')
}

/** What another process would find. */
async function found(path: string): Promise<readonly KeptReport[]> {
  const store = new FileStore(path)
  const kept = await store.load()
  await store.close()
  return kept
}

test('what was appended and not removed is there again, in its order', async (t) => {
  const path = await fileIn(t)
  const store = new FileStore(path)
  assert.deepEqual(await store.load(), [])
  await store.append([one(1), one(2, 'é🦆\n')])
  await store.append([one(3)])
  await store.remove(['0001'])
  await store.close()
  assert.deepEqual(await found(path), [one(2, 'é🦆\n'), one(3)])
})

test('a file of which all was sent is empty', async (t) => {
  const path = await fileIn(t)
  const store = new FileStore(path)
  await store.load()
  await store.append([one(1), one(2)])
  await store.remove(['0001', '0002'])
  assert.equal((await stat(path)).size, 0)
  await store.append([one(3)])
  await store.close()
  assert.deepEqual(await found(path), [one(3)])
})

test('wherever the file ends, and whatever line is spoiled: all other lines are found, and appended to', async (t) => {
  const path = await fileIn(t)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      fc.boolean(),
      async (count, cut, isSpoiled) => {
        const all = Array.from({ length: count }, (_, index) => one(index, 'é🦆'))
        const lines = all.map(({ key, report }) => `${JSON.stringify({ k: key, r: report })}\n`)
        const bytes = Buffer.from(lines.join(''))
        const end = isSpoiled ? bytes.length : cut % (bytes.length + 1)
        const spoiled = cut % count
        if (isSpoiled)
          bytes.fill(
            0,
            Buffer.byteLength(lines.slice(0, spoiled).join('')),
            Buffer.byteLength(lines.slice(0, spoiled + 1).join('')) - 1,
          )
        await writeFile(path, bytes.subarray(0, end))
        const whole = bytes.subarray(0, end).toString().split('\n').length - 1
        const wanted = isSpoiled ? all.filter((_, index) => index !== spoiled) : all.slice(0, whole)
        const store = new FileStore(path, { sync: false })
        assert.deepEqual(await store.load(), wanted)
        await store.append([one(9)])
        await store.close()
        assert.deepEqual(await found(path), [...wanted, one(9)])
      },
    ),
    runs(60),
  )
})

test('what was sent doesn’t fill the disk: the file is written anew', async (t) => {
  const path = await fileIn(t)
  const store = new FileStore(path, { sync: false })
  await store.load()
  await store.append([one(0)])
  for (let n = 1; n <= 50; n++) {
    await store.append([one(n, 'x'.repeat(100_000))])
    await store.remove([one(n).key])
  }
  assert.ok((await stat(path)).size < 3_000_000)
  await store.append([one(60)])
  await store.close()
  assert.deepEqual(await found(path), [one(0), one(60)])
})

test('one client has it at a time; a lock of a process that has ended is none', async (t) => {
  const path = await fileIn(t)
  const store = new FileStore(path)
  await store.load()
  await assert.rejects(new FileStore(path).load(), /in use by another client/)
  await store.append([one(1)])
  await store.close()
  // The number of a process is no greater anywhere.
  await writeFile(`${path}.lock`, '999999999')
  assert.deepEqual(await found(path), [one(1)])
  await writeFile(`${path}.lock`, String(process.ppid))
  await assert.rejects(new FileStore(path).load(), new RegExp(`process ${process.ppid}`))
})

test('what another program wrote behind it is passed over', async (t) => {
  const path = await fileIn(t)
  const store = new FileStore(path)
  await store.load()
  await store.append([one(1)])
  await store.close()
  await appendFile(path, 'null\n[]\n{"k":1}\n{"d":7}\n{"k":"x","r":{}}\n')
  assert.deepEqual(await found(path), [one(1)])
  assert.match(await readFile(path, 'utf8'), /"k":"0001"/)
})
