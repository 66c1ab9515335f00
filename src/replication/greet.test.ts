import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { cutPair, type SocketPair, socketPair } from '../../test/support/socket-pairs.ts'
import { type Admit, awaitGreeting, type Greeted, greet, type Identity } from './greet.ts'
import { challengeLine, proofLine, readHandshakeLine } from './handshake.ts'
import { HandshakeSocket } from './handshake-socket.ts'
import { makeLinkKeys } from './link-keys.ts'
import { plainChannel } from './link-security.ts'

const LIMITS = { handshakeLineBytesMax: 1024, handshakeMsMax: 20_000 }
const KEYS = makeLinkKeys([Buffer.from('a secret of the herd')], 'ucla')
const WELCOME = (): null => null

function identityOf(name: string, parts: Partial<Identity> = {}): Identity {
  return {
    herd: 'ucla',
    name,
    run: name === 'Alford' ? 'a'.repeat(32) : 'b'.repeat(32),
    keys: KEYS,
    forgetAfterSeconds: Number.POSITIVE_INFINITY,
    randomBytes,
    readClock: clockAt(1000),
    ...parts,
  }
}

/** A clock that stands still. */
function clockAt(seconds: number): Identity['readClock'] {
  return (time) => {
    time.seconds = Math.floor(seconds)
    time.nanoseconds = Math.round((seconds % 1) * 1e9)
  }
}

/** Alford greets Ball. */
function greetEachOther(
  { dialing, dialed }: SocketPair,
  alford: Identity,
  ball: Identity,
  admit: Admit = WELCOME,
): Promise<[Greeted, Greeted]> {
  return Promise.all([
    greet(plainChannel(dialing), alford, 'Ball', LIMITS),
    awaitGreeting(plainChannel(dialed), ball, LIMITS, admit),
  ])
}

test('two servers greet: each knows the other, the version, and how far its clock is off', async (t) => {
  const [one, other] = await greetEachOther(
    await socketPair(t),
    identityOf('Alford', { readClock: clockAt(1000) }),
    identityOf('Ball', { readClock: clockAt(1005.25) }),
  )
  const open = { outcome: 'open', version: 2, rest: Buffer.alloc(0) } as const
  assert.deepEqual(one, { ...open, peer: 'Ball', peerRun: 'b'.repeat(32), clockOffsetMs: 5250 })
  assert.deepEqual(other, { ...open, peer: 'Alford', peerRun: 'a'.repeat(32), clockOffsetMs: -5250 })
})

test('half of the round trip is taken off the difference of the clocks', async (t) => {
  // Each look at the clock is a second later: a round trip takes one at either side.
  const ticking = (from: number): Identity['readClock'] => {
    let seconds = from
    return (time) => clockAt(seconds++)(time)
  }
  const [one, other] = await greetEachOther(
    await socketPair(t),
    identityOf('Alford', { readClock: ticking(1000) }),
    identityOf('Ball', { readClock: ticking(1000) }),
  )
  assert.ok(one.outcome === 'open' && other.outcome === 'open')
  // Alford's 1000 and 1001 around Ball's 1001; Ball hears Alford's 1000 at 1000, half a second after it was said.
  assert.deepEqual([one.clockOffsetMs, other.clockOffsetMs], [500, 500])
})

test('a greeting may be cut anywhere, and what comes behind it is kept', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
      async (sizes) => {
        const pair = await cutPair(t, sizes)
        const behind = `AT Alford +0.1 kiwi +1+1 ${sizes.length}\n`
        const greeted = greetEachOther(pair, identityOf('Alford'), identityOf('Ball'))
        const [one, other] = await greeted
        assert.deepEqual([one.outcome, other.outcome], ['open', 'open'])
        pair.dialing.write(behind)
        pair.dialing.end()
        let text = other.outcome === 'open' ? other.rest.toString() : ''
        for await (const chunk of pair.dialed as AsyncIterable<Buffer>) text += chunk.toString()
        assert.equal(text, behind)
        pair.dialed.destroy()
      },
    ),
    runs(15),
  )
})

test('while a secret is changed, servers that hold both and servers that hold one greet each other', async (t) => {
  const [old, next] = [Buffer.from('the secret that was'), Buffer.from('the secret to come')]
  const held = { old: [old], 'old, next': [old, next], 'next, old': [next, old], next: [next] }
  const keys = (of: readonly Buffer[]) => ({ keys: makeLinkKeys(of, 'ucla') })
  for (const [one, ones] of Object.entries(held)) {
    for (const [other, others] of Object.entries(held)) {
      const pair = await socketPair(t)
      const ends = await greetEachOther(
        pair,
        identityOf('Alford', keys(ones)),
        identityOf('Ball', keys(others)),
      )
      const first = ones[0]
      const isHeld = first !== undefined && others.includes(first)
      const expected = isHeld ? 'open' : 'refused'
      assert.deepEqual(
        ends.map(({ outcome }) => outcome),
        [expected, expected],
        `${one} greets ${other}`,
      )
    }
  }
})

