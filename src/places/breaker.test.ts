import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { Breaker } from './breaker.ts'
import { type FailureStatus, ProviderFailed } from './provider.ts'

const LIMITS = { breakerFailuresMax: 3, breakerOpenMs: 100, breakerDeniedMs: 1_000 }

function failure(status: FailureStatus = 'UNKNOWN_ERROR', waitMs = 0): ProviderFailed {
  return new ProviderFailed(`${status}.`, status, { waitMs })
}

/** One call after the other, each failing. */
function fail(breaker: Breaker, count: number, nowMs: number, why: ProviderFailed = failure()): number[] {
  return Array.from({ length: count }, () => breaker.begin().failed(why, nowMs))
}

test('opens after so many failures in a row, and says why', () => {
  const breaker = new Breaker(LIMITS)
  assert.deepEqual(fail(breaker, 2, 5), [0, 0])
  breaker.begin().succeeded()
  assert.deepEqual(fail(breaker, 2, 5), [0, 0])
  assert.equal(breaker.objection(5), undefined)
  const last = failure()
  assert.deepEqual(fail(breaker, 1, 5, last), [100])
  assert.equal(breaker.state, 'open')
  assert.equal(breaker.objection(104), last)
})

test('half open, one call is tried: it closes the breaker, or opens it again', () => {
  const breaker = new Breaker(LIMITS)
  fail(breaker, 3, 0)
  assert.equal(breaker.objection(100), undefined)
  const trial = breaker.begin()
  assert.ok(trial.isTrial)
  assert.equal(breaker.state, 'half-open')
  assert.ok(breaker.objection(100))
  assert.equal(trial.failed(failure(), 150), 100)
  assert.ok(breaker.objection(249))
  assert.equal(breaker.objection(250), undefined)
  breaker.begin().succeeded()
  assert.equal(breaker.state, 'closed')
  assert.deepEqual(fail(breaker, 2, 300), [0, 0])
})

for (const status of ['OVER_QUERY_LIMIT', 'REQUEST_DENIED'] as const) {
  test(`${status} opens it at once, and for longer; what the source asks for counts too, up to a day`, () => {
    const breaker = new Breaker(LIMITS)
    assert.deepEqual(fail(breaker, 1, 0, failure(status)), [1_000])
    assert.ok(breaker.objection(999))
    assert.equal(breaker.objection(1_000), undefined)
    assert.deepEqual(fail(new Breaker(LIMITS), 1, 0, failure(status, 5_000)), [5_000])
    assert.deepEqual(fail(new Breaker(LIMITS), 1, 0, failure(status, 1e12)), [86_400_000])
  })
}

test('INVALID_REQUEST is an answer: the provider is up', () => {
  const breaker = new Breaker(LIMITS)
  fail(breaker, 2, 0)
  assert.deepEqual(fail(breaker, 5, 0, failure('INVALID_REQUEST')), [0, 0, 0, 0, 0])
  assert.deepEqual(fail(breaker, 3, 0), [0, 0, 100])
  assert.equal(breaker.begin().failed(failure('INVALID_REQUEST'), 100), 0)
  assert.equal(breaker.state, 'closed')
})

test('calls that began before it opened, or closed, change nothing any more', () => {
  const breaker = new Breaker(LIMITS)
  const [late, later] = [breaker.begin(), breaker.begin()]
  fail(breaker, 3, 0)
  late.succeeded()
  assert.equal(later.failed(failure('REQUEST_DENIED'), 50), 0)
  assert.ok(breaker.objection(99))
  assert.equal(breaker.objection(100), undefined)
})

test('whatever happens, it opens for a bounded time, and one trial at most is under way', () => {
  const step = fc.record({
    gapMs: fc.constantFrom(0, 1, 50, 100, 1_000),
    what: fc.constantFrom('begin', 'succeeded', 'UNKNOWN_ERROR', 'REQUEST_DENIED', 'INVALID_REQUEST'),
    which: fc.nat(5),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const breaker = new Breaker(LIMITS)
      const calls: ReturnType<Breaker['begin']>[] = []
      let nowMs = 1
      for (const { gapMs, what, which } of steps) {
        nowMs += gapMs
        if (what === 'begin') {
          if (breaker.objection(nowMs) === undefined) calls.push(breaker.begin())
        } else {
          const [call] = calls.splice(which % Math.max(1, calls.length), 1)
          if (what === 'succeeded') call?.succeeded()
          else call?.failed(failure(what), nowMs)
        }
        assert.equal(calls.filter(({ isTrial }) => isTrial).length, breaker.state === 'half-open' ? 1 : 0)
        assert.ok(breaker.state !== 'open' || breaker.objection(nowMs + 1_000) === undefined)
      }
    }),
  )
})
