import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import type { ReportJson } from '../gateways/http/shapes.ts'
import { HerdClosed, HerdProblem, HerdQueueFull, HerdStoreFailed } from './errors.ts'
import { BATCH_MAX, type Outcome, type QueueContext, ReportQueue } from './report-queue.ts'
import { Stamps } from './stamps.ts'
import { type KeptReport, MemoryStore, type ReportStore } from './stores/report-store.ts'

const AT = 'AT Alford +0.1 a'
const taken = ({ client }: ReportJson): Outcome => ({
  became: 'taken',
  reported: { client, outcome: 'new', at: AT },
})
const refusal = (status: number): HerdProblem =>
  new HerdProblem({ type: 'urn:herd:invalid', status, detail: 'no' })

function queueOf(more: Partial<QueueContext>): ReportQueue {
  return new ReportQueue({
    store: new MemoryStore(),
    limits: { reportsMax: 10_000, charactersMax: 1e6 },
    stamps: new Stamps(() => 0, 'test'),
    send: async (reports) => reports.map(taken),
    ...{ onQueued: () => {}, onPressure: () => {}, onReported: () => {}, onRefused: () => {} },
    onStoreFailed: () => {},
    ...more,
  })
}

/** What outlasts a crash, as a disk does: what was appended and not removed. */
class Disk {
  readonly kept = new Map<string, ReportJson>()

  /** One life's view of it; nothing comes through once it is dead. @param fails whether the next call does. */
  store(life: { readonly isDead: boolean }, fails: () => boolean): ReportStore {
    const never = new Promise<never>(() => {})
    return {
      load: async () => Array.from(this.kept, ([key, report]): KeptReport => ({ key, report })),
      append: async (reports) => {
        if (life.isDead) return never
        if (fails()) throw new Error('disk full')
        for (const { key, report } of reports) this.kept.set(key, report)
      },
      remove: async (keys) => {
        if (life.isDead) return never
        if (fails()) throw new Error('disk full')
        for (const key of keys) this.kept.delete(key)
      },
    }
  }
}

type Step =
  | { readonly do: 'report'; readonly client: string }
  | { readonly do: 'turn' }
  | { readonly do: 'crash' }
  | {
      readonly do: 'send'
      readonly how: 'taken' | 'taken, answer lost' | 'lost' | 'some later' | 'too large'
    }
  | { readonly do: 'full disk' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('report'), client: fc.constantFrom('a', 'b', 'c') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('full disk') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send'),
      how: fc.constantFrom('taken', 'taken, answer lost', 'lost', 'some later', 'too large'),
    }),
  },
)

