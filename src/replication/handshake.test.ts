import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyLine } from '../../test/support/line-generators.ts'
import { fc, runs } from '../../test/support/properties.ts'
import {
  type Challenge,
  challengeLine,
  type Greeting,
  greetLine,
  LINK_VERSION,
  proofHolds,
  proofLine,
  readHandshakeLine,
  refusedLine,
  welcomeLine,
} from './handshake.ts'

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/)
const hex = fc.stringMatching(/^[0-9a-f]{32}$/)
const plain = { noNullPrototype: true }
const greeting = fc.record(
  { herd: name, from: fc.oneof(name, fc.constant('*')), to: name, run: hex, nonce: hex },
  plain,
)
const challenge = fc.record({ run: hex, nonce: hex }, plain)
const secret = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes))

/** A line as the other side reads it: one LF at its end, and none else. */
function read(line: string): ReturnType<typeof readHandshakeLine> {
  assert.equal(line.indexOf('\n'), line.length - 1)
  return readHandshakeLine(line.slice(0, -1))
}

function proofIn(line: string): string {
  const answer = read(line)
  assert.ok(answer.type === 'proof' || answer.type === 'welcome')
  return answer.proof
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(greeting, challenge, secret, (greeting, challenge, secret) => {
      assert.deepEqual(read(greetLine(greeting)), { type: 'greet', greeting })
      assert.deepEqual(read(challengeLine(challenge)), { type: 'challenge', challenge })
      assert.equal(read(proofLine(secret, greeting, challenge)).type, 'proof')
      assert.equal(read(welcomeLine(secret, greeting, challenge)).type, 'welcome')
      assert.deepEqual(read(refusedLine('this is Ball')), { type: 'refused', reason: 'this is Ball' })
    }),
    runs(200),
  )
})

test('no bytes make the reader throw', () => {
  const kinds = fc.constantFrom('greet', 'proof', 'welcome', 'challenge', 'refused', 'ping')
  const words = fc
    .tuple(fc.constantFrom('1', '1', '2', '01', 'x'), kinds, fc.array(fc.oneof(hex, name), { maxLength: 6 }))
    .map(([version, type, rest]) => ['HERD', version, type, ...rest].join(' '))
  const types = new Set<string>()
  fc.assert(
    fc.property(fc.oneof(anyLine, words, fc.string()), (line) => {
      types.add(readHandshakeLine(line).type)
    }),
    runs(3000),
  )
  assert.ok(types.has('malformed') && types.has('refused') && types.has('version'))
})

test('malformed lines are told from those of another version', () => {
  const id = 'a'.repeat(32)
  const malformed = [
    '',
    'HERD',
    'HERD 1',
    `herd 1 greet ucla Alford Ball ${id} ${id}`,
    `HERD 1 greet ucla Alford Ball ${id}`,
    `HERD 1 greet ucla Alford Ball ${id} ${id} more`,
    `HERD 1 greet ucla Alford Ball ${id.toUpperCase()} ${id}`,
    `HERD 1 greet ucla Alford Ball ${id}a ${id}`,
    `HERD 1 challenge ${id}`,
    `HERD 1 proof ${id}`,
    `HERD 1 welcome ${id}${id}0`,
    'HERD x greet',
    'HERD 1234567890 greet',
  ]
  for (const line of malformed) assert.equal(readHandshakeLine(line).type, 'malformed', line)
  assert.deepEqual(readHandshakeLine('HERD 2 hello there'), { type: 'version', version: '2' })
})

test('both proofs hold for who has the secret', () => {
  fc.assert(
    fc.property(greeting, challenge, secret, (greeting, challenge, secret) => {
      const proof = proofIn(proofLine(secret, greeting, challenge))
      const welcome = proofIn(welcomeLine(secret, greeting, challenge))
      assert.ok(proofHolds(secret, 'proof', greeting, challenge, proof))
      assert.ok(proofHolds(secret, 'welcome', greeting, challenge, welcome))
    }),
    runs(100),
  )
})

const GREETING: Greeting = {
  herd: 'ucla',
  from: 'Alford',
  to: 'Ball',
  run: '0'.repeat(32),
  nonce: '1'.repeat(32),
}
const CHALLENGE: Challenge = { run: '2'.repeat(32), nonce: '3'.repeat(32) }
const SECRET = Buffer.from('a secret of the herd')
const PROOF = proofIn(proofLine(SECRET, GREETING, CHALLENGE))
const WELCOME = proofIn(welcomeLine(SECRET, GREETING, CHALLENGE))

test('a proof that is sent back does not serve as the other side’s', () => {
  assert.ok(!proofHolds(SECRET, 'welcome', GREETING, CHALLENGE, PROOF))
  assert.ok(!proofHolds(SECRET, 'proof', GREETING, CHALLENGE, WELCOME))
})

test('a proof of another conversation, of another server or of another herd does not hold', () => {
  const others: [Greeting, Challenge][] = [
    [{ ...GREETING, nonce: '4'.repeat(32) }, CHALLENGE],
    [{ ...GREETING, run: '4'.repeat(32) }, CHALLENGE],
    [{ ...GREETING, herd: 'lakers' }, CHALLENGE],
    [{ ...GREETING, from: 'Welsh' }, CHALLENGE],
    [{ ...GREETING, from: '*' }, CHALLENGE],
    [{ ...GREETING, to: 'Welsh' }, CHALLENGE],
    [{ ...GREETING, from: 'Ball', to: 'Alford' }, CHALLENGE],
    [GREETING, { ...CHALLENGE, nonce: '4'.repeat(32) }],
    [GREETING, { ...CHALLENGE, run: '4'.repeat(32) }],
    [
      { ...GREETING, run: CHALLENGE.run, nonce: CHALLENGE.nonce },
      { run: GREETING.run, nonce: GREETING.nonce },
    ],
  ]
  for (const [greeting, challenge] of others) {
    assert.ok(!proofHolds(SECRET, 'proof', greeting, challenge, PROOF))
    assert.ok(!proofHolds(SECRET, 'welcome', greeting, challenge, WELCOME))
  }
})

test('a wrong secret and a proof of the wrong shape do not hold', () => {
  assert.ok(!proofHolds(Buffer.from('another'), 'proof', GREETING, CHALLENGE, PROOF))
  for (const proof of ['', PROOF.slice(1), `${PROOF}0`, PROOF.toUpperCase(), 'é'.repeat(32)]) {
    assert.ok(!proofHolds(SECRET, 'proof', GREETING, CHALLENGE, proof))
  }
})

test('the secret is in no line', () => {
  const said = [
    greetLine(GREETING),
    challengeLine(CHALLENGE),
    proofLine(SECRET, GREETING, CHALLENGE),
    welcomeLine(SECRET, GREETING, CHALLENGE),
  ].join('')
  assert.ok(!said.includes(SECRET.toString()) && !said.includes(SECRET.toString('hex')))
  assert.ok(said.split('\n').every((line) => line === '' || line.startsWith(`HERD ${LINK_VERSION} `)))
})
