import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServerNames } from './server-names.ts'

function indexOf(names: ServerNames, name: string): number {
  const bytes = Buffer.from(`<${name}>`, 'latin1')
  return names.indexOf(bytes, 1, bytes.length - 1)
}

test('each name has one index, whatever comes in between, and its bytes come back', () => {
  const names = new ServerNames(10)
  const given = ['Alford', 'Ball', 'Alfor', 'Alford\xff', '\xff\xfe', 'a']
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(
      given.map((name) => indexOf(names, name)),
      [0, 1, 2, 3, 4, 5],
    )
    assert.equal(indexOf(names, 'Ball'), 1)
    assert.equal(indexOf(names, 'Ball'), 1)
  }
  assert.deepEqual(
    given.map((_, index) => names.name(index).toString('latin1')),
    given,
  )
  assert.equal(names.atPrefix(3).toString('latin1'), 'AT Alford\xff ')
})

test('there are no more names than allowed', () => {
  const names = new ServerNames(2)
  assert.deepEqual(
    ['a', 'b', 'c', 'a', 'c', 'b'].map((name) => indexOf(names, name)),
    [0, 1, -1, 0, -1, 1],
  )
})

test('a name is kept when its buffer is used again', () => {
  const names = new ServerNames(2)
  const buffer = Buffer.from('Alford')
  names.indexOf(buffer, 0, buffer.length)
  buffer.fill('x')
  assert.equal(names.name(0).toString(), 'Alford')
  assert.equal(indexOf(names, 'Alford'), 0)
  assert.equal(indexOf(names, 'xxxxxx'), 1)
})
