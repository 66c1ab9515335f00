import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { toNanotime } from '../../../test/support/fixes.ts'
import { MemoryServer } from '../../../test/support/memory-herd.ts'
import { ask, begin, clientsOf, who } from '../../../test/support/whosat.ts'
import type { Search } from '../../locations/index.ts'

const SECOND = 1_000_000_000n

/** A server that knows these clients, each by its position. */
function knowing(
  positions: Readonly<Record<string, string>>,
  ...limits: ConstructorParameters<typeof MemoryServer>[1][]
): MemoryServer {
  const server = new MemoryServer('A', ...limits)
  for (const [client, position] of Object.entries(positions))
    server.takeAt(`AT A +0 ${client} ${position} 100`)
  return server
}

const PLACES = { emu: '+10.001+20', kiwi: '+10+20', moa: '+10+20', ibis: '+10.01+20', far: '-50+20' }

test('each form answers whole AT lines and an empty line', () => {
  const server = knowing(PLACES)
  const at = (client: keyof typeof PLACES): string => `AT A +0 ${client} ${PLACES[client]} 100\n`
  const triangle = '{"type":"Polygon","coordinates":[[[20,10],[21,10],[20,10.005],[20,10]]]}'
  assert.equal(ask(server, 'WHOSAT kiwi 50 2'), `${at('moa')}${at('emu')}\n`)
  assert.equal(ask(server, 'WHOSAT NEAR +10.009+20 50 2'), `${at('ibis')}${at('emu')}\n`)
  assert.equal(ask(server, 'WHOSAT IN +10+19 +10.005+21 20'), `${at('emu')}${at('kiwi')}${at('moa')}\n`)
  assert.equal(ask(server, `WHOSAT IN ${triangle} 20`), `${at('emu')}${at('kiwi')}${at('moa')}\n`)
  assert.equal(ask(server, 'WHOSAT NEAR +80+20 50 20'), '\n')
  assert.equal(server.counters.whosats, 5)
})

test('only the client that is asked about is left out, and only where one is', () => {
  const server = knowing(PLACES)
  assert.deepEqual(who(server, 'WHOSAT kiwi 0 20'), ['moa'])
  assert.deepEqual(who(server, 'WHOSAT moa 0 *'), ['kiwi'])
  assert.deepEqual(who(server, 'WHOSAT NEAR +10+20 0 20'), ['kiwi', 'moa'])
  assert.deepEqual(who(server, 'WHOSAT IN +10+20 +10+20 *'), ['kiwi', 'moa'])
})

test('a client may be called like a word of the grammar', () => {
  const server = knowing({ NEAR: '+1+1', IN: '+1+1' })
  assert.deepEqual(who(server, 'WHOSAT NEAR 1 5'), ['IN'])
  assert.deepEqual(who(server, 'WHOSAT IN 1 5'), ['NEAR'])
  assert.deepEqual(who(server, 'WHOSAT NEAR +1+1 1 5'), ['IN', 'NEAR'])
})

test('0 items are an empty line, in each form', () => {
  const server = knowing(PLACES)
  const world = '{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}'
  for (const what of ['kiwi 50', 'NEAR +10+20 50', 'IN -90-180 +90+180', `IN ${world}`]) {
    assert.equal(ask(server, `WHOSAT ${what} 0`), '\n', what)
    assert.notEqual(ask(server, `WHOSAT ${what} 1`), '\n', what)
  }
})

test('what can’t be asked is no command: an unknown client, a box upside down, no polygon', () => {
  const server = knowing(PLACES)
  for (const line of [
    'WHOSAT nobody 50 20',
    'WHOSAT kiw 50 20',
    'WHOSAT IN +10.000000001+20 +10+20 5',
    'WHOSAT IN {"type":"Polygon"} 5',
    'WHOSAT IN {} *',
  ]) {
    assert.equal(ask(server, line), null, line)
  }
  assert.equal(server.counters.whosats, 0)
  assert.equal(server.output.waiting, 0)
})

