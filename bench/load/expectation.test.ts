import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectAt, expectEcho } from './expectation.ts'

const REQUEST = 'IAMAT a +1+2 3.5\nIAMAT b +1+2 3.5\n'

test('an echo gives back every byte', () => {
  assert.equal(expectEcho.check(REQUEST, REQUEST), undefined)
  assert.notEqual(expectEcho.check(REQUEST, REQUEST.toUpperCase().replace('A', 'B')), undefined)
})

test('an AT line names the server, the difference with nine digits, and copies the rest', () => {
  const solo = expectAt('Solo')
  assert.equal(
    solo.check(REQUEST, 'AT Solo +0.263873386 a +1+2 3.5\nAT Solo -12.000000000 b +1+2 3.5\n'),
    undefined,
  )
  for (const wrong of [
    'AT Solo +0.263873386 a +1+2 3.5\n',
    'AT Solo +0.263873386 a +1+2 3.5\n? IAMAT b +1+2 3.5\n',
    'AT Other +0.263873386 a +1+2 3.5\nAT Solo +0.263873386 b +1+2 3.5\n',
    'AT Solo 0.263873386 a +1+2 3.5\nAT Solo +0.263873386 b +1+2 3.5\n',
    'AT Solo +0.263873386 b +1+2 3.5\nAT Solo +0.263873386 a +1+2 3.5\n',
    'AT Solo +0.263 a +1+2 3.5\nAT Solo +0.263 b +1+2 3.5\n',
  ]) {
    assert.notEqual(solo.check(REQUEST, wrong), undefined, wrong)
  }
})
