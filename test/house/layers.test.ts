/** ARCHITECTURE.md's picture of who knows whom, as a test. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, readSources, type Source, withoutComments } from '../support/sources.ts'

/** A layer knows itself and the layers before it. */
const LAYERS = [
  'protocol',
  'locations',
  'replication',
  'places',
  'storage',
  'gateways',
  'config',
  'secret',
  'server',
  'index',
  'demo',
  'cli',
]
/** What runs in browsers, too: of Herd itself it knows each other, and the shapes of what goes over HTTP, as types. */
const BROWSER_LAYERS: Readonly<Record<string, readonly string[]>> = {
  client: ['client'],
  web: ['web', 'client'],
}
const SHAPES = 'src/gateways/http/shapes.ts'
/** Files that stand beside the folders. */
const LAYER_OF_FILE: Readonly<Record<string, string>> = {
  'src/config.ts': 'config',
  'src/package-version.ts': 'secret',
  'src/secret.ts': 'secret',
  'src/token-file.ts': 'secret',
  'src/errors.ts': 'index',
  'src/index.ts': 'index',
}
/** What everyone from replication on may use, and what that may know itself. */
const FOUNDATIONS: Readonly<Record<string, readonly string[]>> = {
  counters: [],
  logs: ['protocol', 'logs'],
  system: ['protocol'],
}
const FOUNDATIONS_FROM = LAYERS.indexOf('replication')

/** The parts that decide and never act. */
const PURE = ['src/protocol/', 'src/locations/']
const PURE_FILES = [
  ...[
    ...['dirty-queue', 'replica', 'redial', 'one-link', 'handshake', 'at-reader', 'stamps', 'runs', 'acks'],
    ...['version-vector', 'owed', 'link-words', 'link-reader', 'link-session', 'heartbeat', 'audit'],
    ...['auditor', 'link-keys', 'clock-offset', 'clock-guard', 'members', 'addresses', 'flooded-rows'],
    ...['health-row', 'health-rows', 'table-digest'],
  ].map((name) => `src/replication/${name}.ts`),
  ...['rights', 'rows', 'ledger'].map((name) => `src/places/budget/budget-${name}.ts`),
  'src/storage/journal-format.ts',
  ...['cast', 'cities', 'mover', 'paths', 'random', 'sphere', 'timetable'].map(
    (name) => `src/demo/${name}.ts`,
  ),
]
/** The packages that they may use: each computes and knows nothing of the world. */
const PURE_PACKAGES: Readonly<Record<string, string>> = {
  'src/locations/areas.ts': 'point-in-polygon-hao',
  'src/locations/distance.ts': 'geographiclib-geodesic',
  'src/replication/handshake.ts': 'node:crypto',
  'src/storage/journal-format.ts': 'node:zlib',
  'src/replication/link-keys.ts': 'node:crypto',
}
const IMPURE =
  /\b(?:Date|Temporal|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process|performance|globalThis|fetch|console)\b/

const sources = readSources('src/**/*.ts').filter(({ path }) => !path.endsWith('.test.ts'))

function layerOf(path: string): string {
  const known = LAYER_OF_FILE[path]
  return known ?? path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
}

/** What is wrong with an import, or `null`. */
function objection(from: string, to: string): string | null {
  const [importer, imported] = [layerOf(from), layerOf(to)]
  const known = BROWSER_LAYERS[importer]
  if (known !== undefined) {
    return known.includes(imported) || to === SHAPES
      ? null
      : `${from} runs in browsers and must not import ${to}`
  }
  if (imported in BROWSER_LAYERS) return `${from} must not import ${to}`
  const allowed = FOUNDATIONS[importer]
  if (allowed !== undefined) {
    return allowed.includes(imported) ? null : `${from} is a foundation and must not import ${to}`
  }
  const place = LAYERS.indexOf(importer)
  if (place === -1) return `${from} is in no layer`
  if (imported in FOUNDATIONS) return place >= FOUNDATIONS_FROM ? null : `${from} must not import ${to}`
  const target = LAYERS.indexOf(imported)
  return target !== -1 && target <= place ? null : `${from} must not import ${to}`
}

function isPure(path: string): boolean {
  return PURE.some((folder) => path.startsWith(folder)) || PURE_FILES.includes(path)
}

