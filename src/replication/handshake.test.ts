import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyLine } from '../../test/support/line-generators.ts'
import { fc, runs } from '../../test/support/properties.ts'
import {
  type Challenge,
  challengeLine,
  commonVersion,
  type Greeting,
  greetLine,
  keyOfProof,
  LINK_VERSION,
  proofLine,
  readHandshakeLine,
  refusedLine,
  type Transcript,
} from './handshake.ts'
import { haveSecret, type LinkKeys, makeLinkKeys } from './link-keys.ts'

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/)
const hex = fc.stringMatching(/^[0-9a-f]{32}$/)
const plain = { noNullPrototype: true }
const introduction = {
  run: hex,
  nonce: hex,
  versions: fc
    .tuple(fc.integer({ min: 1, max: 99 }), fc.nat(9))
    .map(([min, more]) => ({ min, max: min + more })),
  clock: fc.record({ seconds: fc.nat(99_999_999_999), nanoseconds: fc.nat(999_999_999) }, plain),
  forgetAfterSeconds: fc.oneof(fc.nat(), fc.constant(Number.POSITIVE_INFINITY)),
}
const at = fc.record(
  { host: fc.constantFrom('127.0.0.1', '::1', 'alford.example'), port: fc.integer({ min: 1, max: 65_535 }) },
  plain,
)
const greeting = fc.record(
  { herd: name, from: fc.oneof(name, fc.constant('*')), to: name, ...introduction, at },
  {
    ...plain,
    requiredKeys: ['herd', 'from', 'to', 'run', 'nonce', 'versions', 'clock', 'forgetAfterSeconds'],
  },
)
const challenge = fc.record(introduction, plain)
const keys = fc
  .uint8Array({ minLength: 1, maxLength: 64 })
  .map((bytes) => makeLinkKeys([Buffer.from(bytes)], 'ucla'))
/** What no version so far has said, and one to come may. */
const laterFields = fc.array(fc.stringMatching(/^x[a-z]{1,8}(=[a-zA-Z0-9,]{0,8})?$/), { maxLength: 4 })

function proofIn(line: string): string {
  const answer = readHandshakeLine(line)
  assert.ok(answer.type === 'proof' || answer.type === 'welcome')
  return answer.proof
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(greeting, challenge, (greeting, challenge) => {
      assert.deepEqual(readHandshakeLine(greetLine(greeting)), { type: 'greet', greeting })
      assert.deepEqual(readHandshakeLine(challengeLine(challenge)), { type: 'challenge', challenge })
      assert.deepEqual(readHandshakeLine(refusedLine('this is Ball')), {
        type: 'refused',
        reason: 'this is Ball',
      })
    }),
    runs(200),
  )
})

test('fields of later versions are read over', () => {
  fc.assert(
    fc.property(greeting, challenge, laterFields, (greeting, challenge, more) => {
      const rest = more.map((field) => ` ${field}`).join('')
      assert.deepEqual(readHandshakeLine(greetLine(greeting) + rest), { type: 'greet', greeting })
      assert.deepEqual(readHandshakeLine(challengeLine(challenge) + rest), { type: 'challenge', challenge })
    }),
    runs(200),
  )
  // A peer that doesn't say when it forgets doesn't.
  const line = greetLine(GREETING).replace(/ forgetAfter=\S+/, '')
  const read = readHandshakeLine(line)
  assert.ok(read.type === 'greet')
  assert.equal(read.greeting.forgetAfterSeconds, Number.POSITIVE_INFINITY)
})

test('a greeting that says where it listens in a way that can’t be read is none', () => {
  for (const where of ['', '127.0.0.1', '127.0.0.1:0', '::1:5', '[::1]:99999'])
    assert.equal(readHandshakeLine(`${greetLine(GREETING)} at=${where}`).type, 'malformed', where)
})

test('both sides choose the highest version that is common', () => {
  const range = (min: number, max: number) => ({ min, max })
  assert.equal(commonVersion(range(2, 2), range(2, 3)), 2)
  assert.equal(commonVersion(range(2, 5), range(3, 4)), 4)
  assert.equal(commonVersion(range(2, 2), range(3, 4)), null)
  assert.equal(commonVersion(range(3, 4), range(2, 2)), null)
  assert.equal(commonVersion(range(1, 1), range(1, 1)), 1)
})

test('no bytes make the reader throw', () => {
  const kinds = fc.constantFrom('greet', 'proof', 'welcome', 'challenge', 'refused', 'ping')
  const words = fc
    .tuple(fc.constantFrom('2', '2', '1', '02', 'x'), kinds, fc.array(fc.oneof(hex, name), { maxLength: 6 }))
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
  const good = `HERD 2 greet ucla Alford Ball ${id} ${id} 2-2 1479413884.5 forgetAfter=60`
  assert.equal(readHandshakeLine(good).type, 'greet')
  const malformed = [
    '',
    'HERD',
    'HERD 2',
    good.replace('HERD', 'herd'),
    good.replace(' 1479413884.5 forgetAfter=60', ''),
    good.replace('greet ucla', 'greet'),
    good.replace(id, id.toUpperCase()),
    good.replace(id, `${id}a`),
    ...['2', '2-', '-2', '3-2', '2-x', '0-2', '2-2-2', '1234567890-1234567890'].map((range) =>
      good.replace('2-2', range),
    ),
    ...['-1', '1.', '.5', '1e9', '100000000000', 'now'].map((time) => good.replace('1479413884.5', time)),
    ...['', '-1', '1.5', 'Never', '60s'].map((text) => good.replace('=60', `=${text}`)),
    `HERD 2 challenge ${id}`,
    `HERD 2 challenge ${id} ${id} 2-2`,
    `HERD 2 proof ${id}`,
    `HERD 2 welcome ${id}${id}0`,
    `HERD 2 proof ${id}${id} more`,
    'HERD x greet',
    'HERD 1234567890 greet',
  ]
  for (const line of malformed) assert.equal(readHandshakeLine(line).type, 'malformed', line)
  assert.deepEqual(readHandshakeLine('HERD 1 hello there'), { type: 'version', version: '1' })
  assert.deepEqual(readHandshakeLine('HERD 3 hello there'), { type: 'version', version: '3' })
})