test('whosatBytesMax: an answer to a * that has more bytes is a line that says so; by number they come', () => {
  const server = new MemoryServer('A', { whosatBytesMax: 21 * 1000 })
  const id = (client: number, length: number): string => `c${client}`.padEnd(length, 'x')
  const report = (client: number, length: number): void => {
    const line = `AT A +0 ${id(client, length)} +1+1 1.`
    assert.ok(server.takeAt(line.padEnd(999, '0')) >= 0)
  }
  for (let client = 0; client < 21; client++) report(client, 900)
  assert.equal(who(server, 'WHOSAT NEAR +1+1 1 *')?.length, 21)
  report(21, 900)
  const before = server.output.waiting
  assert.equal(
    ask(server, 'WHOSAT NEAR +1+1 1 *'),
    '? more than 21000 bytes of them are there: ask for a smaller area, or for some (limits.whosatBytesMax)\n',
  )
  assert.equal(server.output.waiting, before)
  assert.equal(who(server, 'WHOSAT NEAR +1+1 1 20')?.length, 20)
})

test('whosatItemsMax: so many are answered to a *, and one more is a line that says what to do', () => {
  const server = new MemoryServer('A', { whosatItemsMax: 25 })
  const clients = Array.from({ length: 25 }, (_, client) => `c${client + 10}`)
  for (const client of clients) server.takeAt(`AT A +0 ${client} +1+1 100`)
  const forms = [
    'NEAR +1+1 5',
    'IN +0+0 +2+2',
    'IN {"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}',
  ]
  for (const form of forms) assert.deepEqual(who(server, `WHOSAT ${form} *`), clients, form)
  server.takeAt('AT A +0 d +1+1 100')
  for (const form of forms) {
    assert.equal(
      ask(server, `WHOSAT ${form} *`),
      '? more than 25 are there: ask for a smaller area, or for some (limits.whosatItemsMax)\n',
    )
    assert.deepEqual(who(server, `WHOSAT ${form} 20`), clients.slice(0, 20), form)
  }
  // The asker isn't among them.
  assert.deepEqual(who(server, 'WHOSAT d 5 *'), clients)
})

test('an age keeps fixes whose effective time is that long ago or less, to the nanosecond', () => {
  const server = new MemoryServer('A')
  const report = (client: string, skew: string, time: string): number =>
    server.takeAt(`AT A ${skew} ${client} +1+1 ${time}`)
  report('asker', '+0', '1')
  report('older', '+0', '989.999999998')
  report('just', '+0', '989.999999999')
  report('younger', '+0', '990')
  // A year ahead: what counts is a minute after it was received.
  report('ahead-older', '-31536000', '31536929.999999998')
  report('ahead-just', '-31536000', '31536929.999999999')
  Object.assign(server.now, toNanotime(1000n * SECOND))
  const world = '{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}'
  for (const form of ['asker 1', 'NEAR +1+1 1', 'IN -90-180 +90+180', `IN ${world}`]) {
    const younger = who(server, `WHOSAT ${form} * 10.000000001`)
    assert.deepEqual(younger, ['ahead-just', 'just', 'younger'], form)
    assert.deepEqual(who(server, `WHOSAT ${form} 20 10`), ['younger'], form)
    assert.deepEqual(who(server, `WHOSAT ${form} 20 0`), [], form)
    assert.equal(who(server, `WHOSAT ${form} 20 99999999999`)?.length, form === 'asker 1' ? 5 : 6, form)
  }
  // Who asks may be as old as anything.
  assert.deepEqual(who(server, 'WHOSAT asker 1 1 10'), ['younger'])
})

test('an age doesn’t last: the next command without one asks for all again', () => {
  const server = knowing(PLACES)
  Object.assign(server.now, toNanotime(1000n * SECOND))
  assert.deepEqual(who(server, 'WHOSAT NEAR +10+20 0 20 1'), [])
  assert.deepEqual(who(server, 'WHOSAT NEAR +10+20 0 20'), ['kiwi', 'moa'])
})

