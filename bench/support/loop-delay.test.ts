import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import { test } from 'node:test'
import { Children } from './children.ts'
import { bucketsOf, FILE_VARIABLE, readLoopDelay, spreadOf } from './loop-delay.ts'
import { findFreePort, LOOPBACK, waitUntilListening } from './ports.ts'

/** Blocks whenever it has read from a socket, for as many milliseconds as the byte says, and does nothing else. */
const BLOCKING = `
  const block = (ms) => { const end = performance.now() + ms; while (performance.now() < end) {} }
  require('node:net')
    .createServer((socket) => socket.on('data', ([ms]) => { block(ms); socket.write('x') }))
    .listen(Number(process.argv[1]), '127.0.0.1')`

test('counts are those of the histogram, by powers of two', () => {
  const histogram = createHistogram()
  for (const us of [3, 3, 3, 100, 5000]) histogram.record(us * 1000)
  assert.deepEqual(
    bucketsOf(histogram).filter(({ count }) => count > 0),
    [
      { belowUs: 4, count: 3 },
      { belowUs: 128, count: 1 },
      { belowUs: 8192, count: 1 },
    ],
  )
  for (let us = 1; us <= 100_000; us += 1) histogram.record(us * 1000)
  const counts = new Map(bucketsOf(histogram).map(({ belowUs, count }) => [belowUs, count]))
  assert.equal(counts.get(4), 2 + 3)
  // A histogram keeps three figures, so the limit of a bucket is known to a thousandth.
  assert.ok(Math.abs((counts.get(65_536) ?? 0) - 32_768) < 100)
  assert.equal(
    [...counts.values()].reduce((sum, count) => sum + count, 0),
    histogram.count,
  )
})

test('nothing recorded is nothing', () => {
  const empty = spreadOf(createHistogram())
  assert.deepEqual(empty, { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0, buckets: [] })
})

test('a server with the preload tells of its pauses in the handlers of sockets, and forgets them then', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'herd-loop-delay-'))
  const children = new Children()
  try {
    const file = join(folder, 'delays.json')
    const port = await findFreePort()
    const preload = new URL('./loop-delay-preload.ts', import.meta.url).href
    const args = ['--import', preload, '-e', BLOCKING, String(port)]
    const child = await children.start('blocking', process.execPath, args, { [FILE_VARIABLE]: file })
    await waitUntilListening(child, port)

    await block(port, [80])
    const first = await readLoopDelay(child.pid, file)
    assert.ok(first.turns.max >= 79.9 && first.timer.max >= 79.9, JSON.stringify(first))
    assert.equal(
      first.turns.buckets.reduce((sum, { count }) => sum + count, 0),
      first.turns.count,
    )

    await block(port, [5, 5, 5, 5, 5, 5, 5, 5, 5, 5])
    const { turns } = await readLoopDelay(child.pid, file)
    assert.ok(turns.max >= 4.9 && turns.max < 79, `the pause before is forgotten: ${turns.max}`)
    const long = turns.buckets.filter(({ belowUs }) => belowUs > 4096)
    assert.ok(long.reduce((sum, { count }) => sum + count, 0) >= 10, JSON.stringify(turns))
  } finally {
    await children.stopAll()
    await rm(folder, { recursive: true })
  }
})

/** Makes the server block so many times, one after the other, for so many milliseconds each. */
async function block(port: number, times: readonly number[]): Promise<void> {
  const socket = connect(port, LOOPBACK)
  for (const ms of times) {
    socket.write(Buffer.of(ms))
    await once(socket, 'data')
  }
  socket.destroy()
}
