import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Environment, type HerdConfig, readHerd } from './config.ts'
import { loadOrMakeSecret, loadPlacesSecrets, loadSecret, SecretUnusable, secretNotice } from './secret.ts'

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-secret-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

function configIn(folder: string, more: object = {}): HerdConfig {
  const text = JSON.stringify({ herd: 'pair', servers: { A: { port: 1 } }, ...more })
  const reading = readHerd(text, { file: join(folder, 'pair.yaml'), cwd: folder, env: {} })
  assert.ok(reading.ok)
  return reading.config
}

/** The one secret that there is, as text. */
async function textOf(...args: Parameters<typeof loadOrMakeSecret>): Promise<string> {
  const { values } = await loadOrMakeSecret(...args)
  assert.equal(values.length, 1)
  return String(values[0])
}

test('a secret is made once, for nobody else to read', async (t) => {
  const folder = await folderOf(t)
  const config = configIn(folder, { stateFolder: 'deep/state' })
  assert.equal(await loadSecret(config, {}), undefined)
  const secret = await loadOrMakeSecret(config, {})
  assert.match(String(secret.values[0]), /^[0-9a-f]{64}$/)
  const file = join(folder, 'deep/state/pair.secret')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'deep/state'))).mode & 0o777, 0o700)
  assert.deepEqual(secret, { values: secret.values, source: 'made', from: file })
  assert.deepEqual(await loadOrMakeSecret(config, {}), { ...secret, source: 'kept' })
  assert.deepEqual(await loadSecret(config, {}), { ...secret, source: 'kept' })
  assert.deepEqual(await readdir(join(folder, 'deep/state')), ['pair.secret'])
})

test('servers that start together get the same secret', async (t) => {
  for (let round = 0; round < 20; round++) {
    const folder = await folderOf(t)
    const config = configIn(folder)
    const secrets = await Promise.all(Array.from({ length: 8 }, () => textOf(config, {})))
    assert.equal(new Set(secrets).size, 1)
    assert.deepEqual(await readdir(config.stateFolder), ['pair.secret'])
  }
})

test('precedence: environment, secretFile, state folder', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'own.secret'), 'the secret of a file\n', { mode: 0o600 })
  const config = configIn(folder, { secretFile: 'own.secret' })
  const env = { HERD_SECRET: '  the secret of the environment\n' }
  assert.equal(await textOf(config, env), 'the secret of the environment')
  assert.equal(await textOf(config, {}), 'the secret of a file')
  assert.equal(await textOf(config, { HERD_SECRET: '' }), 'the secret of a file')
  assert.equal((await textOf(configIn(folder), {})).length, 64)
})

test('the same text in a file and in the environment is the same secret', async (t) => {
  const folder = await folderOf(t)
  const config = configIn(folder)
  const made = await textOf(config, {})
  const text = await readFile(join(config.stateFolder, 'pair.secret'), 'utf8')
  assert.equal(await textOf(config, { HERD_SECRET: text }), made)
})

test('a secret that is too short is refused, and not said', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'own.secret'), 'psst-not-15-b\n', { mode: 0o600 })
  const refused = (file: string) => (error: unknown) => {
    assert.ok(error instanceof SecretUnusable)
    assert.ok(error.message.includes(file))
    assert.match(error.message, /has 13 bytes, but needs at least 16; for example/)
    assert.doesNotMatch(`${error.message}${error.stack}`, /psst/)
    return true
  }
  const config = configIn(folder, { secretFile: 'own.secret' })
  await assert.rejects(loadOrMakeSecret(config, {}), refused('own.secret'))
  await assert.rejects(loadOrMakeSecret(config, { HERD_SECRET: 'psst-not-15-b' }), refused('HERD_SECRET'))
  assert.equal((await textOf(config, { HERD_SECRET: 'sixteen bytes it' })).length, 16)
})