for (const [what, alford, ball, reason] of [
  ['another secret', { keys: makeLinkKeys([Buffer.from('another')], 'ucla') }, {}, /^that is not the secret/],
  ['another herd', { herd: 'lakers' }, {}, /^this is herd ucla$/],
  ['another name', {}, { name: 'Welsh' }, /^this is Welsh$/],
  [
    'another forgetAfter',
    { forgetAfterSeconds: 60 },
    { forgetAfterSeconds: 86_400 },
    /^forgetAfter must be the same in a herd: this server has 86400, the other 60 \(seconds\)$/,
  ],
  ['no forgetAfter', {}, { forgetAfterSeconds: 60 }, /this server has 60, the other never/],
] as const) {
  test(`${what}: refused, and both sides know why`, async (t) => {
    const ends = await greetEachOther(
      await socketPair(t),
      identityOf('Alford', alford),
      identityOf('Ball', ball),
    )
    for (const end of ends) {
      assert.ok(end.outcome === 'refused')
      assert.match(end.reason, reason)
    }
  })
}

test('where the dialing server listens is told to the other, and to whoever admits it', async (t) => {
  const at = { host: '::1', port: 12_000 }
  const admitted: unknown[] = []
  const [one, other] = await greetEachOther(
    await socketPair(t),
    identityOf('Alford', { at }),
    identityOf('Ball', { at: { host: '127.0.0.1', port: 1 } }),
    (...who) => {
      admitted.push(who)
      return null
    },
  )
  assert.deepEqual(admitted, [['Alford', 'a'.repeat(32), at]])
  assert.ok(one.outcome === 'open' && other.outcome === 'open')
  assert.deepEqual([one.at, other.at], [undefined, at])
})

test('only an operator may leave open whom it dials', async (t) => {
  for (const [from, outcome] of [
    ['*', 'open'],
    ['Alford', 'refused'],
  ] as const) {
    const { dialing, dialed } = await socketPair(t)
    const [one, other] = await Promise.all([
      greet(plainChannel(dialing), identityOf(from), '*', LIMITS),
      awaitGreeting(plainChannel(dialed), identityOf('Ball'), LIMITS, WELCOME),
    ])
    assert.deepEqual([one.outcome, other.outcome], [outcome, outcome])
  }
})

test('an operator may have any forgetAfter', async (t) => {
  const [one, other] = await greetEachOther(
    await socketPair(t),
    identityOf('*'),
    identityOf('Ball', { forgetAfterSeconds: 60 }),
  )
  assert.deepEqual([one.outcome, other.outcome], ['open', 'open'])
})

/** Greets Ball line by line. @param line what is said first. @returns what Ball answers, and how it ends there. */
async function say(
  t: TestContext,
  line: string,
): Promise<{ readonly lines: HandshakeSocket; readonly end: Promise<Greeted> }> {
  const { dialing, dialed } = await socketPair(t)
  const end = awaitGreeting(plainChannel(dialed), identityOf('Ball'), LIMITS, WELCOME)
  const lines = new HandshakeSocket(dialing, LIMITS, Buffer.alloc(0))
  lines.writeLine(line)
  return { lines, end }
}

const RUN = '0'.repeat(32)

test('a server of the next version is greeted in ours, whatever more it says', async (t) => {
  const said = `HERD 2 greet ucla Alford Ball ${RUN} ${RUN} 2-3 1000.5 zip forgetAfter=never colors=red,green`
  const { lines, end } = await say(t, said)
  const challenge = (await lines.readLine()) ?? ''
  const transcript = { greet: said, challenge, binding: Buffer.alloc(0) }
  lines.writeLine(proofLine(KEYS[0], 'proof', transcript))
  assert.equal(await lines.readLine(), proofLine(KEYS[0], 'welcome', transcript))
  const greeted = await end
  assert.ok(greeted.outcome === 'open')
  assert.equal(greeted.version, 2)
})

test('without a common version it is refused, and both ranges are said', async (t) => {
  const { lines, end } = await say(t, `HERD 2 greet ucla Alford Ball ${RUN} ${RUN} 3-4 1000.5`)
  const reason = 'no version of the link protocol is common to both: this server speaks 2-2, the other 3-4'
  assert.equal(await lines.readLine(), `HERD 2 refused ${reason}`)
  assert.deepEqual(await end, { outcome: 'refused', reason })

  // And the other way round.
  const { dialing, dialed } = await socketPair(t)
  const dialer = greet(plainChannel(dialing), identityOf('Alford'), 'Ball', LIMITS)
  const ball = new HandshakeSocket(dialed, LIMITS, Buffer.alloc(0))
  const heard = readHandshakeLine((await ball.readLine()) ?? '')
  assert.ok(heard.type === 'greet')
  ball.writeLine(challengeLine({ ...heard.greeting, versions: { min: 3, max: 4 } }))
  assert.deepEqual(await dialer, { outcome: 'refused', reason })
})

test('the first version of the greeting is told what we speak', async (t) => {
  const { lines, end } = await say(t, `HERD 1 greet ucla Alford Ball ${RUN} ${RUN}`)
  const reason = 'this server speaks versions 2-2 of the link protocol'
  assert.equal(await lines.readLine(), `HERD 2 refused ${reason}`)
  assert.deepEqual(await end, { outcome: 'refused', reason })
})

test('a first line that is no greeting ends the connection', async (t) => {
  for (const line of ['IAMAT kiwi +1+1 1', 'HERD 2 status', '', 'x'.repeat(1025)]) {
    const { lines, end } = await say(t, line)
    assert.equal(await lines.readLine(), null)
    assert.equal((await end).outcome, 'lost')
  }
})
