import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRedisCsv } from './redis-csv.ts'

const CSV = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"GEOADD fleet 1 2 client-__rand_int__","592416.69","5.211","0.584","5.391","6.015","6.927","9.559"
`

test('rate and latencies are found by their titles', () => {
  assert.deepEqual(parseRedisCsv(CSV), { requestsPerSecond: 592416.69, p50Ms: 5.391, p99Ms: 6.927 })
})

test('anything else is refused, with what was printed', () => {
  assert.throws(() => parseRedisCsv('Could not connect to Redis'), /Could not connect/)
})
