import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Latencies } from './latencies.ts'

test('quantiles are exact to the microsecond', () => {
  const latencies = new Latencies()
  for (let us = 1; us <= 1000; us += 1) latencies.add((us - 0.5) / 1000)
  assert.equal(latencies.quantileUs(0.5), 500)
  assert.equal(latencies.quantileUs(0.99), 990)
  assert.equal(latencies.maxUs, 999.5)
})

test('what took longer than the last bucket still counts', () => {
  const latencies = new Latencies()
  latencies.add(5000)
  assert.equal(latencies.quantileUs(0.5), 200_000)
  assert.equal(latencies.maxUs, 5_000_000)
})
