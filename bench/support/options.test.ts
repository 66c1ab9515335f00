import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions } from './options.ts'

const NAMES = ['iamat', 'echo', 'herd']

test('without arguments every default is filled in', () => {
  assert.deepEqual(parseOptions([], NAMES), {
    ok: true,
    options: {
      rounds: 5,
      seconds: 3,
      clients: 1_000_000,
      objects: 10_000_000,
      only: [],
      trafficLog: 'both',
      jsonFile: undefined,
      help: false,
    },
  })
})

test('all options are read, and --only may be a list or come twice', () => {
  const args =
    '--rounds 2 --seconds 0.5 --clients 5000 --objects 200000 --only echo,herd --only iamat --traffic-log on --json out.json --help'
  assert.deepEqual(parseOptions(args.split(' '), NAMES), {
    ok: true,
    options: {
      rounds: 2,
      seconds: 0.5,
      clients: 5000,
      objects: 200_000,
      only: ['echo', 'herd', 'iamat'],
      trafficLog: 'on',
      jsonFile: 'out.json',
      help: true,
    },
  })
})

test('all problems are reported at once, each with its option', () => {
  const parsed = parseOptions(
    [
      '--rounds',
      '1.5',
      '--seconds',
      'x',
      '--clients',
      '2e99',
      '--objects',
      '1',
      '--only',
      'redes',
      '--traffic-log',
      '1',
    ],
    NAMES,
  )
  assert.ok(!parsed.ok)
  assert.deepEqual(
    parsed.problems.map((problem) => problem.split(' ')[0]),
    ['--rounds', '--seconds', '--clients', '--objects', '--only', '--traffic-log'],
  )
})

test('measurements stay bounded in time', () => {
  for (const args of [
    ['--seconds', '61'],
    ['--seconds', '0'],
    ['--seconds', ''],
    ['--rounds', '101'],
    ['--rounds', '0'],
    ['--clients', '100000001'],
    ['--clients', '1999'],
    ['--clients', '5000.5'],
    ['--objects', '99999'],
    ['--objects', '1000000001'],
  ]) {
    assert.equal(parseOptions(args, NAMES).ok, false, args.join(' '))
  }
})

test('an unknown option is a problem, not an exception', () => {
  assert.equal(parseOptions(['--round', '3'], NAMES).ok, false)
})