/** Far more than any queue here takes. */
const TURNS_MAX = 5000
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('whatever fails, and whenever it crashes: each report that was kept is sent, those of a client in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const disk = new Disk()
      /** Numbers of the reports that reached a server, each when it first did, by client. */
      const reached = new Map<string, number[]>()
      const all = new Set<number>()
      const failed = new Set<number>()
      const asked: number[] = []
      let now = 0
      let failures = 0
      const outcomes: (Step & { do: 'send' })['how'][] = []
      let wake = (): void => {}
      let life = { isDead: false }

      const numberOf = ({ tags }: ReportJson): number => Number(Object.values(tags ?? {})[0])
      const begin = (): ReportQueue => {
        const mine = { isDead: false }
        life = mine
        return queueOf({
          store: disk.store(mine, () => failures > 0 && failures-- > 0),
          stamps: new Stamps(() => ++now, 'test'),
          send: async (reports, signal) => {
            for (;;) {
              while (outcomes.length === 0) {
                // A life that is over must not take the next one's place as who is woken.
                if (mine.isDead) return new Promise(() => {})
                await new Promise<void>((resolve) => {
                  wake = resolve
                  signal.addEventListener('abort', () => resolve())
                })
                signal.throwIfAborted()
              }
              if (mine.isDead) return new Promise(() => {})
              const how = outcomes.shift()
              if (how === 'lost') continue
              if (how === 'too large' && reports.length > 1) throw refusal(413)
              for (const report of reports) {
                const numbers = reached.get(report.client) ?? []
                if (!numbers.includes(numberOf(report))) numbers.push(numberOf(report))
                reached.set(report.client, numbers)
              }
              const isTaken = (index: number): boolean => how !== 'some later' || index % 2 === 0
              for (const report of reports.filter((_, index) => isTaken(index))) all.add(numberOf(report))
              if (how === 'taken, answer lost') continue
              return reports.map((report, index) => (isTaken(index) ? taken(report) : { became: 'later' }))
            }
          },
        })
      }

      let queue = begin()
      let unsure = new Set<number>()
      for (const one of steps) {
        if (one.do === 'report') {
          const n = asked.push(asked.length) - 1
          unsure.add(n)
          queue.add({ client: one.client, lat: 1, lon: 1, tags: { n: String(n) } }).then(
            () => {},
            (error: unknown) => {
              assert.ok(error instanceof HerdStoreFailed)
              failed.add(n)
            },
          )
        } else if (one.do === 'turn') {
          await turn()
        } else if (one.do === 'full disk') {
          failures++
        } else if (one.do === 'send') {
          outcomes.push(one.how)
          wake()
        } else {
          // What no store had yet may be lost, and nobody was told that it is kept.
          life.isDead = true
          const kept = new Set(Array.from(disk.kept.values(), numberOf))
          for (const n of unsure) {
            if (!kept.has(n) && !all.has(n)) failed.add(n)
          }
          unsure = new Set()
          outcomes.length = 0
          queue = begin()
        }
      }
      failures = 0
      let isEmpty = false
      void queue.emptied().then(() => {
        isEmpty = true
      })
      for (let turns = 0; !isEmpty; turns++) {
        assert.ok(turns < TURNS_MAX, 'the queue comes to an end')
        if (outcomes.length === 0) outcomes.push('taken')
        wake()
        await turn()
      }
      for (const n of asked) assert.ok(all.has(n) || failed.has(n), `report ${n} was taken`)
      for (const [client, numbers] of reached) {
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
          client,
        )
      }
      await queue.close()
    }),
    runs(300),
  )
})

test('without partial answers, first sends of a client are in the order of its reports', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(fc.boolean()), async (bursts, tooLarge) => {
      const order: number[] = []
      const queue = queueOf({
        send: async (reports) => {
          await turn()
          if (tooLarge.shift() === true && reports.length > 1) throw refusal(413)
          for (const { lon } of reports) order.push(lon ?? -1)
          return reports.map(taken)
        },
      })
      let n = 0
      for (const burst of bursts) {
        for (let index = 0; index < burst; index++) void queue.add({ client: 'a', lat: 1, lon: n++ })
        await turn()
      }
      await queue.emptied()
      assert.deepEqual(
        order,
        Array.from({ length: n }, (_, index) => index),
      )
    }),
    runs(100),
  )
})

test('reports of one turn go together, at most 1,000 at once, each stamped when it was made', async () => {
  const batches: (readonly ReportJson[])[] = []
  const queue = queueOf({
    send: async (reports) => {
      batches.push(reports)
      return reports.map(taken)
    },
  })
  const all = Array.from({ length: 2 * BATCH_MAX + 1 }, () => queue.add({ client: 'a', lat: 1, lon: 1 }))
  assert.equal(queue.queued, all.length)
  await Promise.all(all)
  assert.deepEqual(
    batches.map(({ length }) => length),
    [BATCH_MAX, BATCH_MAX, 1],
  )
  const times = batches.flat().map(({ time }) => Number(time))
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(times).size, times.length)
  assert.equal(queue.queued, 0)
})

test('a report keeps the time that it was given', async () => {
  let sent: unknown
  const queue = queueOf({
    send: async (reports) => {
      sent = reports[0]?.time
      return reports.map(taken)
    },
  })
  await queue.add({ client: 'a', lat: 1, lon: 1, time: '2026-11-21T12:00:00Z' })
  assert.equal(sent, '2026-11-21T12:00:00Z')
})

