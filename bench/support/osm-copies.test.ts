import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objectsOf, readOsmLines, writeCopies } from './osm-copies.ts'

const LINES = [
  'n1 v1 dV T x9.5 y47.1',
  'n3 v1 dV Tname=x9%20%,place=n4 x9.6000001 y47.2',
  'w2 v1 dV Thighway=N7 Nn1,n3,n1',
  'r5 v1 dV Ttype=site Mn3@,w2@n9,w4@,r5@outer',
]

test('one copy is the file itself', async () => {
  const lines = await readOsmLines(LINES)
  assert.equal(objectsOf(lines), 4)
  assert.deepEqual([...writeCopies(lines, 1)].join(''), `${LINES.join('\n')}\n`)
})

// The file lacks way 4, to which it refers: no other copy has it.
test('further copies have IDs, references and places of their own; tags and roles stay', async () => {
  const text = [...writeCopies(await readOsmLines(LINES), 2)].join('').split('\n')
  assert.deepEqual(text.slice(0, 4), [
    ...LINES.slice(0, 2),
    'n4 v1 dV T x9.8 y47.1',
    'n6 v1 dV Tname=x9%20%,place=n4 x9.9000001 y47.2',
  ])
  assert.equal(text[5], 'w6 v1 dV Thighway=N7 Nn4,n6,n4')
  assert.equal(text[7], 'r10 v1 dV Ttype=site Mn6@,w6@n9,w8@,r10@outer')
})

test('a row of copies is followed by another to the north', async () => {
  const text = [...writeCopies(await readOsmLines(LINES.slice(0, 1)), 501)].join('').trim().split('\n')
  assert.equal(text[499], 'n500 v1 dV T x159.2 y47.1')
  assert.equal(text[500], 'n501 v1 dV T x9.5 y47.9')
})