test('both proofs hold for who has the secret', () => {
  fc.assert(
    fc.property(greeting, challenge, keys, (greeting, challenge, keys) => {
      const transcript = transcriptOf(greeting, challenge)
      for (const role of ['proof', 'welcome'] as const) {
        const proof = proofIn(proofLine(keys[0], role, transcript))
        assert.equal(keyOfProof(keys, role, transcript, proof), keys[0])
      }
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
  versions: { min: 2, max: 2 },
  clock: { seconds: 1_479_413_884, nanoseconds: 392_014_450 },
  forgetAfterSeconds: 86_400,
}
const CHALLENGE: Challenge = { ...GREETING, run: '2'.repeat(32), nonce: '3'.repeat(32) }
const SECRET = Buffer.from('a secret of the herd')
const KEYS = makeLinkKeys([SECRET], 'ucla')
const SAID = transcriptOf(GREETING, CHALLENGE)
const PROOF = proofIn(proofLine(KEYS[0], 'proof', SAID))
const WELCOME = proofIn(proofLine(KEYS[0], 'welcome', SAID))

function transcriptOf(greeting: Greeting, challenge: Challenge, binding = Buffer.alloc(0)): Transcript {
  return { greet: greetLine(greeting), challenge: challengeLine(challenge), binding }
}

function assertHolds(holds: boolean, transcript: Transcript, keys: LinkKeys = KEYS): void {
  assert.equal(keyOfProof(keys, 'proof', transcript, PROOF) !== null, holds)
  assert.equal(keyOfProof(keys, 'welcome', transcript, WELCOME) !== null, holds)
}

test('a proof that is sent back does not serve as the other side’s', () => {
  assertHolds(true, SAID)
  assert.equal(keyOfProof(KEYS, 'welcome', SAID, PROOF), null)
  assert.equal(keyOfProof(KEYS, 'proof', SAID, WELCOME), null)
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
    [{ ...GREETING, versions: { min: 2, max: 3 } }, CHALLENGE],
    [{ ...GREETING, forgetAfterSeconds: 1 }, CHALLENGE],
    [{ ...GREETING, clock: { seconds: 1, nanoseconds: 0 } }, CHALLENGE],
    [GREETING, { ...CHALLENGE, nonce: '4'.repeat(32) }],
    [GREETING, { ...CHALLENGE, run: '4'.repeat(32) }],
    [GREETING, { ...CHALLENGE, versions: { min: 1, max: 2 } }],
    [
      { ...GREETING, run: CHALLENGE.run, nonce: CHALLENGE.nonce },
      { ...CHALLENGE, run: GREETING.run, nonce: GREETING.nonce },
    ],
  ]
  for (const [greeting, challenge] of others) assertHolds(false, transcriptOf(greeting, challenge))
})

test('a proof covers every byte that was said, also what is read over, and the TLS connection', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(200), fc.constantFrom(' ', 'x', '\r', '\xe9'), (first, at, byte) => {
      const insert = (line: string): string => line.slice(0, at) + byte + line.slice(at)
      const { greet, challenge, binding } = SAID
      const changed = first
        ? { greet: insert(greet), challenge, binding }
        : { greet, challenge: insert(challenge), binding }
      assertHolds(false, changed)
    }),
    runs(200),
  )
  assertHolds(false, { ...SAID, binding: Buffer.alloc(32) })
})

test('a wrong secret and a proof of the wrong shape do not hold', () => {
  assertHolds(false, SAID, makeLinkKeys([Buffer.from('another')], 'ucla'))
  assertHolds(false, SAID, makeLinkKeys([SECRET], 'lakers'))
  assertHolds(false, SAID, makeLinkKeys([], 'ucla'))
  for (const proof of ['', PROOF.slice(1), `${PROOF}0`, PROOF.toUpperCase(), 'é'.repeat(32)]) {
    assert.equal(keyOfProof(KEYS, 'proof', SAID, proof), null)
  }
})

test('of two secrets each is accepted, and it is known which', () => {
  const both = makeLinkKeys([Buffer.from('the next secret'), SECRET], 'ucla')
  assertHolds(true, SAID, both)
  assert.equal(keyOfProof(both, 'proof', SAID, PROOF), both[1])
  assert.equal(both[1]?.id, KEYS[0].id)
  assert.notEqual(both[0].id, both[1]?.id)
  assert.ok(haveSecret(both))
  assert.ok(!haveSecret(makeLinkKeys([], 'ucla')))
})

test('the secret and its keys are in no line', () => {
  const { greet, challenge } = SAID
  const said = [
    greet,
    challenge,
    ...(['proof', 'welcome'] as const).map((role) => proofLine(KEYS[0], role, SAID)),
  ]
  for (const secret of [SECRET, KEYS[0].psk, KEYS[0].proof]) {
    assert.ok(!said.join('').includes(secret.toString('latin1')))
    assert.ok(!said.join('').includes(secret.toString('hex')))
  }
  assert.ok(said.every((line) => line.startsWith(`HERD ${LINK_VERSION} `) && !line.includes('\n')))
})
