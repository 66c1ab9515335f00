import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { HeldGateway } from '../../../test/support/held-gateway.ts'
import { waitUntil } from '../../../test/support/live-herd.ts'
import { fc, runs } from '../../../test/support/properties.ts'

const ACK_MS = 2500

/** A report, and the shape of its reply. */
function report(client: string | number, time = 1): string {
  return `IAMAT ${client} +1+1 ${time}\n`
}

/** What of a reply doesn't depend on the clock. */
function plain(line: string): string {
  return line.replace(/AT Alford \S+ /, 'AT ')
}

/** Waits until the server has taken so many reports. */
async function taken({ server }: HeldGateway, iamats: number): Promise<void> {
  await waitUntil(() => server.counters.iamats === iamats, `${iamats} reports were taken`)
}

test('a report is answered once the disk holds it, and what follows it waits its turn', async (t) => {
  const held = await HeldGateway.start(t)
  const client = await held.connect()
  assert.equal(await client.ask('ACK disk'), 'ACK disk')
  await client.send(`${report('a')}nonsense\n${report('b')}`)
  await taken(held, 2)
  held.claim(held.neighbor)
  held.claim(held.disk, 1)
  // A second connection gets its answer meanwhile.
  const other = await held.connect()
  assert.equal(plain(await other.ask('IAMAT c +1+1 1')), 'AT c +1+1 1')
  assert.equal(client.waitingBytes, 0)
  held.claim(held.disk)
  assert.deepEqual((await client.lines(3)).map(plain), ['AT a +1+1 1', '? nonsense', 'AT b +1+1 1'])
  // What is held already is answered at once.
  held.claim(held.disk, 10)
  assert.equal(plain(await client.ask('IAMAT a +1+1 1')), 'AT a +1+1 1')
  assert.equal(held.acks.waiting, 0)
  assert.equal(held.timers(ACK_MS), 0)
})

test('a report that is too late is answered with what it has reached, each for itself', async (t) => {
  const held = await HeldGateway.start(t)
  const client = await held.connect()
  assert.equal(await client.ask('ACK disk+peers:1'), 'ACK disk+peers:1')
  await client.send(report('a') + report('b') + report('c'))
  await taken(held, 3)
  held.claim(held.disk, 2)
  held.claim(held.neighbor, 1)
  held.elapse(ACK_MS)
  const [a = '', b = '', c = ''] = await client.lines(3)
  assert.equal(plain(a), 'AT a +1+1 1')
  assert.equal(plain(b), '? reached disk, not disk+peers:1, in 2500 ms: AT b +1+1 1')
  assert.equal(plain(c), '? reached memory, not disk+peers:1, in 2500 ms: AT c +1+1 1')
  assert.equal(held.server.counters.acksLate, 2)
  // It is kept, and on its way: the same report again only asks whether it is there.
  await client.send(report('c'))
  await taken(held, 4)
  held.claim(held.disk)
  held.claim(held.neighbor)
  assert.equal(plain(await client.line()), 'AT c +1+1 1')
  assert.equal(held.acks.waiting, 0)
})

test('an older report waits for the newer one that is kept in its place', async (t) => {
  const held = await HeldGateway.start(t)
  const client = await held.connect()
  await client.ask('IAMAT a +1+1 5')
  await client.ask('ACK peers:1')
  await client.send(report('a', 4))
  await taken(held, 2)
  assert.equal(held.acks.waiting, 1)
  held.claim(held.neighbor)
  assert.equal(plain(await client.line()), 'AT a +1+1 4')
})

test('a level that can’t be had is refused, and the one before stays', async (t) => {
  const held = await HeldGateway.start(t, {}, 'disk')
  const client = await held.connect()
  await client.send(report('a'))
  await taken(held, 1)
  await client.send(`ACK peers:2\n${report('b')}`)
  await taken(held, 2)
  held.claim(held.neighbor)
  held.claim(held.disk, 1)
  assert.equal(plain(await client.line()), 'AT a +1+1 1')
  held.claim(held.disk)
  assert.deepEqual((await client.lines(2)).map(plain), ['? there is one neighbor', 'AT b +1+1 1'])
  assert.equal(held.server.counters.invalid, 1)
  // From here on this connection doesn't wait; a report before still does.
  await client.send(`${report('c')}ACK memory\n${report('d')}`)
  await taken(held, 4)
  held.claim(held.disk)
  assert.deepEqual((await client.lines(3)).map(plain), ['AT c +1+1 1', 'ACK memory', 'AT d +1+1 1'])
})

test('a client that closes its side gets all that it waits for', async (t) => {
  const held = await HeldGateway.start(t, {}, 'peers:1')
  const client = await held.connect()
  await client.send(`${report('a')}IAMAT b +1+1 1`)
  client.halfClose()
  await taken(held, 1)
  held.claim(held.neighbor)
  assert.deepEqual((await client.rest()).split('\n').map(plain), ['AT a +1+1 1', '? IAMAT b +1+1 1', ''])
})

test('so does one whose connection is closed for a fault', async (t) => {
  const held = await HeldGateway.start(t, {}, 'disk')
  const client = await held.connect()
  await client.send(`${report('a')}${'x'.repeat(70_000)}\n`)
  await taken(held, 1)
  held.elapse(ACK_MS)
  const [late = '', fault] = await client.lines(2)
  assert.match(late, /^\? reached memory, not disk, in 2500 ms: AT Alford /)
  assert.equal(fault, '? a line may have at most 65536 bytes')
  assert.equal(await client.rest(), '')
})

