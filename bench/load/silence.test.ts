import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchForSilence } from './silence.ts'

test('whoever stands still is told, and whoever goes on is not', async (t) => {
  const ms = { now: 0 }
  t.mock.timers.enable({ apis: ['setInterval'] })
  t.mock.method(performance, 'now', () => ms.now)
  const failures: unknown[] = []
  let progress = 0
  const timer = watchForSilence(
    () => progress,
    3000,
    (error) => failures.push(error),
  )
  for (; ms.now < 10_000; ms.now += 500, progress += 1) t.mock.timers.tick(500)
  assert.deepEqual(failures, [])
  for (const end = ms.now + 4500; ms.now < end; ms.now += 500) t.mock.timers.tick(500)
  clearInterval(timer)
  assert.match(String(failures[0]), /no complete reply for 3 s/)
})