/** What a pure file does that it must not. */
function impurities(source: Source): string[] {
  const { path, text } = source
  const outside = importsOf(source).filter((target) =>
    target.startsWith('src/')
      ? layerOf(target) === 'system' || layerOf(target) === 'logs'
      : target !== PURE_PACKAGES[path],
  )
  const ambient = withoutComments(text)
    .replace(/'[^'\n]*'/g, "''")
    .match(IMPURE)
  return [...outside, ...(ambient ?? [])].map((what) => `${path} is pure and must not use ${what}`)
}

test('a layer knows only itself and the layers before it', () => {
  assert.ok(sources.length > 50)
  const objections = sources.flatMap((source) =>
    importsOf(source)
      .filter((target) => target.startsWith('src/'))
      .map((target) => objection(source.path, target)),
  )
  assert.deepEqual(
    objections.filter((text) => text !== null),
    [],
  )
})

test('sources import no tests, and nothing outside src but packages', () => {
  for (const source of sources) {
    for (const target of importsOf(source)) {
      assert.ok(!/\.test\.ts$|^\.\.|^test\//.test(target), `${source.path} must not import ${target}`)
    }
  }
})

test('pure files have no clock, no timers, no chance, no sockets, no files', () => {
  const pure = sources.filter(({ path }) => isPure(path))
  for (const path of PURE_FILES)
    assert.ok(
      pure.some((source) => source.path === path),
      path,
    )
  assert.deepEqual(pure.flatMap(impurities), [])
})

/** What of the client runs in Node alone, and what else of packages the client may use. */
const NODE_CLIENT = 'src/client/stores/file-store.ts'
const CLIENT_PACKAGES = ['eventsource-parser']

test('the client runs in browsers: it takes types alone from the rest, and nothing of Node', () => {
  const client = sources.filter(({ path }) => path.startsWith('src/client/'))
  assert.ok(client.length > 10)
  for (const source of client) {
    const { path, text } = source
    // A type that stands among values is erased, but its file would be loaded.
    for (const [statement] of text.matchAll(/^(?:import|export)(?! type)[^']*?from '[^']*shapes\.ts'/gm)) {
      assert.fail(`${path}: ${statement} is to be a type import`)
    }
    if (path === NODE_CLIENT) continue
    for (const target of importsOf(source).filter((one) => !one.startsWith('src/'))) {
      assert.ok(CLIENT_PACKAGES.includes(target), `${path} must not import ${target}`)
    }
    assert.ok(!importsOf(source).includes(NODE_CLIENT), `${path} must not import ${NODE_CLIENT}`)
    assert.doesNotMatch(withoutComments(text), /\b(?:Buffer|process|setImmediate|require)\b/, path)
  }
})

test('the rules object to what they forbid', () => {
  const forbidden: [string, string][] = [
    ['src/protocol/time.ts', 'src/locations/order.ts'],
    ['src/locations/order.ts', 'src/logs/escape.ts'],
    ['src/locations/order.ts', 'src/counters.ts'],
    ['src/replication/links.ts', 'src/gateways/port.ts'],
    ['src/places/finder.ts', 'src/config.ts'],
    ['src/gateways/port.ts', 'src/server/server.ts'],
    ['src/server/server.ts', 'src/cli/up.ts'],
    ['src/logs/log-file.ts', 'src/replication/replica.ts'],
    ['src/system.ts', 'src/counters.ts'],
    ['src/client/watch.ts', 'src/gateways/http/schemas.ts'],
    ['src/cli/up.ts', 'src/client/watch.ts'],
    ['src/web/main.ts', 'src/gateways/calls/report.ts'],
    ['src/server/server.ts', 'src/web/main.ts'],
    ['src/nowhere/file.ts', 'src/protocol/time.ts'],
  ]
  for (const [from, to] of forbidden) assert.notEqual(objection(from, to), null, `${from} → ${to}`)
  const impure = [
    "import { connect } from 'node:net'",
    "import type { System } from '../system.ts'",
    'const now = Date.now()',
    'setImmediate(() => flush())',
    'const chance = Math.random()',
  ]
  for (const text of impure) {
    assert.equal(impurities({ path: 'src/replication/replica.ts', text }).length, 1, text)
  }
  const pure = "/** Not a Date. */\nimport { x } from './dirty-queue.ts' // no process\nconst word = 'Date'"
  assert.deepEqual(impurities({ path: 'src/replication/replica.ts', text: pure }), [])
})
