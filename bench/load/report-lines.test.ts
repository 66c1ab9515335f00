import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReportLines } from './report-lines.ts'

const LINE = /^IAMAT (client-\d{6}\.example) (\+34\.\d{6}-118\.\d{6}) (\d{10}\.\d{9})$/
const NOW_SECONDS = 1_479_413_884

function linesOf(batch: Buffer): { client: string; position: string; time: string }[] {
  const text = batch.toString('latin1')
  assert.ok(text.endsWith('\n'))
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const [, client = '', position = '', time = ''] = LINE.exec(line) ?? assert.fail(line)
      return { client, position, time }
    })
}

test('every line is a report, every client comes once a round, every time is newer and in the past', () => {
  const lines = new ReportLines({ clients: 600, connections: 3, linesPerBatch: 8, nowSeconds: NOW_SECONDS })
  assert.equal(lines.clients, 600)
  const newest = new Map<string, { position: string; time: string }>()
  for (let batch = 0; batch < 5 * 25; batch += 1) {
    for (let connection = 0; connection < 3; connection += 1) {
      for (const { client, position, time } of linesOf(lines.next(connection))) {
        const before = newest.get(client)
        assert.ok(before === undefined || (time > before.time && position !== before.position), client)
        assert.ok(Number(time) < NOW_SECONDS)
        newest.set(client, { position, time })
      }
    }
  }
  assert.equal(newest.size, 600)
})

test('the count of clients is rounded up to whole batches', () => {
  const lines = new ReportLines({ clients: 100, connections: 3, linesPerBatch: 64, nowSeconds: NOW_SECONDS })
  assert.equal(lines.clients, 3 * 64)
  assert.equal(new Set(linesOf(lines.next(0)).map(({ client }) => client)).size, 64)
})

test('connections share no client', () => {
  const lines = new ReportLines({ clients: 4, connections: 2, linesPerBatch: 2, nowSeconds: NOW_SECONDS })
  const clients = [0, 1].map((connection) => linesOf(lines.next(connection)).map(({ client }) => client))
  assert.deepEqual(clients, [
    ['client-000000.example', 'client-000001.example'],
    ['client-000002.example', 'client-000003.example'],
  ])
})