test('a file that others may read is used, with a warning', async (t) => {
  const folder = await folderOf(t)
  const file = join(folder, 'own.secret')
  const config = configIn(folder, { secretFile: 'own.secret' })
  for (const [mode, warned] of [
    [0o600, 0],
    [0o400, 0],
    [0o640, 1],
    [0o604, 1],
    [0o620, 1],
  ] as const) {
    await rm(file, { force: true })
    await writeFile(file, 'the secret of a file')
    await chmod(file, mode)
    const warnings: string[] = []
    await loadOrMakeSecret(config, {}, (text) => warnings.push(text))
    assert.equal(warnings.length, warned, mode.toString(8))
    for (const warning of warnings) assert.match(warning, /may be read or changed by others.*chmod 600/)
    assert.doesNotMatch(warnings.join(), /the secret/)
  }
})

test('a secret that can not be read or made is a named error', async (t) => {
  const folder = await folderOf(t)
  const missing = configIn(folder, { secretFile: 'missing.secret' })
  await assert.rejects(loadOrMakeSecret(missing, {}), /secretFile: there is no file .*missing\.secret/)
  await mkdir(join(folder, 'own.secret'))
  await assert.rejects(loadOrMakeSecret(configIn(folder, { secretFile: 'own.secret' }), {}), /\(EISDIR\)/)
  await writeFile(join(folder, 'huge'), 'x'.repeat(4097), { mode: 0o600 })
  await assert.rejects(
    loadOrMakeSecret(configIn(folder, { secretFile: 'huge' }), {}),
    /larger than 4096 bytes/,
  )
})

test('where no secret can be kept, it is one that nobody else has', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'file'), '')
  for (const stateFolder of ['file', 'file/deep']) {
    const [one, other] = await Promise.all(
      [1, 2].map(() => loadOrMakeSecret(configIn(folder, { stateFolder }), {})),
    )
    assert.equal(one?.source, 'unavailable')
    assert.match(
      one?.from ?? '',
      /can't be made in .*file.* \((ENOTDIR|EEXIST)\); give HERD_SECRET or secretFile$/,
    )
    assert.notDeepEqual(one?.values, other?.values)
  }
})

test('two lines are two secrets, in their order; three are refused, and not said', async (t) => {
  const config = configIn(await folderOf(t))
  const [next, last] = ['the secret to come', 'the secret that was']
  const both = await loadOrMakeSecret(config, { HERD_SECRET: `\n${next} \r\n\n${last}\n` })
  assert.deepEqual(both.values.map(String), [next, last])
  const refused = (HERD_SECRET: string, why: RegExp) =>
    assert.rejects(loadOrMakeSecret(config, { HERD_SECRET }), (error) => {
      assert.ok(error instanceof SecretUnusable)
      assert.match(error.message, why)
      assert.doesNotMatch(`${error.stack}`, /secret (to come|that was)/)
      return true
    })
  await refused(`${next}\n${last}\n${next}`, /HERD_SECRET holds 3 lines, .* at most two/)
  await refused(`${next}\nshort`, /has 5 bytes, but needs at least 16/)
  await refused('\n', /has 0 bytes/)
})

test('with certificates no secret is made, and one that was made here is not used', async (t) => {
  const folder = await folderOf(t)
  await loadOrMakeSecret(configIn(folder), {})
  const files = { caFile: 'ca', certificateFile: '{server}', keyFile: '{server}.key' }
  const config = configIn(folder, { link: { encryption: 'certificates', ...files } })
  assert.deepEqual((await loadOrMakeSecret(config, {})).values, [])
  assert.equal(await loadSecret(config, {}), undefined)
  assert.equal(await textOf(config, { HERD_SECRET: 'a secret all the same' }), 'a secret all the same')
})

