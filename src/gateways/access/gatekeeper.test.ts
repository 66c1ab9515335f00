import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Counters, makeCounters } from '../../counters.ts'
import { isLoopbackAddress, TokenGatekeeper } from './gatekeeper.ts'
import { type Grant, isRefused } from './grant.ts'
import { hashOf, type TokenEntry } from './tokens.ts'

const ANNA: TokenEntry = { name: 'anna', sha256: hashOf('secret'), report: ['anna/*'], read: ['*'] }
const [HERE, ELSEWHERE] = ['127.0.0.1', '192.0.2.7']

/** Who is admitted: as whom, or what the refusal speaks of. */
type Outcome = 'everybody' | 'anna' | 'own machine' | 'wants' | 'none of this herd'

function keeper(
  open: boolean,
  tokens: readonly TokenEntry[],
): { keeper: TokenGatekeeper; counters: Counters } {
  const counters = makeCounters()
  const made = new TokenGatekeeper({ open, counters })
  made.use(tokens)
  return { keeper: made, counters }
}

function grantOf(gatekeeper: TokenGatekeeper, token: string | null, address = HERE): Grant {
  const admitted = gatekeeper.admit(token, address)
  assert.ok(!isRefused(admitted))
  return admitted
}

test('who is admitted, by tokens, address and clients.open', () => {
  const cases: readonly (readonly [readonly TokenEntry[], boolean, string | null, string, Outcome])[] = [
    [[], false, null, HERE, 'everybody'],
    [[], false, null, '::1', 'everybody'],
    [[], false, null, '::ffff:127.0.0.1', 'everybody'],
    [[], false, 'anything', HERE, 'everybody'],
    [[], false, null, ELSEWHERE, 'own machine'],
    [[], false, 'anything', ELSEWHERE, 'own machine'],
    [[], false, null, '', 'own machine'],
    [[], true, null, ELSEWHERE, 'everybody'],
    [[ANNA], false, null, HERE, 'wants'],
    [[ANNA], true, null, HERE, 'wants'],
    [[ANNA], true, null, ELSEWHERE, 'wants'],
    [[ANNA], false, 'secret', ELSEWHERE, 'anna'],
    [[ANNA], false, 'secret', HERE, 'anna'],
    [[ANNA], false, 'secre', HERE, 'none of this herd'],
    [[ANNA], true, '', ELSEWHERE, 'none of this herd'],
    [[ANNA], false, ANNA.sha256, HERE, 'none of this herd'],
  ]
  for (const [tokens, open, token, address, outcome] of cases) {
    const { keeper: gatekeeper, counters } = keeper(open, tokens)
    const admitted = gatekeeper.admit(token, address)
    const text = isRefused(admitted) ? admitted.reason : admitted.name
    assert.ok(text.includes(outcome), `${tokens.length} ${open} ${token} ${address}: ${text}`)
    assert.equal(isRefused(admitted), outcome !== 'everybody' && outcome !== 'anna')
    if (isRefused(admitted)) assert.equal(admitted.wantsToken, outcome !== 'own machine')
    assert.equal(counters.tokensWrong, outcome === 'none of this herd' ? 1 : 0)
    assert.equal(counters.tokensMissing, outcome === 'wants' || outcome === 'own machine' ? 1 : 0)
    assert.equal(gatekeeper.asksForTokens, tokens.length > 0)
  }
})

test('this machine is no other: addresses that only look like it are not', () => {
  for (const address of ['127.0.0.1', '127.255.1.2', '::1', '::ffff:127.0.0.1'])
    assert.ok(isLoopbackAddress(address))
  for (const address of [
    '',
    '128.0.0.1',
    '1127.0.0.1',
    '12.7.0.1',
    '::11',
    '::ffff:10.0.0.1',
    '10.127.0.1',
    '::2',
  ])
    assert.ok(!isLoopbackAddress(address))
})

test('the first token ends what was given without one; the last that is removed opens the door of this machine again', () => {
  const { keeper: gatekeeper } = keeper(false, [])
  const everybody = grantOf(gatekeeper, null)
  assert.ok(everybody.readsAll && everybody.reportsAll)
  const asked: unknown[] = []
  everybody.whenRevoked(() => asked.push(gatekeeper.admit(null, HERE)))
  gatekeeper.use([ANNA])
  assert.ok(everybody.isRevoked && !everybody.mayRead('x') && !everybody.mayReport('x'))
  // Who comes again at once finds the new rules.
  assert.deepEqual(asked, [
    { reason: 'this herd wants a client token (herd token create)', wantsToken: true },
  ])
  const anna = grantOf(gatekeeper, 'secret')
  gatekeeper.use([ANNA])
  assert.equal(grantOf(gatekeeper, 'secret'), anna)
  gatekeeper.use([])
  assert.ok(anna.isRevoked)
  const again = grantOf(gatekeeper, null)
  assert.ok(again !== everybody && !again.isRevoked)
  gatekeeper.use([])
  assert.equal(grantOf(gatekeeper, null), again)
})
