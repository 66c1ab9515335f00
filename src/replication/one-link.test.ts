import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { replaces } from './one-link.ts'

/** The connection that a server keeps after these came open one after another. */
function kept<T extends { dialer: string; peerRun: string }>(connections: readonly T[]): T | undefined {
  return connections.reduce<T | undefined>(
    (open, next) => (open === undefined || replaces(next, open) ? next : open),
    undefined,
  )
}

const server = fc.constantFrom('Alford', 'Ball', 'Al', 'alford', 'Welsh')
const run = fc.constantFrom('run one', 'run two')

test('of two crossing connections both sides keep the same, in whatever order they see them', () => {
  fc.assert(
    fc.property(server, server, run, run, (a, b, runOfA, runOfB) => {
      fc.pre(a !== b)
      const seenBy = (peerRun: string) => [
        { dialer: a, peerRun },
        { dialer: b, peerRun },
      ]
      const dialers = [seenBy(runOfA), seenBy(runOfB)].flatMap((seen) => [
        kept(seen)?.dialer,
        kept(seen.toReversed())?.dialer,
      ])
      const [first] = [a, b].toSorted()
      assert.deepEqual(dialers, [first, first, first, first])
    }),
    runs(200),
  )
})

test('who dials again, or has started anew, takes the place of the connection that must be dead', () => {
  const open = { dialer: 'Alford', peerRun: 'one' }
  assert.ok(replaces({ dialer: 'Alford', peerRun: 'one' }, open))
  assert.ok(replaces({ dialer: 'Welsh', peerRun: 'two' }, open))
  assert.ok(!replaces({ dialer: 'Welsh', peerRun: 'one' }, open))
})