test('a search goes on as it was asked, whatever is read meanwhile', () => {
  const server = knowing(PLACES)
  for (const [line, expected] of [
    ['WHOSAT NEAR +10.01+20 0 5', ['ibis']],
    ['WHOSAT IN +10.001+19 +10.01+21 5', ['emu', 'ibis']],
    ['WHOSAT emu 0.5 5 1000', ['kiwi', 'moa']],
  ] as const) {
    const search = begin(server, line)
    assert.ok(search !== null && begin(server, 'WHOSAT IN -50+20 -49+21 1 5') !== null)
    while (!search.step());
    server.whosat.append(search)
    assert.deepEqual(clientsOf(server.output.take().toString()), expected, line)
  }
})

/** More clients than a turn looks at, all at one place. */
function manyClients(count: number): { server: MemoryServer; clients: string[] } {
  const server = new MemoryServer('A', { whosatItemsMax: count })
  const clients = Array.from({ length: count }, (_, client) => `c${100_000 + client}`)
  for (const client of clients.toReversed()) server.takeAt(`AT A +0 ${client} +1+1 100`)
  return { server, clients }
}

test('a search of more than a turn answers the same', () => {
  const { server, clients } = manyClients(25_000)
  const triangle = '{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}'
  for (const form of ['NEAR +1.1+1.1 50', 'IN +0+0 +2+2', `IN ${triangle}`]) {
    assert.equal(begin(server, `WHOSAT ${form} *`)?.step(), false, form)
    assert.deepEqual(who(server, `WHOSAT ${form} *`), clients, form)
    assert.deepEqual(who(server, `WHOSAT ${form} 20`), clients.slice(0, 20), form)
  }
})

/** A search that takes so many turns, and notes each in a list. */
function slowSearch(name: string, turns: number, taken: string[]): Pick<Search, 'step'> {
  let left = turns
  const step = (): boolean => {
    taken.push(name)
    return --left === 0
  }
  return { step }
}

test('however many searches go on, others wait for one turn of one of them', async () => {
  const { whosat } = new MemoryServer('A')
  const taken: string[] = []
  const done: string[] = []
  for (const name of ['a', 'b', 'c']) {
    whosat.finish(
      slowSearch(name, 3, taken),
      () => true,
      () => {
        done.push(name)
        // What goes on because of an answer may search again.
        if (name === 'a')
          whosat.finish(
            slowSearch('d', 2, taken),
            () => true,
            () => done.push('d'),
          )
      },
    )
  }
  assert.equal(taken.length, 0)
  for (let turn = 1; turn <= 11; turn++) {
    await othersTurn()
    assert.equal(taken.length, turn)
  }
  // One after the other, so that only one of them holds what it has found.
  assert.equal(taken.join(''), 'aaabbbcccdd')
  assert.deepEqual(done, ['a', 'b', 'c', 'd'])
  await othersTurn()
  assert.equal(taken.length, 11)
})

test('a search that nobody waits for any more is dropped, wherever it stands', async () => {
  const { whosat } = new MemoryServer('A')
  const taken: string[] = []
  const done: string[] = []
  const gone = new Set<string>()
  for (const name of ['a', 'b', 'c', 'd']) {
    whosat.finish(
      slowSearch(name, 3, taken),
      () => !gone.has(name),
      () => done.push(name),
    )
  }
  gone.add('c')
  await othersTurn()
  gone.add('a')
  for (let turn = 1; turn <= 10; turn++) await othersTurn()
  assert.equal(taken.join(''), 'abbbddd')
  assert.deepEqual(done, ['b', 'd'])
  // And the next one begins by itself.
  whosat.finish(
    slowSearch('e', 1, taken),
    () => true,
    () => done.push('e'),
  )
  await othersTurn()
  assert.deepEqual(done, ['b', 'd', 'e'])
})
