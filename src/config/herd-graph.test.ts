import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { isLoopback } from './herd-graph.ts'
import { readHerd } from './herd-reader.ts'

function readingOf(names: readonly string[], links: readonly (readonly [string, string])[]) {
  const servers = Object.fromEntries(names.map((name, index) => [name, { port: 5000 + index }]))
  // JSON is YAML.
  const text = JSON.stringify({ herd: 'graph', servers, links })
  return readHerd(text, { file: '/graph.yaml', cwd: '/', env: {} })
}

test('a herd that falls apart is refused with its parts named', () => {
  const names = ['Alford', 'Ball', 'Hamilton', 'Holiday']
  const reading = readingOf(names, [
    ['Alford', 'Hamilton'],
    ['Ball', 'Holiday'],
  ])
  assert.deepEqual(reading.ok ? [] : reading.problems, [
    'links: the herd falls into 2 parts: Alford, Hamilton | Ball, Holiday; join them, for example with [Alford, Ball]',
  ])
})

test('a server alone is a herd', () => {
  assert.ok(readingOf(['Alford'], []).ok)
})

test('links: connected or refused, as union-find says; neighbors are mutual', () => {
  const graph = fc.integer({ min: 1, max: 8 }).chain((size) => {
    const names = Array.from({ length: size }, (_, index) => `S${index}`)
    const pairs = names.flatMap((one, i) => names.slice(i + 1).map((other): [string, string] => [one, other]))
    return fc.tuple(fc.constant(names), fc.subarray(pairs))
  })
  fc.assert(
    fc.property(graph, ([names, links]) => {
      const root = new Map(names.map((name) => [name, name]))
      const find = (name: string): string => (root.get(name) === name ? name : find(root.get(name) ?? name))
      for (const [one, other] of links) root.set(find(one), find(other))
      const parts = new Set(names.map(find)).size
      const reading = readingOf(names, links)
      assert.equal(reading.ok, parts === 1)
      if (!reading.ok) return assert.match(reading.problems.join(), new RegExp(`falls into ${parts} parts`))
      const neighbors = new Map(reading.config.servers.map((server) => [server.name, server.neighbors]))
      for (const [name, others] of neighbors) {
        for (const other of others) assert.ok(neighbors.get(other)?.includes(name))
      }
      const count = [...neighbors.values()].reduce((sum, others) => sum + others.length, 0)
      assert.equal(count, 2 * links.length)
    }),
  )
})

test('two servers at one address are refused, also by another name for it', () => {
  const text = (host: string) =>
    `{herd: x, servers: {A: {port: 5, host: 127.0.0.1}, B: {port: 5, host: "${host}"}}, links: [[A, B]]}`
  const place = { file: '/x.yaml', cwd: '/', env: {} }
  for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST']) {
    const reading = readHerd(text(host), place)
    assert.deepEqual(reading.ok ? [] : reading.problems, ["servers.B.port: 5 is already A's; for example 6"])
  }
  assert.ok(readHerd(text('127.0.0.2'), place).ok)
})

test('a port is one server’s alone, in `alsoPorts` too', () => {
  const problemsOf = (a: object, b: object): readonly string[] => {
    const servers = { A: { port: 5, ...a }, B: { port: 6, ...b } }
    const place = { file: '/x.yaml', cwd: '/', env: {} }
    const reading = readHerd(JSON.stringify({ herd: 'x', servers, links: [['A', 'B']] }), place)
    return reading.ok ? [] : reading.problems
  }
  assert.deepEqual(problemsOf({ alsoPorts: [5055, 1883] }, { alsoPorts: [5056] }), [])
  assert.deepEqual(problemsOf({ alsoPorts: [7] }, { alsoPorts: [8, 7] }), [
    "servers.B.alsoPorts[1]: 7 is already A's; for example 9",
  ])
  assert.deepEqual(problemsOf({ alsoPorts: [5] }, { alsoPorts: [] }), [
    "servers.A.alsoPorts[0]: 5 is already A's; for example 7",
  ])
  assert.deepEqual(problemsOf({ alsoPorts: [6] }, {}), ["servers.B.port: 6 is already A's; for example 7"])
  assert.deepEqual(problemsOf({ alsoPorts: [7] }, { host: '127.0.0.2', alsoPorts: [7] }), [])
  assert.match(problemsOf({ alsoPorts: 7 }, {}).join(), /^servers\.A\.alsoPorts: 7 is not a list of at most/)
  const many = (length: number): number[] => Array.from({ length }, (_, index) => 100 + index)
  assert.deepEqual(problemsOf({ alsoPorts: many(16) }, {}), [])
  for (const wrong of [many(17), [0], [65_536], [1.5], ['7']]) {
    assert.match(
      problemsOf({ alsoPorts: wrong }, {}).join(),
      /^servers\.A\.alsoPorts: a list is not a list of/,
    )
  }
})

test('hosts: names, IPv4, IPv6 with or without brackets; nothing else', () => {
  const reading = (host: string) => {
    return readHerd(JSON.stringify({ herd: 'x', servers: { A: { port: 5, host } } }), {
      file: '/x.yaml',
      cwd: '/',
      env: {},
    })
  }
  for (const host of [
    'localhost',
    'a.example',
    'my_host-1',
    '10.0.0.1',
    '::1',
    'fe80::1%eth0',
    '::ffff:1.2.3.4',
  ]) {
    const taken = reading(host)
    assert.ok(taken.ok, host)
    assert.equal(taken.config.servers[0]?.host, host.toLowerCase())
  }
  const bracketed = reading('[::1]')
  assert.equal(bracketed.ok && bracketed.config.servers[0]?.host, '::1')
  for (const host of [
    '',
    ' ',
    'a b',
    '300.1.1.1',
    '1.2.3',
    'fe80::zz',
    ':',
    'a:5',
    'http://a',
    '-a',
    'ä',
    '[::1',
  ]) {
    const refused = reading(host)
    assert.ok(!refused.ok, host)
    assert.match(
      refused.problems.join(),
      /^servers\.A\.host: .* is not a host name or an address; for example 127/,
    )
  }
})

test('loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', 'LocalHost', '::1', '[::1]'])
    assert.ok(isLoopback(host))
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example', 'a.example']) assert.ok(!isLoopback(host))
})
