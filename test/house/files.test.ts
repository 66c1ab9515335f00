/** What every file of the project keeps to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSources, withoutComments } from '../support/sources.ts'

const LINES_MAX = 400
/** Past this one asks what second thing lives there. */
const LINES_ASKED = 300

const sources = readSources('src/**/*.ts')
const everything = readSources('{src,test,bench,bin,scripts,docs,herds}/**/*.{ts,js,md,yaml,json}', '*.md')

test('a file of the source is no longer than one can hold in mind', (t) => {
  for (const { path, text } of sources) {
    const lines = text.split('\n').length - 1
    assert.ok(lines <= LINES_MAX, `${path} has ${lines} lines`)
    if (lines > LINES_ASKED && !path.endsWith('.test.ts')) t.diagnostic(`${path} has ${lines} lines`)
  }
})

test('files are named in kebab-case, by what they are', () => {
  const names = readSources('{src,test,bench,scripts}/**/*.ts').map(({ path }) => path)
  assert.ok(names.length > 50)
  for (const path of names) {
    const name = path.split('/').at(-1) ?? ''
    assert.match(name, /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts$/, path)
    assert.doesNotMatch(name, /^(?:utils?|helpers?|misc|common)\b/, path)
  }
})

test('no file knows the machine that it was written on', () => {
  assert.ok(everything.some(({ path }) => path.startsWith('docs/')))
  // Put together here, so that this file doesn't find itself.
  const folders = ['home', 'work', 'root', 'Users'].join('|')
  // Nobody is called `me`: tests do, who need some home.
  const machine = new RegExp(`(?:^|[\\s'"\`(=:])/(?:${folders})/(?!me\\b)\\w`, 'm')
  assert.match(`const path = '/home${'/somebody'}'`, machine)
  for (const { path, text } of everything) assert.doesNotMatch(text, machine, path)
})

test('only the command line writes to the terminal', () => {
  const talkers = sources.filter(
    ({ path, text }) => !path.startsWith('src/cli/') && /\bconsole\./.test(withoutComments(text)),
  )
  assert.deepEqual(
    talkers.map(({ path }) => path),
    [],
  )
})

test('every part that decides has tests beside it', () => {
  const paths = new Set(sources.map(({ path }) => path))
  for (const layer of [
    'protocol',
    'locations',
    'replication',
    'places',
    'storage',
    'gateways',
    'config',
    'cli',
    'logs',
  ]) {
    assert.ok(
      [...paths].some((path) => path.startsWith(`src/${layer}/`) && path.endsWith('.test.ts')),
      `src/${layer} has tests`,
    )
  }
})
