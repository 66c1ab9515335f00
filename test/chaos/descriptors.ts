/** A server that may open few files and has more clients than that. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { LineWire } from '../support/line-wire.ts'
import { chainOf } from '../support/live-graphs.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

const SERVERS = ['Ball', 'Alford', 'Holiday']
const DESCRIPTORS = 64
const CLIENTS = 150
const SETTLE_MS = 1000

/** Few file descriptors. */
export const descriptorScenarios: readonly Scenario[] = [
  {
    name: 'few-descriptors',
    proves:
      'a server out of file descriptors serves whom it has, and links and clients come back when others go',
    secondsMax: [120, 300],
    run: fewDescriptors,
  },
]

async function fewDescriptors(chaos: Chaos): Promise<string> {
  const runners = { Alford: ['prlimit', `--nofile=${DESCRIPTORS}`, '--'] }
  const herd = await chaos.startHerd({ servers: SERVERS, links: chainOf(SERVERS), runners })
  const rounds = chaos.pick(1, 10)
  const traffic = chaos.traffic()
  let [answered, unanswered] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    traffic.start('Alford', chaos.target('Alford'))
    await sleep(100)
    const crowd = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) => reportOnce(chaos, `crowd-${index}`)),
    )
    // A link that is lost now finds no descriptor until some client has gone.
    await herd.restart('Ball')
    await sleep(SETTLE_MS)
    const before = chaos.ledger.acknowledgements
    await sleep(SETTLE_MS)
    assert.ok(chaos.ledger.acknowledgements > before, 'who was there before is served')
    const served = crowd.filter(({ isAnswered }) => isAnswered()).length
    assert.ok(
      served > 0 && served < DESCRIPTORS,
      `${served} of ${CLIENTS} were served by ${DESCRIPTORS} descriptors`,
    )
    answered += served
    unanswered += CLIENTS - served
    for (const { wire } of crowd) wire?.destroy()
    await traffic.stop()
    await chaos.converged()
  }
  return `${rounds} crowds of ${CLIENTS} at ${DESCRIPTORS} descriptors: ${answered} served, ${unanswered} not; ${chaos.ledger.acknowledgements} reports acknowledged`
}

/** Reports over a connection that stays open; no answer is an answer, too. */
async function reportOnce(
  chaos: Chaos,
  client: string,
): Promise<{ readonly wire: LineWire | undefined; readonly isAnswered: () => boolean }> {
  let isAnswered = false
  const hear = (line: string): void => {
    isAnswered = true
    chaos.ledger.acknowledged('Alford', line)
  }
  const wire = await LineWire.open(chaos.target('Alford'), hear).catch(() => undefined)
  await wire?.send(chaos.ledger.next(client).line)
  return { wire, isAnswered: () => isAnswered }
}
