import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Children } from './children.ts'
import { watchProcess } from './watch-process.ts'

const MB = 1_000_000
const script = (code: string): [string, string[]] => [process.execPath, ['-e', code]]

test('the peak of memory counts, though it was given back', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const children = new Children()
  t.after(() => children.stopAll())
  const code = `let all = Buffer.alloc(300e6, 1); all = null; setTimeout(() => {}, 300)`
  const { seconds, peakBytes, cpuSeconds } = await watchProcess(
    await children.start('one', ...script(code)),
    20_000,
  )
  assert.ok(peakBytes !== undefined && peakBytes > 300 * MB && peakBytes < 1000 * MB, `${peakBytes}`)
  assert.ok(cpuSeconds !== undefined && cpuSeconds > 0 && seconds >= 0.3)
})

test('one that fails, and one that never ends, are errors with their names', async (t) => {
  const children = new Children()
  t.after(() => children.stopAll())
  const failing = await children.start('failing', ...script('console.error("no luck"); process.exit(3)'))
  await assert.rejects(watchProcess(failing, 20_000), /failing failed: exit code 3\nno luck/)
  const endless = await children.start('endless', ...script('setInterval(() => {}, 1000)'))
  await assert.rejects(watchProcess(endless, 50), /endless did not end within 0.05 s/)
  assert.equal((await endless.ended).signal, 'SIGTERM')
})
