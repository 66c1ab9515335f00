import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClockGuard, type ClockView } from './clock-guard.ts'

function watch(): { guard: ClockGuard; told: string[]; look: (...offsets: (number | null)[]) => void } {
  const told: string[] = []
  const guard = new ClockGuard(5000, {
    apart: (neighbor, offsetMs) => told.push(`${neighbor} ${offsetMs}`),
    off: (offsetMs) => told.push(`off ${offsetMs}`),
  })
  const look = (...offsets: (number | null)[]): void => {
    guard.look(offsets.map((clockOffsetMs, at): ClockView => ({ neighbor: `N${at}`, clockOffsetMs })))
  }
  return { guard, told, look }
}

test('a clock is off when most neighbors, and two at least, say so', () => {
  const { guard, look } = watch()
  for (const [offsets, offMs] of [
    [[], null],
    [[60_000], null],
    [[60_000, null], null],
    [[60_000, 0], null],
    [[60_000, 0, 61_000], 61_000],
    [[60_000, 0, 61_000, 0], null],
    [[5000, 5000, -5000], null],
    [[-5001, -5001], -5001],
  ] as const) {
    look(...offsets)
    assert.equal(guard.offMs, offMs, String(offsets))
  }
})

test('it is said once when clocks part, and when they agree again', () => {
  const { told, look } = watch()
  look(60_000, 60_000)
  look(60_001, 60_001)
  look(0, 0)
  look(60_000, 0)
  assert.deepEqual(told, ['N0 60000', 'N1 60000', 'off 60000', 'off null', 'N0 60000'])
})
