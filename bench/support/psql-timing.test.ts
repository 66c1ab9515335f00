import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePsqlTimes, psqlScript } from './psql-timing.ts'

test('a script prepares once and executes for each position', () => {
  const at = { latitude: 47.5, longitude: -9.25 }
  const script = psqlScript({ sql: 'SELECT 1', metres: 10_000, warmUp: [at], measured: [at, at] })
  assert.equal(script.split('PREPARE').length, 2)
  assert.equal(script.split('EXECUTE nearest(47.5, -9.25, 10000, NULL, NULL);').length, 4)
  assert.ok(script.indexOf('\\timing on') < script.indexOf('EXECUTE'))
})

test('only times in the window count, short and long ones', () => {
  const output =
    'Timing is on.\nTime: 9.000 ms\nthe window is open\nTime: 1.250 ms\nTime: 1234.567 ms (00:01.235)\n'
  assert.deepEqual(parsePsqlTimes(output), [1.25, 1234.567])
  assert.throws(() => parsePsqlTimes('psql: error: no'), /psql: error: no/)
})
