import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../support/properties.ts'
import { Agenda } from './agenda.ts'
import { Random } from './random.ts'
import { type End, makeConnection, Path, type PathLimits } from './wire.ts'

const LIMITS: PathLimits = {
  ...{ latencyMs: 10, jitterMs: 20, bytesPerMs: 1, windowBytes: 50, chunkBytesMax: 7 },
}

/** A connection, and what happens at the end that was dialed. */
function connection(seed: number): {
  agenda: Agenda
  dialer: End
  accepter: End
  there: Path
  heard: string[]
} {
  const agenda = new Agenda()
  const there = new Path({ ...LIMITS })
  const [dialer, accepter] = makeConnection(agenda, new Random(seed), there, new Path({ ...LIMITS }))
  const heard: string[] = []
  accepter.socket = {
    onOpen: () => undefined,
    onData: (chunk) => heard.push(chunk.toString('latin1')),
    onClose: () => heard.push('closed'),
  }
  dialer.socket = { onOpen: () => undefined, onData: () => undefined, onClose: () => undefined }
  dialer.connect()
  agenda.runUntil(100)
  return { agenda, dialer, accepter, there, heard }
}

test('bytes come in order, in pieces, however the path stalls meanwhile', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat(200), { maxLength: 8 }), (seed, stalls) => {
      const { agenda, dialer, there, heard } = connection(seed)
      dialer.write(Buffer.from('The quick brown fox. '))
      for (const ms of stalls) {
        there.stop()
        agenda.runUntil(agenda.nowMs + ms)
        there.go()
        agenda.runUntil(agenda.nowMs + (ms % 13))
      }
      dialer.write(Buffer.from('The lazy dog.'))
      agenda.runUntil(agenda.nowMs + 1000)
      assert.ok(heard.length > 4 && heard.every((chunk) => chunk.length <= LIMITS.chunkBytesMax))
      assert.equal(heard.join(''), 'The quick brown fox. The lazy dog.')
    }),
    runs(50),
  )
})

test('a connection that is cut brings a beginning of what was sent, and then its end', () => {
  const text = 'a line that is a good deal longer than what is on its way at any time\n'
  const beginnings = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const { agenda, dialer, accepter, heard } = connection(seed)
    dialer.write(Buffer.from(text))
    agenda.runUntil(agenda.nowMs + seed)
    dialer.cut()
    accepter.cut()
    dialer.write(Buffer.from('never'))
    agenda.runUntil(agenda.nowMs + 1000)
    assert.equal(heard.pop(), 'closed')
    assert.ok(text.startsWith(heard.join('')))
    beginnings.add(heard.join(''))
  }
  assert.ok(beginnings.size > 10)
})

test('who writes waits while more than a window is not sent', () => {
  const { agenda, dialer } = connection(1)
  let doneMs = 0
  dialer.write(Buffer.alloc(150), () => {
    doneMs = agenda.nowMs
  })
  agenda.runUntil(1000)
  // A byte a millisecond: 100 of 150 must have left.
  assert.ok(doneMs >= 200 && doneMs < 215, `${doneMs}`)
})

test('an end that has vanished says nothing until its host is up again', () => {
  const { agenda, dialer, accepter, heard } = connection(1)
  let isUp = false
  let isClosed = false
  accepter.isHostUp = () => isUp
  dialer.socket = { onOpen: () => {}, onData: () => {}, onClose: () => (isClosed = true) }
  accepter.vanish()
  dialer.write(Buffer.from('hello'))
  agenda.runUntil(500)
  assert.equal(isClosed, false)
  isUp = true
  dialer.probe()
  agenda.runUntil(1000)
  assert.equal(isClosed, true)
  assert.deepEqual(heard, [])
})

test('time that stands still is noticed', () => {
  const agenda = new Agenda()
  const again = (): void => {
    agenda.after(0, again)
  }
  again()
  assert.throws(() => agenda.runUntil(1), /time stands still/)
})
