import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toNanotime } from '../../test/support/fixes.ts'
import { OutputBuffer } from '../protocol/index.ts'
import { Heartbeat } from './heartbeat.ts'
import { readLinkWord } from './link-words.ts'

const LIMITS = { heartbeatMs: 1000, silenceMsMax: 5000, progressMsMax: 10_000 }

/** One end of a link, whose clocks the test sets. */
class End {
  nowMs = 100_000
  /** What its wall clock is ahead of the other's. */
  aheadMs = 0
  readonly heartbeat: Heartbeat
  readonly #output = new OutputBuffer()

  constructor() {
    this.heartbeat = new Heartbeat(LIMITS, {
      nowMs: () => this.nowMs,
      readClock: (time) =>
        Object.assign(time, toNanotime(BigInt(Math.round((this.nowMs + this.aheadMs) * 1e6)))),
    })
  }

  /** What it says, line by line. */
  said(): string[] {
    this.heartbeat.pull(this.#output)
    return this.#output.take().toString('latin1').split('\n').slice(0, -1)
  }

  hear(lines: readonly string[]): void {
    this.heartbeat.heard()
    for (const line of lines) {
      const word = readLinkWord(line)
      if (word.word === 'ping') this.heartbeat.pingHeard(word.number)
      else if (word.word === 'pong') this.heartbeat.pongHeard(word.number, word.clock)
      else assert.fail(line)
    }
  }
}

/** A ping from one end to the other and back, so many milliseconds each way. */
function ask(from: End, to: End, thereMs: number, backMs: number): void {
  assert.equal(from.heartbeat.beat(), null)
  const ping = from.said()
  assert.equal(ping.length, 1)
  for (const end of [from, to]) end.nowMs += thereMs
  to.hear(ping)
  const pong = to.said()
  for (const end of [from, to]) end.nowMs += backMs
  from.hear(pong)
}

test('an answer tells how long the way is and how far the clocks are apart; the quickest lately counts', () => {
  const [near, far] = [new End(), new End()]
  assert.equal(near.heartbeat.roundTripMs, null)
  assert.equal(near.heartbeat.clockOffsetMs, null)
  far.aheadMs = 250
  ask(near, far, 80, 20)
  assert.equal(near.heartbeat.roundTripMs, 100)
  assert.equal(near.heartbeat.clockOffsetMs, 280, 'wrong by at most half of the way')
  ask(near, far, 2, 2)
  assert.equal(near.heartbeat.roundTripMs, 4)
  assert.equal(near.heartbeat.clockOffsetMs, 250)
  for (let turn = 0; turn < 7; turn++) ask(near, far, 30, 30)
  assert.equal(near.heartbeat.clockOffsetMs, 250)
  far.aheadMs = -1000
  ask(near, far, 30, 30)
  assert.equal(near.heartbeat.roundTripMs, 60, 'the eighth before is forgotten')
})

test('a neighbor that says nothing is taken for dead', () => {
  const end = new End()
  end.nowMs += 4999
  assert.equal(end.heartbeat.beat(), null)
  end.nowMs++
  assert.equal(end.heartbeat.beat(), 'silent for 5000 ms')
})

test('so is one that talks but doesn’t get to what it is told', () => {
  const end = new End()
  for (let beats = 0; beats < 10; beats++) {
    assert.equal(end.heartbeat.beat(), null)
    end.nowMs += 1000
    end.hear([])
  }
  assert.equal(end.heartbeat.beat(), 'no progress for 10000 ms')
})

test('an answer to any ping is progress; one that can’t be true is none', () => {
  const end = new End()
  assert.equal(end.heartbeat.beat(), null)
  const [ping = ''] = end.said()
  end.nowMs += 4000
  // Of a ping that is still to come, and of one from before this link.
  end.hear(['HERD 2 pong 999999999999999 1.0', 'HERD 2 pong 0 1.0'])
  assert.equal(end.heartbeat.roundTripMs, null)
  end.nowMs += 4000
  end.hear([ping.replace('ping', 'pong')])
  assert.equal(end.heartbeat.roundTripMs, 8000)
  end.nowMs += 4000
  assert.equal(end.heartbeat.beat(), null)
})

test('only the last ping is answered: whoever asks too often makes no queue', () => {
  const end = new End()
  end.hear(Array.from({ length: 1000 }, (_, number) => `HERD 2 ping ${number} 1.0`))
  assert.ok(end.heartbeat.hasMore)
  const said = end.said()
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /^HERD \d+ pong 999 /)
  assert.deepEqual(end.said(), [])
  assert.ok(!end.heartbeat.hasMore)
})