test('for a connection that is gone nothing is kept', async (t) => {
  const held = await HeldGateway.start(t, {}, 'disk')
  const client = await held.connect()
  await client.send(report('a'))
  await taken(held, 1)
  await client.send(`ACK disk+peers:1\n${report('b')}`)
  await taken(held, 2)
  assert.equal(held.acks.waiting, 2)
  client.socket.resetAndDestroy()
  await once(client.socket, 'close')
  await waitUntil(() => held.acks.waiting === 0, 'nobody waits any more')
  assert.equal(held.timers(ACK_MS), 0)
  assert.equal(held.server.counters.acksLate, 0)
})

test('a report that isn’t kept is answered at once', async (t) => {
  const held = await HeldGateway.start(t, {}, 'disk')
  held.server.replica.forget({ seconds: 10, nanoseconds: 0 })
  held.server.replica.table.forgetBefore({ seconds: 10, nanoseconds: 0 })
  const client = await held.connect()
  assert.equal(plain(await client.ask('IAMAT old +1+1 1')), 'AT old +1+1 1')
  assert.equal(held.acks.waiting, 0)
})

test('chunks of reports that wait are bounded like questions that do', async (t) => {
  const held = await HeldGateway.start(t, { pendingWhatsatsMax: 3 }, 'disk')
  const client = await held.connect()
  for (let chunk = 1; chunk <= 3; chunk++) {
    await client.send(report(chunk))
    await taken(held, chunk)
  }
  await client.send(report(4))
  await waitUntil(() => held.server.counters.pausesForWhatsats === 1, 'the server reads no more')
  assert.equal(held.server.counters.iamats, 3)
  held.claim(held.disk)
  await taken(held, 4)
  held.claim(held.disk)
  assert.deepEqual(
    (await client.lines(4)).map(plain),
    [1, 2, 3, 4].map((client) => `AT ${client} +1+1 1`),
  )
})

test('bytes of replies that are held count as replies that wait', async (t) => {
  const held = await HeldGateway.start(t, { replyBytesMax: 1024 }, 'disk')
  const client = await held.connect()
  await client.send(Array.from({ length: 100 }, (_, index) => report(index)).join(''))
  await waitUntil(() => held.server.counters.pausesForReplies === 1, 'the server reads no more')
  const { iamats } = held.server.counters
  assert.ok(iamats < 40, `${iamats} were answered`)
  const ends = setInterval(() => held.claim(held.disk), 1)
  t.after(() => clearInterval(ends))
  assert.deepEqual(
    (await client.lines(100)).map(plain),
    Array.from({ length: 100 }, (_, index) => `AT ${index} +1+1 1`),
  )
})

test('only the last report of a chunk is waited for', async (t) => {
  const held = await HeldGateway.start(t, {}, 'disk')
  const client = await held.connect()
  await client.send(Array.from({ length: 500 }, (_, index) => report(index)).join(''))
  await taken(held, 500)
  assert.ok(held.acks.waiting <= 16)
  held.claim(held.disk)
  assert.equal((await client.lines(500)).length, 500)
})

test('a gateway that stops first answers what it has taken', async (t) => {
  const held = await HeldGateway.start(t, {}, 'disk')
  const client = await held.connect()
  await client.send(report('a'))
  await taken(held, 1)
  const stopped = held.stop()
  await new Promise(setImmediate)
  assert.equal(client.isEnded, false)
  held.claim(held.disk)
  assert.equal(plain(await client.rest()), 'AT a +1+1 1\n')
  client.socket.destroy()
  await stopped
})

/** Commands whose replies don't depend on anything but their turn. */
const LINES: Readonly<Record<string, readonly [line: string, ...reply: string[]]>> = {
  places: ['WHATSAT known 1 1', 'AT known +1+1 1', '{1}', ''],
  nobody: ['WHOSAT nobody 1 1', '? WHOSAT nobody 1 1'],
  invalid: ['nonsense', '? nonsense'],
  memory: ['ACK memory', 'ACK memory'],
  disk: ['ACK disk', 'ACK disk'],
  both: ['ACK disk+peers:1', 'ACK disk+peers:1'],
}

test('whatever is asked, and whatever comes when: replies keep the order of the commands', async (t) => {
  const command = fc.constantFrom('report', 'report', 'report', ...Object.keys(LINES))
  const event = fc.constantFrom('the disk claims', 'the neighbor claims', 'places are found', 'time is up')
  const step = fc.oneof({ weight: 3, arbitrary: command }, { weight: 2, arbitrary: event })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const held = await HeldGateway.start(t, { pendingWhatsatsMax: 1000 })
      const client = await held.connect()
      await client.ask('IAMAT known +1+1 1')
      const expected: string[] = []
      let reports = 1
      for (const step of steps) {
        const line = LINES[step]
        if (step === 'the disk claims') held.claim(held.disk)
        else if (step === 'the neighbor claims') held.claim(held.neighbor)
        else if (step === 'places are found') held.places.shift()?.()
        else if (step === 'time is up') held.elapse(ACK_MS)
        else if (line === undefined) {
          await client.send(report(`c${reports}`))
          expected.push(`AT c${reports} +1+1 1`)
          await taken(held, ++reports)
        } else {
          await client.send(`${line[0]}\n`)
          expected.push(...line.slice(1))
        }
        await new Promise(setImmediate)
      }
      await client.send('the end\n')
      const seen: string[] = []
      const goesOn = setInterval(() => {
        held.claim(held.disk)
        held.claim(held.neighbor)
        for (const found of held.places.splice(0)) found()
      }, 1)
      while (seen.at(-1) !== '? the end') {
        seen.push(plain(await client.line()).replace(/^\? reached .* ms: /, ''))
      }
      clearInterval(goesOn)
      assert.deepEqual(seen, [...expected, '? the end'])
      client.socket.destroy()
      await held.stop()
    }),
    runs(25),
  )
})
