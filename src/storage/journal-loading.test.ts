import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '../../test/support/memory-herd.ts'
import { runOf } from '../replication/stamps.ts'
import { JournalLoading } from './journal-loading.ts'

const RUNS = 40

test('runs that are dropped while a journal is read lend their numbers to others, and nothing else', () => {
  const server = new MemoryServer('A', { runsMax: 8 })
  const loading = new JournalLoading(server.session)
  // Introduced first, and used when most of them were dropped again.
  const names = Array.from({ length: RUNS }, (_, at) => `S${at + 1}`)
  const introductions = names.map((name, at) => `HERD 2 run ${at + 1} ${name} ab`)
  const fixes = names.map((name, at) => `AT ${name} +0 client${at} +1+1 1 @${at + 1}.1`)
  const claims = names.map((_, at) => `HERD 2 claim ${at + 1}:1`)
  for (const lines of [introductions, fixes, claims]) {
    loading.take(Buffer.from(lines.map((line) => `${line}\n`).join('')))
  }
  assert.equal(loading.lines, RUNS)
  const held = loading.end(false)
  const { replica } = server
  const claimed: string[] = []
  held.forEachBeyond(new MemoryServer('B').replica.vector, (run) => {
    claimed.push(replica.runs.get(run)?.server ?? 'nobody')
  })
  assert.ok(claimed.length > 0 && claimed.length <= 8, claimed.join())
  for (let record = 0; record < replica.table.recordsEnd; record++) {
    const { serverName } = replica.table.read(record)
    const origin = Buffer.from(serverName).toString()
    const run = replica.runs.get(runOf(replica.stampOf(record)))
    // What no run answered for any more was taken over by this one.
    assert.ok(run?.server === origin || run?.server === 'A', `${origin} is under ${run?.server}`)
  }
})
