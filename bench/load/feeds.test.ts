import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Feed, FillFeed, GrowFeed, UpdateFeed } from './feeds.ts'

function take(feed: Feed, countMax: number): [client: number, move: number][] {
  const taken: [number, number][] = []
  while (taken.length < countMax && feed.advance()) taken.push([feed.client, feed.move])
  return taken
}

test('a filling has everyone once, and ends', () => {
  assert.deepEqual(take(new FillFeed(3, 6), 10), [
    [3, 0],
    [4, 0],
    [5, 0],
  ])
  assert.deepEqual(take(new FillFeed(6, 6), 10), [])
})

test('updates go round until they are over', () => {
  let over = false
  const feed = new UpdateFeed(2, () => over)
  assert.deepEqual(take(feed, 5), [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
    [0, 2],
  ])
  over = true
  assert.equal(feed.advance(), false)
})

test('growth is half new clients in their order and half moves of known ones', () => {
  const taken = take(new GrowFeed(10, 1010), 10_000)
  assert.deepEqual(
    taken.filter(([, move]) => move === 0).map(([client]) => client),
    Array.from({ length: 1000 }, (_, index) => 10 + index),
  )
  const moves = taken.filter(([, move]) => move > 0)
  assert.equal(moves.length, 1000)
  let known = 10
  for (const [client, move] of taken) {
    if (move === 0) known = client + 1
    else assert.ok(client < known, `${client} was known`)
  }
  assert.ok(new Set(moves.map(([client]) => client)).size > 300)
})
