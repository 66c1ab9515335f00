import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { floodMessagesMax, gridGraph, RING_OF_FIVE } from './graphs.ts'

test('the ring of five is the herd that comes with Herd', () => {
  const herd = parse(readFileSync('herds/ucla.yaml', 'utf8')) as { servers: object; links: unknown }
  assert.deepEqual({ names: Object.keys(herd.servers), links: herd.links }, RING_OF_FIVE)
})

test('a grid links each server with those beside it', () => {
  const { names, links } = gridGraph(2, 3)
  assert.deepEqual(names, ['R0C0', 'R0C1', 'R0C2', 'R1C0', 'R1C1', 'R1C2'])
  assert.deepEqual(
    new Set(links.map((link) => link.join())),
    new Set('R0C0,R0C1 R0C1,R0C2 R0C0,R1C0 R0C1,R1C1 R0C2,R1C2 R1C0,R1C1 R1C1,R1C2'.split(' ')),
  )
})

test('a flood needs at most so many messages', () => {
  assert.equal(floodMessagesMax(RING_OF_FIVE), 6)
  assert.equal(floodMessagesMax(gridGraph(5, 5)), 56)
  // In a tree there is no other way: each server but the origin hears it once.
  assert.equal(floodMessagesMax(gridGraph(1, 4)), 3)
})
