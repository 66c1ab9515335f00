/** The vectors of test/conformance against a live herd: real clocks, real wires, the same rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, checkReply, loadVectors, type Step } from '../conformance/run-vectors.ts'
import { UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

test('every vector holds in a live herd', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS })
  await herd.linked()
  for (const { name, needsClock = false, steps } of loadVectors()) {
    await t.test(name, { skip: needsClock }, async () => {
      for (const step of steps) await holds(herd, step)
    })
  }
})

async function holds(herd: LiveHerd, step: Step): Promise<void> {
  let wrong: string | null = null
  const fits = async (): Promise<boolean> => {
    const reply = await herd.converse(step.to, bytesOf(step))
    wrong = checkReply(step.expect, Buffer.from(reply, 'latin1'))
    return wrong === null
  }
  if (step.eventually === true) await waitUntil(fits, () => `${step.send}: ${wrong}`)
  else if (!(await fits())) assert.fail(`${step.send}: ${wrong}`)
}
