import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hashOf, type TokenEntry, TokensInvalid } from './gateways/access/tokens.ts'
import { lockFile } from './storage/index.ts'
import { changeTokens, readTokens, TokenFileWatch } from './token-file.ts'

function entry(name: string): TokenEntry {
  return { name, sha256: hashOf(name), report: [`${name}/*`], read: ['*'] }
}

async function fileIn(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-tokens-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'made', 'live.tokens.json')
}

const add = (name: string) => (tokens: readonly TokenEntry[]) => [...tokens, entry(name)]
const namesOf = (tokens: readonly TokenEntry[] | null): string[] | null =>
  tokens?.map(({ name }) => name) ?? null

test('what is written is read again, and only its owner may read it; nothing else is left behind', async (t) => {
  const file = await fileIn(t)
  assert.equal(await readTokens(file), null)
  await changeTokens(file, add('anna'))
  await changeTokens(file, add('ben'))
  assert.deepEqual(await readTokens(file), [entry('anna'), entry('ben')])
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual((await readdir(join(file, '..'))).toSorted(), [
    'live.tokens.json',
    'live.tokens.json.lock',
  ])
  await changeTokens(file, () => [])
  assert.deepEqual(await readTokens(file), [])
})

test('a file that others may read stays so, and a link stays one', async (t) => {
  const file = await fileIn(t)
  await changeTokens(file, add('anna'))
  await chmod(file, 0o640)
  const name = join(file, '..', 'linked.json')
  await symlink(file, name)
  await changeTokens(name, add('ben'))
  assert.deepEqual(namesOf(await readTokens(file)), ['anna', 'ben'])
  assert.equal((await stat(file)).mode & 0o777, 0o640)
})

test('a change that fails changes nothing, and lets others go on', async (t) => {
  const file = await fileIn(t)
  await changeTokens(file, add('anna'))
  const before = await readFile(file)
  await assert.rejects(
    changeTokens(file, () => {
      throw new Error('on purpose')
    }),
    /on purpose/,
  )
  await assert.rejects(changeTokens(file, add('anna')), /two tokens called anna/)
  assert.deepEqual(await readFile(file), before)
  await changeTokens(file, add('ben'))
  assert.deepEqual(namesOf(await readTokens(file)), ['anna', 'ben'])
})

test('a file that is damaged, or locked by another, says so', async (t) => {
  const file = await fileIn(t)
  await changeTokens(file, add('anna'))
  const unlock = await lockFile(`${file}.lock`)
  assert.ok(unlock !== null)
  await assert.rejects(changeTokens(file, add('ben'), 10), /another command is changing .*: try again/)
  await unlock()
  for (const content of ['', '{"tokens":[', 'null', '{"tokens":[{}]}', '[]']) {
    await writeFile(file, content)
    await assert.rejects(readTokens(file), TokensInvalid)
    await assert.rejects(changeTokens(file, add('ben')), TokensInvalid)
    assert.equal(await readFile(file, 'utf8'), content)
  }
})

/** A watch whose seconds pass when the test says so. */
class HeldWatch {
  readonly used: (string[] | null)[] = []
  readonly troubles: string[] = []
  readonly watch: TokenFileWatch
  #next: (() => void) | null = null
  #armed: () => void = () => undefined

  constructor(file: string) {
    this.watch = new TokenFileWatch(
      file,
      (tokens) => this.used.push(namesOf(tokens)),
      (text) => this.troubles.push(text),
      (_, callback) => {
        this.#next = callback
        this.#armed()
        return () => {
          this.#next = null
        }
      },
    )
  }

  get isWatching(): boolean {
    return this.#next !== null
  }

  /** Lets it look once. */
  async look(): Promise<void> {
    const next = this.#next
    assert.ok(next !== null, 'it looks again')
    this.#next = null
    const armed = new Promise<void>((resolve) => {
      this.#armed = resolve
    })
    next()
    await armed
  }
}

test('a watch tells of each change once, and goes by the tokens before while the file is damaged or gone', async (t) => {
  const file = await fileIn(t)
  const held = new HeldWatch(file)
  await held.watch.start()
  assert.deepEqual(held.used, [[]])
  await changeTokens(file, add('anna'))
  await held.look()
  await held.look()
  assert.deepEqual(held.used.splice(0), [[], ['anna']])
  await writeFile(file, 'damaged')
  await held.look()
  await held.look()
  assert.match(held.troubles.shift() ?? '', /live\.tokens\.json: .*; the tokens before it still hold$/)
  await rename(file, `${file}.away`)
  await held.look()
  await held.look()
  assert.match(held.troubles.shift() ?? '', /is gone; the tokens that it held still do$/)
  assert.deepEqual([held.used, held.troubles], [[], []])
  await changeTokens(file, add('ben'))
  await held.look()
  assert.deepEqual(held.used, [['ben']])
  // Whoever wants no tokens says so in the file.
  await changeTokens(file, () => [])
  await held.look()
  assert.deepEqual(held.used, [['ben'], []])
  held.watch.stop()
  assert.ok(!held.isWatching)
})

test('a server does not start with tokens that it can not read', async (t) => {
  const file = await fileIn(t)
  await changeTokens(file, add('anna'))
  await writeFile(file, '{')
  const held = new HeldWatch(file)
  await assert.rejects(held.watch.start(), TokensInvalid)
  assert.deepEqual(held.used, [])
  assert.ok(!held.isWatching)
})