test('a secret that was made just now is to be carried to other machines, and that is said', async (t) => {
  const folder = await folderOf(t)
  const servers = { A: { host: '10.0.0.1', port: 1 }, B: { host: '10.0.0.2', port: 1 }, C: { port: 2 } }
  const links = [
    ['A', 'B'],
    ['B', 'C'],
  ]
  const config = configIn(folder, { servers, links })
  const made = await loadOrMakeSecret(config, {})
  const notice = secretNotice(made, config, ['A'])
  assert.match(notice ?? '', /made just now, in .*pair\.secret: servers on other machines take the same one/)
  assert.ok(!notice?.includes(String(made.values[0])))
  assert.equal(secretNotice(made, config, ['C']), undefined)
  assert.equal(secretNotice(await loadOrMakeSecret(config, {}), config, ['A']), undefined)
  const given = await loadOrMakeSecret(config, { HERD_SECRET: 'a secret that is given' })
  assert.equal(secretNotice(given, config, ['A']), undefined)
})

test('the key of places: environment, file, none; only where it is used', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'key'), 'key-of-the-file\n', { mode: 0o600 })
  const config = (places: object) => configIn(folder, { places })
  const env = { GOOGLE_PLACES_API_KEY: 'key-of-the-environment' }
  const withFile = { google: { keyFile: 'key' } }
  const google = async (places: object, env: Environment) =>
    (await loadPlacesSecrets(config(places), env)).google
  assert.equal(await google({}, {}), undefined)
  assert.equal(await google(withFile, {}), 'key-of-the-file')
  assert.equal(await google(withFile, env), 'key-of-the-environment')
  assert.equal(await google({ providers: ['embedded'] }, env), undefined)
  for (const name of ['google', 'google-legacy']) {
    await assert.rejects(
      loadPlacesSecrets(config({ providers: [name] }), {}),
      new RegExp(`has ${name}, but there is no key: set GOOGLE_PLACES.*, or use the provider embedded$`),
    )
  }
  const lost = config({ google: { keyFile: 'lost' } })
  await assert.rejects(loadPlacesSecrets(lost, {}), /places\.google\.keyFile: there is no file/)
})

test('X takes a bearer token, PostGIS may have a password', async (t) => {
  const folder = await folderOf(t)
  const alone = configIn(folder, { places: { providers: ['x'] } })
  await assert.rejects(
    loadPlacesSecrets(alone, {}),
    /has x, but there is no bearer token: set X_BEARER_TOKEN .*, or use the provider embedded$/,
  )
  const named = configIn(folder, { places: { providers: ['x', 'postgis'] } })
  const env = { X_BEARER_TOKEN: 'token', PGPASSWORD: 'word' }
  assert.deepEqual(await loadPlacesSecrets(named, env), { google: undefined, x: 'token', postgis: 'word' })
  const others = { google: undefined, x: undefined, postgis: undefined }
  assert.deepEqual(await loadPlacesSecrets(configIn(folder), env), others)
})

test('a provider without its key is left out with a warning, as long as another one remains', async (t) => {
  const folder = await folderOf(t)
  const load = async (...providers: string[]) => {
    const warnings: string[] = []
    await loadPlacesSecrets(configIn(folder, { places: { providers } }), {}, (text) => warnings.push(text))
    return warnings
  }
  assert.deepEqual(await load('x', 'embedded'), [
    'places.providers has x, but there is no bearer token: set X_BEARER_TOKEN or places.x.tokenFile; until then x is left out',
  ])
  assert.equal((await load('google', 'google-legacy', 'x', 'auto')).length, 3)
  assert.deepEqual(await load('auto'), [])
  assert.deepEqual(await load('postgis'), [])
  await assert.rejects(load('google', 'google-legacy', 'x'), /has google, but there is no key/)
})

test('a key that is none is refused, and not said', async (t) => {
  const config = configIn(await folderOf(t), { places: { providers: ['google'] } })
  for (const key of ['psst two', 'psst\u0007', 'psstä', 'psst'.repeat(100)]) {
    await assert.rejects(loadPlacesSecrets(config, { GOOGLE_PLACES_API_KEY: key }), (error) => {
      assert.ok(error instanceof SecretUnusable)
      assert.doesNotMatch(`${error.stack}`, /psst/)
      return true
    })
  }
})
