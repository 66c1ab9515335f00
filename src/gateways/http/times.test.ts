import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanotimes } from '../../../test/support/client-fixes.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { formatTime } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { millisecondsText, posixText, rfc3339 } from './times.ts'

test('a time comes back to the nanosecond, by whichever text it went', () => {
  fc.assert(
    fc.property(nanotimes, (time) => {
      const text = formatTime(time)
      assert.equal(posixText(rfc3339(time)), text)
      assert.equal(posixText(rfc3339(time).toLowerCase()), text)
      assert.equal(posixText(rfc3339(time).replace('T', ' ')), text)
      assert.equal(posixText(text), text)
      assert.equal(posixText(`${rfc3339(time).slice(0, -1)}999999Z`), text)
    }),
    runs(1000),
  )
})

test('a time in another zone is the same time', () => {
  const minutes = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 })
  fc.assert(
    fc.property(nanotimes, minutes, (time, offset) => {
      const there = { ...time, seconds: time.seconds + offset * 60 }
      const size = Math.abs(offset)
      const clock = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, '0')).join(':')
      const text = rfc3339(there).replace('Z', (offset < 0 ? '-' : '+') + clock)
      // Where it is 1969 already, or still, the year is one all the same.
      assert.equal(posixText(text), formatTime(time))
    }),
    runs(1000),
  )
})

test('seconds as a number are exact to the microsecond, as far as they are safe', () => {
  const microseconds = fc.oneof(fc.nat(1e15), fc.nat(Number.MAX_SAFE_INTEGER))
  fc.assert(
    fc.property(microseconds, (count) => {
      const text = millisecondsText(count / 1000)
      const [seconds = '', fraction = ''] = text.split('.')
      assert.ok(Math.abs(Number(BigInt(seconds + fraction) / 1000n) - count) <= 1, text)
      if (count < 1e15) assert.equal(posixText(count / 1e6), millisecondsText(count / 1000))
    }),
    runs(1000),
  )
  assert.equal(posixText(0), '0.000000000')
  assert.equal(posixText(1_479_413_884.392014), '1479413884.392014000')
})

test('no text is a double on its way', () => {
  assert.equal(posixText('1479413884.39201445012345678901'), '1479413884.39201445012345678901')
  assert.equal(posixText('99999999999.999999999'), '99999999999.999999999')
  assert.equal(posixText('5138-11-16T09:46:39.999999999Z'), '99999999999.999999999')
})

for (const text of [
  ...['', ' ', 'noon', '-1', '1e9', '0x10', '1.', '.5', '+1', '١'],
  ...['2016-02-30T00:00:00Z', '2015-02-29T00:00:00Z', '2016-04-31T12:00:00+01:00', '2016-13-01T00:00:00Z'],
  ...['2016-00-10T00:00:00Z', '2016-01-00T00:00:00Z', '2016-02-29T24:00:00Z', '2016-02-29T23:60:00Z'],
  ...['2016-12-31T23:59:60Z', '2016-02-29T00:00:00+24:00', '2016-02-29T00:00:00+00:60'],
  ...['2016-02-29T00:00:00', '2016-02-29', '2016-02-29T00:00:00.Z', '2016-02-29T00:00:00,5Z'],
  ...['1969-12-31T23:59:59.999999999Z', '1970-01-01T00:59:59+01:00', '0000-01-01T00:00:00Z'],
  ...['2016-02-29T00:00:00Z\n', ' 2016-02-29T00:00:00Z'],
]) {
  test(`${JSON.stringify(text)} is no time`, () => {
    assert.throws(
      () => posixText(text),
      (error) => {
        assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
        assert.ok(error.message.startsWith(`${JSON.stringify(text)} is no time: RFC 3339`), error.message)
        return true
      },
    )
  })
}

for (const number of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e10, 1e300]) {
  test(`the number ${number} is no time, and the message has it as it came`, () => {
    assert.throws(() => posixText(number), {
      code: 'invalid',
      message: `${number} is no time in seconds since 1970`,
    })
  })
}

test('whatever comes, it is POSIX seconds or is refused', () => {
  const part = fc.constantFrom(
    '2016',
    '-',
    '02',
    '30',
    '29',
    'T',
    ':',
    '00',
    '24',
    '.',
    '5',
    'Z',
    '+',
    ' ',
    'e',
  )
  const any = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part).map((parts) => parts.join('')),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.double(),
  )
  fc.assert(
    fc.property(any, (value) => {
      try {
        assert.match(posixText(value), /^\d+(?:\.\d+)?$/)
      } catch (error) {
        assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
        assert.ok(error.message.includes(typeof value === 'string' ? JSON.stringify(value) : String(value)))
      }
    }),
    runs(2000),
  )
})
