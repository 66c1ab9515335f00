import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replyObject } from './reply-json.ts'
import type { ReplyKind } from './reply-splitter.ts'

function objectOf(kind: ReplyKind, text: string): unknown {
  return replyObject({ kind, bytes: Buffer.from(text), ok: !text.startsWith('?') })
}

const AT = 'AT Alford +0.263873386 kiwi +34.068930-118.445127 1479413884.392014450'
const FIELDS = {
  server: 'Alford',
  skew: '+0.263873386',
  client: 'kiwi',
  position: '+34.068930-118.445127',
  time: '1479413884.392014450',
}

test('an AT line', () => {
  assert.deepEqual(objectOf('line', `${AT}\n`), { ok: true, reply: AT, at: FIELDS })
})

test('places', () => {
  const reply = `${AT}\n{\n   "results" : [],\n   "status" : "OK"\n}`
  const places = { results: [], status: 'OK' }
  assert.deepEqual(objectOf('places', `${reply}\n\n`), { ok: true, reply, at: FIELDS, places })
  const broken = objectOf('places', `${AT}\n{\n\n`)
  assert.deepEqual(broken, { ok: true, reply: `${AT}\n{`, at: FIELDS, places: null })
})

test('others near', () => {
  assert.deepEqual(objectOf('nearby', `${AT}\n${AT}\n\n`), {
    ok: true,
    reply: `${AT}\n${AT}`,
    nearby: [FIELDS, FIELDS],
  })
  assert.deepEqual(objectOf('nearby', '\n'), { ok: true, reply: '', nearby: [] })
})

test('no answer', () => {
  assert.deepEqual(objectOf('places', '? WHATSAT nobody 1 1\n'), { ok: false, reply: '? WHATSAT nobody 1 1' })
})
