import assert from 'node:assert/strict'
import { test } from 'node:test'
import { googleAnswer } from './google-answer.ts'

test('the stand-in for Google gives a page of places, as long as real ones are', () => {
  const text = googleAnswer()
  const body = JSON.parse(text) as { status: string; results: { place_id: string }[] }
  assert.equal(body.status, 'OK')
  assert.equal(new Set(body.results.map(({ place_id }) => place_id)).size, 20)
  assert.ok(text.length > 30_000 && text.length < 50_000, `${text.length} bytes`)
})
