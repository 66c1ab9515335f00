import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemberStatus } from '../replication/status.ts'
import { leftOf, splitsOf, splitText, strangersOf, type View } from './herd-view.ts'

const NOBODY = (): boolean => false

/** What a server says that sees some and misses others. */
function viewOf(server: string, seen: readonly string[], missed: readonly string[] = []): View {
  const row = (name: string, reachable: boolean): MemberStatus => ({
    ...{ name, host: '127.0.0.1', port: 1, version: 1, state: 'up', links: [], run: '-', reachable },
  })
  return {
    server,
    members: [...seen.map((name) => row(name, true)), ...missed.map((name) => row(name, false))],
  }
}

test('a herd in which all see all has no split', () => {
  assert.deepEqual(splitsOf([viewOf('A', ['A', 'B']), viewOf('B', ['A', 'B'])]), [])
  assert.deepEqual(splitsOf([]), [])
})

test('a split shows once for each part, whoever was asked', () => {
  const [one, other] = [
    ['A', 'H'],
    ['B', 'W'],
  ] as const
  const views = [viewOf('A', one, other), viewOf('H', one, other), viewOf('B', other, one)]
  const lines = splitsOf(views).map((split) => splitText(split, NOBODY))
  assert.deepEqual(lines, [
    'split: A, H see each other, but not B, W',
    'split: B, W see each other, but not A, H',
  ])
  const alone = splitsOf([viewOf('A', ['A'], ['B'])])
  assert.deepEqual(
    alone.map((split) => splitText(split, NOBODY)),
    ['split: A sees nobody, and not B'],
  )
})

test('who doesn’t answer us either may be down', () => {
  const [split] = splitsOf([viewOf('A', ['A', 'H'], ['B', 'W'])])
  assert.ok(split)
  assert.match(
    splitText(split, () => true),
    /not B, W \(no answer there either: down, or cut off\)$/,
  )
  assert.match(
    splitText(split, (name) => name === 'W'),
    /not B, W \(of these no answer: W\)$/,
  )
})

test('servers that are in no herd file, and those that left, by the newest row that anybody has', () => {
  const [row] = viewOf('A', ['Newton']).members
  assert.ok(row)
  const old: View = { server: 'A', members: [row] }
  const left: View = { server: 'B', members: [{ ...row, version: 2, state: 'left', reachable: false }] }
  assert.deepEqual(strangersOf([old, left], new Set(['A', 'B'])), left.members)
  assert.deepEqual(strangersOf([left, old], new Set(['Newton'])), [])
  assert.deepEqual(leftOf([left, old]), new Set(['Newton']))
  assert.deepEqual(leftOf([old]), new Set())
  assert.deepEqual(splitsOf([left]), [])
})
