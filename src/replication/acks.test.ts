import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '../../test/support/memory-herd.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { type AckLevel, parseAckLevel } from '../protocol/index.ts'
import { Acks, ackText, MEMORY } from './acks.ts'
import { makeStamp, runOf, seqOf } from './stamps.ts'

/** A level that one waits for. */
const level: fc.Arbitrary<AckLevel> = fc
  .record({ disk: fc.boolean(), peers: fc.nat(3) }, { noNullPrototype: true })
  .filter(({ disk, peers }) => disk || peers > 0)

/** A server with three neighbors and a disk, whose claims the test makes. */
class Claims {
  readonly server = new MemoryServer('Alford')
  readonly acks: Acks
  readonly links = [
    this.server.replica.connect('disk'),
    this.server.replica.connect('neighbor'),
    this.server.replica.connect('neighbor'),
    this.server.replica.connect('neighbor'),
    this.server.replica.connect('classic'),
  ]
  wanted = 0
  #time = 0

  constructor() {
    const { replica } = this.server
    this.acks = new Acks(replica, () => this.wanted++)
    replica.listen({ owed: () => undefined, claimed: () => this.acks.advance() })
  }

  /** Takes a report; its stamp. */
  report(): number {
    this.server.takeAt(`AT Alford +0.000000000 kiwi +1+1 ${++this.#time}`)
    return this.server.replica.ownStamp
  }

  claim(link: number, stamp: number): void {
    const owed = this.links[link]
    if (owed !== undefined) this.server.replica.vectorHeard(owed, runOf(stamp), seqOf(stamp))
    this.server.replica.claimsHeard()
  }

  /** What is reached, the slow way. */
  isReached({ disk, peers }: AckLevel, stamp: number): boolean {
    const holds = (link: number): boolean => this.links[link]?.peer.covers(stamp) ?? false
    return (!disk || holds(0)) && [1, 2, 3].filter((link) => holds(link)).length >= peers
  }
}

test('a level is read as it is written', () => {
  fc.assert(
    fc.property(fc.record({ disk: fc.boolean(), peers: fc.nat(99) }, { noNullPrototype: true }), (any) => {
      assert.deepEqual(parseAckLevel(ackText(any)), any)
    }),
  )
  const texts = [MEMORY, { disk: true, peers: 0 }, { disk: false, peers: 2 }, { disk: true, peers: 12 }]
  assert.deepEqual(texts.map(ackText), ['memory', 'disk', 'peers:2', 'disk+peers:12'])
  for (const text of [
    '',
    'disks',
    'peers:0',
    'peers:01',
    'peers:100',
    'peers',
    'peers:1+disk',
    'disk+',
    'MEMORY',
    'memory+disk',
  ])
    assert.equal(parseAckLevel(text), null, text)
})

test('whoever waits is told once, as soon as the claims reach the level, and never before', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('wait' as const), level }),
    fc.record({ do: fc.constant('claim' as const), link: fc.nat(4), back: fc.nat(5) }),
    fc.record({ do: fc.constant('end' as const), which: fc.nat(20) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const claims = new Claims()
      const waiters: { level: AckLevel; stamp: number; told: number; isEnded: boolean; end: () => void }[] =
        []
      for (const what of steps) {
        if (what.do === 'wait') {
          const waiter = { level: what.level, stamp: claims.report(), told: 0, isEnded: false, end: () => {} }
          waiter.end = claims.acks.wait(what.level, waiter.stamp, () => {
            assert.ok(claims.isReached(waiter.level, waiter.stamp))
            waiter.told++
          })
          waiters.push(waiter)
        } else if (what.do === 'claim') {
          const { ownStamp } = claims.server.replica
          if (seqOf(ownStamp) > what.back) claims.claim(what.link, ownStamp - what.back)
          for (const { level, stamp, told, isEnded } of waiters) {
            if (!isEnded) assert.equal(told, claims.isReached(level, stamp) ? 1 : 0)
          }
        } else {
          const waiter = waiters[what.which]
          waiter?.end()
          if (waiter !== undefined) waiter.isEnded = true
        }
        const open = waiters.filter(({ told, isEnded }) => told === 0 && !isEnded)
        assert.equal(claims.acks.waiting, open.length)
        assert.equal(
          claims.acks.isForDisk,
          open.some(({ level }) => level.disk),
        )
        assert.equal(
          claims.acks.isForPeers,
          open.some(({ level }) => level.peers > 0),
        )
      }
      for (const { told } of waiters) assert.ok(told <= 1)
    }),
    runs(300),
  )
})

test('who stops to wait leaves nothing behind, though nobody ever claims anything', () => {
  const claims = new Claims()
  for (let turn = 0; turn < 1000; turn++) {
    const end = claims.acks.wait({ disk: true, peers: 1 }, claims.report(), () =>
      assert.fail('nobody claims'),
    )
    end()
    end()
  }
  assert.equal(claims.acks.waiting, 0)
  assert.equal(claims.acks.isForDisk, false)
  assert.equal(claims.wanted, 1000, 'but each made what is written and said urgent')
})

test('a link that is lost, or to a server of the old kind, holds nothing', () => {
  const claims = new Claims()
  const stamp = claims.report()
  claims.claim(4, stamp)
  assert.deepEqual(claims.acks.reached(stamp), { disk: false, peers: 0 })
  claims.claim(1, stamp)
  claims.claim(2, stamp)
  assert.deepEqual(claims.acks.reached(stamp), { disk: false, peers: 2 })
  const [, lost] = claims.links
  if (lost !== undefined) claims.server.replica.disconnect(lost)
  assert.deepEqual(claims.acks.reached(stamp), { disk: false, peers: 1 })
})

test('who begins to wait while others are told is told in its turn', () => {
  const claims = new Claims()
  const first = claims.report()
  const told: string[] = []
  claims.acks.wait({ disk: true, peers: 0 }, first, () => {
    told.push('first')
    claims.acks.wait({ disk: true, peers: 0 }, claims.report(), () => told.push('second'))
  })
  claims.claim(0, first)
  assert.deepEqual(told, ['first'])
  claims.claim(0, claims.server.replica.ownStamp)
  assert.deepEqual(told, ['first', 'second'])
  assert.equal(claims.acks.isReached({ disk: true, peers: 0 }, makeStamp(7, 1)), false)
})
