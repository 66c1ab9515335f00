import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Children, waitForSuccess, withTimeout } from './children.ts'

const FOREVER = ['-e', 'setInterval(() => {}, 1000)']

test('a child that ends well gives its output', async () => {
  const child = await new Children().start('speaker', process.execPath, ['-e', 'console.log("done")'])
  assert.equal((await waitForSuccess(child, 10_000)).stdout, 'done\n')
})

test('a child that fails is named, with its last words', async () => {
  const script = 'console.error("no luck"); process.exit(3)'
  const child = await new Children().start('unlucky', process.execPath, ['-e', script])
  await assert.rejects(waitForSuccess(child, 10_000), /unlucky failed: exit code 3\nno luck/)
})

test('a child that takes too long is ended', async () => {
  const child = await new Children().start('sleeper', process.execPath, FOREVER)
  await assert.rejects(waitForSuccess(child, 50), /sleeper did not end within 0.05 s/)
  assert.equal((await child.ended).signal, 'SIGTERM')
})

test('killAll ends whatever still runs', async () => {
  const children = new Children()
  const child = await children.start('sleeper', process.execPath, FOREVER)
  children.killAll()
  assert.equal((await child.ended).signal, 'SIGKILL')
})

test('stopAll waits until all are gone, and none is started after it', async () => {
  const children = new Children()
  const child = await children.start('sleeper', process.execPath, FOREVER)
  await children.stopAll()
  assert.equal((await child.ended).signal, 'SIGTERM')
  await assert.rejects(children.start('late', process.execPath, FOREVER), /late is not started/)
})

test('a child is given variables of its own, and none of herd', async () => {
  const name = 'HERD_BENCH_TEST'
  process.env[name] = 'ours'
  const script = `console.log(process.env.${name}, process.env.OWN, process.env.PATH !== undefined)`
  const child = await new Children().start('reader', process.execPath, ['-e', script], { OWN: 'given' })
  delete process.env[name]
  assert.equal((await waitForSuccess(child, 10_000)).stdout, 'undefined given true\n')
})

test('a command that does not exist is an error, not a crash', async () => {
  await assert.rejects(
    new Children().start('ghost', 'no-such-command-here', []),
    /ghost could not be started/,
  )
})

test('withTimeout gives the value or nothing', async () => {
  assert.equal(await withTimeout(Promise.resolve(7), 1000), 7)
  assert.equal(await withTimeout(new Promise(() => {}), 5), undefined)
})