test('one that is refused for good goes to its caller, and those behind it are sent', async () => {
  const refused: string[] = []
  const queue = queueOf({
    send: async (reports) => {
      if (reports.some(({ client }) => client === 'spoils all')) throw refusal(400)
      return reports.map((report) =>
        report.client === 'bad' ? { became: 'refused', problem: refusal(403) } : taken(report),
      )
    },
    onRefused: (_problem, { client }) => refused.push(client),
  })
  const clients = ['a', 'bad', 'b', 'spoils all', 'c']
  const results = await Promise.allSettled(clients.map((client) => queue.add({ client, lat: 1, lon: 1 })))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(refused.toSorted(), ['bad', 'spoils all'])
})

test('what concerns whoever sends is said to all at once', async () => {
  let sends = 0
  const queue = queueOf({
    send: async () => {
      sends++
      throw refusal(403)
    },
  })
  const all = [1, 2, 3].map((lon) => queue.add({ client: 'a', lat: 1, lon }))
  for (const { status } of await Promise.allSettled(all)) assert.equal(status, 'rejected')
  assert.equal(sends, 1)
})

test('reportsMax, charactersMax: as many wait, and one more is not kept', async () => {
  const told: boolean[] = []
  const never = new Promise<never>(() => {})
  const report = { client: 'a', lat: 1, lon: 1 }
  const queue = queueOf({
    limits: { reportsMax: 8, charactersMax: 1e6 },
    send: () => never,
    onPressure: ({ isHigh }) => told.push(isHigh),
  })
  for (let n = 0; n < 8; n++) queue.add(report).catch(() => {})
  await assert.rejects(queue.add(report), (error) => {
    assert.ok(error instanceof HerdQueueFull)
    assert.match(error.message, /8 reports wait already \(queue\.reportsMax\)/)
    return error.report.client === 'a'
  })
  assert.equal(queue.queued, 8)
  assert.deepEqual(told, [true])

  const small = queueOf({ limits: { reportsMax: 8, charactersMax: 300 }, send: () => never })
  small.add({ ...report, tags: { note: 'x'.repeat(150) } }).catch(() => {})
  await assert.rejects(small.add({ ...report, tags: { note: 'x'.repeat(150) } }), /queue\.charactersMax/)
})

test('the pressure is over when half of it has gone', async () => {
  const told: boolean[] = []
  const sending = Promise.withResolvers<void>()
  const queue = queueOf({
    limits: { reportsMax: 8, charactersMax: 1e6 },
    send: async (reports) => {
      await sending.promise
      return reports.map(taken)
    },
    onPressure: ({ isHigh }) => told.push(isHigh),
  })
  const all = Array.from({ length: 7 }, () => queue.add({ client: 'a', lat: 1, lon: 1 }))
  assert.deepEqual(told, [true])
  sending.resolve()
  await Promise.all(all)
  assert.deepEqual(told, [true, false])
})

test('a store that fails: its reports are not kept, and their callers know', async () => {
  const store: ReportStore = {
    load: async () => [],
    append: async () => {
      throw new Error('quota exceeded')
    },
    remove: async () => {},
  }
  const queue = queueOf({ store })
  await assert.rejects(queue.add({ client: 'a', lat: 1, lon: 1 }), (error) => {
    assert.ok(error instanceof HerdStoreFailed)
    return /quota exceeded/.test(error.message)
  })
  assert.equal(queue.queued, 0)
})

test('close gives back what was not sent, and nothing is taken any more', async () => {
  const queue = queueOf({
    send: (_reports, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  })
  const waiting = queue.add({ client: 'a', lat: 1, lon: 1 })
  await turn()
  const [unsent] = await Promise.all([queue.close(), assert.rejects(waiting, HerdClosed)])
  assert.deepEqual(
    unsent.map(({ client }) => client),
    ['a'],
  )
  await assert.rejects(queue.add({ client: 'a', lat: 1, lon: 1 }), HerdClosed)
})
