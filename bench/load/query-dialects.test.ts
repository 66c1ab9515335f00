import assert from 'node:assert/strict'
import { test } from 'node:test'
import { herdQueries, queryDialectOf, redisQueries, UnexpectedAnswer } from './query-dialects.ts'
import { encodeResp } from './resp.ts'

const AT_B = 'AT Solo +0.1 b +1+2 3\n'
const AT_C = 'AT Solo +0.2 c +1+2 3\n'

test('a reply of herd ends with an empty line, also if that is all', () => {
  const text = `${AT_B}${AT_C}\n\n${AT_B}\n`
  const bytes = Buffer.from(text)
  const first = AT_B.length + AT_C.length + 1
  assert.equal(herdQueries.endOf(bytes, 0), first)
  assert.equal(herdQueries.endOf(bytes, first), first + 1)
  assert.equal(herdQueries.endOf(bytes, first + 1), text.length)
  assert.equal(herdQueries.endOf(bytes, text.length), -1)
  for (let cut = 0; cut < first; cut += 1) {
    assert.equal(herdQueries.endOf(bytes.subarray(0, cut), 0), -1, `cut at ${cut}`)
  }
  assert.deepEqual(herdQueries.idsIn(text.slice(0, first), 'a'), ['b', 'c'])
  assert.deepEqual(herdQueries.idsIn('\n', 'a'), [])
})

test('a reply of Redis is an array, in which the asker is found too', () => {
  const found = encodeResp(['a', 'b', 'longer'])
  const bytes = Buffer.from(`${found}*0\r\n${found}`)
  assert.equal(redisQueries.endOf(bytes, 0), found.length)
  assert.equal(redisQueries.endOf(bytes, found.length), found.length + 4)
  assert.equal(redisQueries.endOf(bytes, found.length + 4), bytes.length)
  assert.equal(redisQueries.endOf(bytes, bytes.length), -1)
  for (let cut = 0; cut < found.length; cut += 1) {
    assert.equal(redisQueries.endOf(bytes.subarray(0, cut), 0), -1, `cut at ${cut}`)
  }
  assert.deepEqual(redisQueries.idsIn(found, 'a'), ['b', 'longer'])
  assert.throws(() => redisQueries.idsIn(found, 'x'), UnexpectedAnswer)
})

test('questions name client, radius and number', () => {
  assert.equal(herdQueries.request('a', 1.5, 20), 'WHOSAT a 1.5 20\n')
  const command = ['GEOSEARCH', 'fleet', 'FROMMEMBER', 'a', 'BYRADIUS', '1.5', 'km', 'ASC', 'COUNT', '21']
  assert.equal(redisQueries.request('a', 1.5, 20), encodeResp(command))
})

test('refusals are noticed', () => {
  assert.throws(() => herdQueries.endOf(Buffer.from('? WHOSAT\n'), 0), /answered "\? WHOSAT"/)
  assert.throws(() => redisQueries.endOf(Buffer.from('-ERR no\r\n'), 0), UnexpectedAnswer)
  assert.throws(() => queryDialectOf('sql'), /sql/)
})
