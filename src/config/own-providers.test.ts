import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHerd } from './herd-reader.ts'
import { PROVIDER_NAMES } from './own-providers.ts'

function read(places: object) {
  const text = JSON.stringify({ herd: 'h', servers: { A: { port: 5001 } }, places })
  return readHerd(text, { file: '/etc/herd/h.yaml', cwd: '/home/me', env: {} })
}

function providersOf(places: object) {
  const reading = read(places)
  assert.ok(reading.ok, JSON.stringify(reading))
  return reading.config.places.providers
}

function problemsOf(places: object): readonly string[] {
  const reading = read(places)
  return reading.ok ? [] : reading.problems
}

test('a path is a provider of the user’s own: its file, its name, its settings', () => {
  const own = { stops: { callsPerDayMax: 7, options: { url: 'http://localhost', deep: { list: [1] } } } }
  assert.deepEqual(providersOf({ providers: ['./stops.ts', '../b/other.mjs', 'embedded'], own }), [
    {
      ...{ name: 'stops', file: '/etc/herd/stops.ts', callsPerDayMax: 7, callsPerMonthMax: 0 },
      options: { url: 'http://localhost', deep: { list: [1] } },
    },
    { name: 'other', file: '/etc/b/other.mjs', callsPerDayMax: 5000, callsPerMonthMax: 0, options: {} },
    'embedded',
  ])
  for (const file of ['/srv/x9.js', '/srv/x9.mts']) {
    const [only] = providersOf({ providers: [file] })
    assert.ok(typeof only === 'object' && only.file === file && only.name === 'x9')
  }
})

test('the name of a file must be one, and nobody else’s', () => {
  for (const name of PROVIDER_NAMES) {
    assert.deepEqual(problemsOf({ providers: [`./${name}.ts`] }), [
      `places.providers: "./${name}.ts" would be called ${name}, as one that comes with Herd; rename it, for example my-${name}.ts`,
    ])
  }
  assert.deepEqual(problemsOf({ providers: ['./a/stops.ts', './b/stops.js'] }), [
    'places.providers: "./b/stops.js" would be called stops, as another one; rename it, for example my-stops.ts',
  ])
  for (const file of ['./Stops.ts', './my stops.ts', `./${'s'.repeat(33)}.ts`, './.ts', './stops.test.ts']) {
    assert.match(problemsOf({ providers: [file] }).join(), /gives no name; call the file by a small letter/)
  }
  for (const file of ['./stops', 'stops', './stops.json', 7]) {
    assert.match(
      problemsOf({ providers: [file] }).join(),
      /^places\.providers: a list is not a list of provid/,
    )
  }
})

test('settings of a provider that isn’t there are an error', () => {
  assert.deepEqual(problemsOf({ providers: ['./stops.ts'], own: { stop: {} } }), [
    'places.own.stop: there is no provider of that name; did you mean places.own.stops?',
  ])
  assert.deepEqual(problemsOf({ own: { stops: {} } }), [
    'places.own.stops: there is no provider of that name; places.providers has no file of yours',
  ])
  assert.match(
    problemsOf({ providers: ['./stops.ts'], own: { stops: { url: 'x' } } }).join(),
    /no such setting/,
  )
  assert.match(
    problemsOf({ providers: ['./s.ts'], own: { s: { options: 7 } } }).join(),
    /a group of settings/,
  )
})

test('what is for a provider may have itself in it, by an alias of YAML', () => {
  const text =
    'herd: h\nservers: { A: { port: 5001 } }\nplaces:\n  providers: [./s.ts]\n  own:\n    s:\n      options: &all { again: *all }\n'
  const reading = readHerd(text, { file: '/etc/herd/h.yaml', cwd: '/home/me', env: {} })
  if (reading.ok) assert.ok(Object.isFrozen(reading.config.places.providers[0]))
  else assert.match(reading.problems.join(), /alias/)
})
