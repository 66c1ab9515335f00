import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FakeWorld } from '../../test/support/google-stand-in.ts'
import { queryOf, settled } from '../../test/support/scripted-places.ts'
import { CREATE_MS_MAX, loadOwnProvider, OwnProviderUnusable } from './own-provider.ts'
import { ProviderFailed } from './provider.ts'

const NEVER = new AbortController().signal
const GOOD = `name: 'mine', local: false, snaps: false, keeping: { freshMs: 1, staleMs: 2 }, search: async () => ({ text: '{"results":[]}', status: 'OK' })`

async function stage(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'herd-own-'))
  t.after(() => rm(folder, { recursive: true }))
  const world = new FakeWorld()
  let files = 0
  const load = async (text: string, ending = 'mjs') => {
    // Node loads one path once.
    const file = join(folder, `mine${++files}.${ending}`)
    await writeFile(file, text)
    const options = { folder, options: { a: 1 }, language: 'de', bodyBytesMax: 1_000, wallMs: () => 7 }
    const limits = { tryMsMax: 500, bodyBytesMax: 1_000 }
    return loadOwnProvider(file, { name: 'mine', ...options }, { limits, world })
  }
  const refused = async (text: string, ending?: string) => {
    const error = await load(text, ending).then(
      () => assert.fail('it was loaded'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof OwnProviderUnusable, String(error))
    assert.match(error.message, /^the provider .*mine\d+\.\w+ /)
    return error.message.replace(/^the provider \S+ /, '')
  }
  return { folder, world, load, refused }
}

test('a file in JavaScript or TypeScript, with a promise or without, of a class or of plain data', async (t) => {
  const { load, folder } = await stage(t)
  const plain = await load(`export const createProvider = () => ({ ${GOOD} })`)
  assert.deepEqual(await plain.search(queryOf(1), NEVER), {
    ...{ text: '{"results":[]}', status: 'OK', list: 'results', usd: 0 },
  })
  const typed = await load(
    `import { classicBody, type CreateProvider } from 'herd/places'
    class Mine {
      name = 'mine'; local = true; snaps = false; said: string
      constructor(said: string) { this.said = said }
      search() { return Promise.resolve(classicBody([], [this.said])) }
      async close() {}
    }
    export const createProvider: CreateProvider = async (all) => new Mine(JSON.stringify([all, all.wallMs()]))`,
    'mts',
  )
  assert.equal(typed.keeping, undefined)
  const [credit] = JSON.parse((await typed.search(queryOf(1), NEVER)).text).html_attributions
  const given = { name: 'mine', folder, options: { a: 1 }, language: 'de', bodyBytesMax: 1_000 }
  assert.deepEqual(JSON.parse(credit), [given, 7])
  await typed.close?.()
})

test('herd/places is this Herd, wherever the file lies', async (t) => {
  const { load } = await stage(t)
  const provider = await load(
    `import * as herd from 'herd/places'
    const search = async () => { throw new herd.ProviderFailed(Object.keys(herd).sort().join(), 'OVER_QUERY_LIMIT') }
    export const createProvider = () => ({ ${GOOD}, search })`,
  )
  await assert.rejects(provider.search(queryOf(1), NEVER), (error) => {
    assert.ok(error instanceof ProviderFailed)
    assert.equal(error.message, 'HttpAsker,PAGE_ITEMS,ProviderFailed,classicBody')
    return error.status === 'OVER_QUERY_LIMIT'
  })
})

test('what is wrong with a file is said in words', async (t) => {
  const { folder, load, refused } = await stage(t)
  const nowhere = { name: 'x', folder, options: {}, language: undefined, bodyBytesMax: 1, wallMs: () => 0 }
  const around = { limits: { tryMsMax: 1, bodyBytesMax: 1 }, world: new FakeWorld() }
  for (const file of [join(folder, 'x.ts'), folder]) {
    await assert.rejects(loadOwnProvider(file, nowhere, around), {
      name: 'OwnProviderUnusable',
      message: `the provider ${file} is not there: places.providers names a file that does not exist`,
    })
  }
  assert.match(await refused('export const x = {'), /^can't be loaded: SyntaxError: /)
  assert.match(await refused('throw new Error("at once")'), /^can't be loaded: Error: at once$/)
  assert.match(await refused('import "herd/nothing"'), /^can't be loaded: .*herd/)
  const none = 'exports no function createProvider; it takes: export function createProvider(options)'
  assert.equal(await refused('export default () => ({})'), none)
  assert.equal(await refused('export const createProvider = 7'), none)
  const failed = 'has a createProvider that failed: '
  assert.equal(
    await refused('export const createProvider = () => { throw new TypeError("no url") }'),
    `${failed}TypeError: no url`,
  )
  assert.equal(
    await refused('export const createProvider = () => Promise.reject(7)'),
    `${failed}it threw something that is no Error`,
  )
  await load(`export const createProvider = () => ({ ${GOOD} })`)
})

test('each member that is missing or wrong is named', async (t) => {
  const { refused } = await stage(t)
  const shape = async (more: string) => {
    const text = await refused(`export const createProvider = () => (${more})`)
    return text.replace('has a createProvider that gives no provider: ', '')
  }
  const all = [
    'name must be "mine", as its file is called',
    'local must be true or false',
    'snaps must be true or false',
    'search must be a function',
    'keeping must be { freshMs, staleMs }, milliseconds of 0 or more; { freshMs: 0, staleMs: 0 } keeps nothing',
  ]
  for (const nothing of ['undefined', 'null', '7', '({})', '() => {}', '[]']) {
    assert.equal(await shape(nothing), all.join('; '), nothing)
  }
  assert.equal(await shape(`{ ${GOOD}, name: 'other' }`), all[0])
  assert.equal(await shape(`{ ${GOOD}, local: 'no' }`), all[1])
  assert.equal(await shape(`{ ${GOOD}, snaps: undefined }`), all[2])
  assert.equal(await shape(`{ ${GOOD}, search: 'here' }`), all[3])
  assert.equal(await shape(`{ ${GOOD}, close: true }`), 'close must be a function, or left out')
  for (const keeping of [
    'undefined',
    '5',
    '{ freshMs: 1 }',
    '{ freshMs: -1, staleMs: 0 }',
    '{ freshMs: 1, staleMs: Infinity }',
  ]) {
    assert.equal(await shape(`{ ${GOOD}, keeping: ${keeping} }`), all[4], keeping)
  }
})

test(`CREATE_MS_MAX: nobody waits for ever for a createProvider`, async (t) => {
  const { world, refused } = await stage(t)
  const waited = refused('export const createProvider = () => new Promise(() => {})')
  while (world.timers === 0) await settled()
  world.advance(CREATE_MS_MAX)
  assert.match(await waited, /^was not there within 30000 ms/)
  assert.equal(world.timers, 0)
})
