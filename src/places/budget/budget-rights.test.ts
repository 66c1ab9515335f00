import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import {
  blockOf,
  equalShare,
  giveWay,
  handOver,
  LIVES_MAX,
  newRow,
  rightsOf,
  setAside,
  shareOf,
  usedBy,
  wantMore,
  wantOf,
} from './budget-rights.ts'
import { type BudgetRow, budgetRowName, joinBudgetRows, RECEIVERS_MAX } from './budget-rows.ts'

const OF = { key: 'google', period: '2026-11-21', life: 'a' }

/** A herd whose servers hear of each other what, when and as often as a test says. */
class RightsHerd {
  readonly names: readonly string[]
  readonly budget: number
  /** Every row that was ever said, by anybody of itself or of others. */
  readonly said: BudgetRow[] = []
  readonly #known: Map<string, BudgetRow>[]
  readonly #servers: readonly string[]

  /** @param joined servers that have no share. */
  constructor(count: number, joined: number, budget: number) {
    this.names = Array.from({ length: count + joined }, (_, index) => `S${index}`)
    this.#servers = this.names.slice(0, count)
    this.budget = budget
    this.#known = this.names.map(() => new Map())
    for (const [index, server] of this.names.entries()) {
      this.#put(index, newRow({ ...OF, server, share: shareOf(server, this.#servers, budget) }))
    }
  }

  get equal(): number {
    return equalShare(this.#servers, this.budget)
  }

  rows(server: number): BudgetRow[] {
    return [...(this.#known[server]?.values() ?? [])]
  }

  own(server: number): BudgetRow {
    const row = this.rows(server).find((each) => each.server === this.names[server])
    assert.ok(row !== undefined)
    return row
  }

  /** What all have really used. */
  get used(): number {
    return usedBy(this.names.map((_, server) => this.own(server)))
  }

  take(server: number, calls: number): number {
    const before = this.own(server).used
    this.#put(server, setAside(this.own(server), this.rows(server), calls))
    this.#put(server, wantMore(this.own(server), this.rows(server), this.equal))
    return this.own(server).used - before
  }

  hear(server: number, row: BudgetRow): void {
    this.#put(server, row)
  }

  settle(
    server: number,
    turn: 'first' | 'any',
    elapsed: number,
    reached: readonly string[] = this.names,
  ): void {
    const isReachable = (name: string) => reached.includes(name)
    this.#put(server, handOver(this.own(server), this.rows(server), { elapsed, isReachable, turn }))
  }

  /** It forgets what others told it, and keeps what is on its disk: its own row. */
  restart(server: number): void {
    const own = this.own(server)
    this.#known[server]?.clear()
    this.#put(server, own)
  }

  /** All tell all, until nobody hands over any more. */
  connect(elapsed = 1): void {
    for (let before = -1; before !== this.#handed; ) {
      before = this.#handed
      for (const turn of ['first', 'any'] as const) {
        for (const server of this.names.keys()) {
          for (const other of this.names.keys()) for (const row of this.rows(other)) this.hear(server, row)
          this.settle(server, turn, elapsed)
        }
      }
    }
  }

  get #handed(): number {
    const rows = this.names.map((_, server) => this.own(server))
    return rows.reduce(
      (calls, { handed }) => calls + [...handed.values()].reduce((sum, one) => sum + one, 0),
      0,
    )
  }

  #put(server: number, row: BudgetRow): void {
    const name = budgetRowName(row)
    const known = this.#known[server]?.get(name)
    const joined = known === undefined ? row : joinBudgetRows(known, row)
    this.#known[server]?.set(name, joined)
    this.said.push(joined)
  }
}

const anyHerd = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.nat(2), fc.integer({ min: 1, max: 500 }))
  .map(([count, joined, budget]) => new RightsHerd(count, joined, budget))

const step = fc.record({
  what: fc.constantFrom('take', 'hear', 'hear', 'hear', 'settle', 'restart'),
  server: fc.nat(7),
  calls: fc.integer({ min: 1, max: 60 }),
  which: fc.nat(),
  turn: fc.constantFrom('first', 'any'),
  elapsed: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('the shares are the whole budget, and differ by one at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(1_000_000), (count, budget) => {
      const names = Array.from({ length: count }, (_, index) => `S${index}`)
      const shares = names.map((name) => shareOf(name, names, budget))
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        budget,
      )
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1)
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => b - a),
      )
      assert.equal(shareOf('Joined', names, budget), 0)
    }),
    runs(100),
  )
})

test('whatever is lost, late, repeated or cut off, and whoever starts again: never more than the budget is used', () => {
  fc.assert(
    fc.property(anyHerd, fc.array(step, { maxLength: 120 }), (herd, steps) => {
      for (const { what, server: any, calls, which, turn, elapsed } of steps) {
        const server = any % herd.names.length
        const row = herd.said[which % herd.said.length]
        if (what === 'take') herd.take(server, calls)
        else if (what === 'settle') herd.settle(server, turn, elapsed)
        else if (what === 'restart') herd.restart(server)
        else if (row !== undefined) herd.hear(server, row)
        assert.ok(herd.used <= herd.budget, `${herd.used} of ${herd.budget}`)
      }
      // And nothing was lost: what is not used is still somebody's right, and all of it.
      herd.connect()
      const rights = herd.names.map((name) => rightsOf(name, herd.rows(0)))
      assert.equal(
        rights.reduce((sum, calls) => sum + calls, herd.used),
        herd.budget,
      )
    }),
    runs(300),
  )
})

test('when all are connected and only one is asked, it can spend everything, whoever that is', () => {
  fc.assert(
    fc.property(anyHerd, fc.nat(7), fc.integer({ min: 1, max: 9 }), (herd, any, calls) => {
      const server = any % herd.names.length
      let spent = 0
      for (let refused = 0; refused < 3; ) {
        const taken = herd.take(server, calls)
        spent += taken
        refused = taken === 0 ? refused + 1 : 0
        herd.connect()
      }
      assert.equal(spent, herd.budget)
    }),
    runs(60),
  )
})

test('who needs its share keeps it: another that spends all it gets takes only what is spare', () => {
  const herd = new RightsHerd(4, 0, 400)
  // S1 uses two thirds of its share by noon, and will need the rest.
  herd.take(1, 66)
  for (let turn = 0; turn < 200; turn++) {
    herd.take(0, 10)
    herd.connect(0.5)
  }
  assert.equal(rightsOf('S1', herd.rows(1)), 34)
  assert.equal(herd.take(1, 34), 34)
  assert.equal(herd.own(0).used, 300, 'those who needed nothing have given all')
})

test('half of what is spare is handed over at a time, by the one who has most', () => {
  const herd = new RightsHerd(3, 0, 300)
  herd.take(2, 20)
  herd.take(0, 95)
  for (const row of herd.said.slice()) for (const server of [0, 1, 2]) herd.hear(server, row)
  assert.equal(wantOf('S0', herd.rows(1)), 25)
  herd.settle(2, 'first', 0.9)
  assert.equal(herd.own(2).handed.size, 0, 'S1 has more left')
  herd.settle(1, 'first', 0.9)
  assert.deepEqual([...herd.own(1).handed], [['S0', 25]])
  herd.settle(1, 'first', 0.9)
  assert.deepEqual([...herd.own(1).handed], [['S0', 25]], 'nothing more is wanted')
  herd.settle(2, 'any', 0.9)
  assert.deepEqual([...herd.own(2).handed], [['S0', 25]], 'it has not heard, and nobody else seems to do it')
})

test('who is not reached gets nothing', () => {
  const herd = new RightsHerd(2, 0, 100)
  herd.take(0, 50)
  herd.hear(1, herd.own(0))
  herd.settle(1, 'any', 1, ['S1'])
  assert.equal(herd.own(1).handed.size, 0)
  herd.settle(1, 'any', 1)
  assert.equal(herd.own(1).handed.get('S0'), 13)
})

test('what an earlier life has spent counts, as soon as it is heard of', () => {
  const earlier = { ...newRow({ ...OF, server: 'S0', share: 100 }), used: 70 }
  const own = newRow({ ...OF, life: 'b', server: 'S0', share: 100 })
  assert.equal(rightsOf('S0', [own]), 100)
  assert.equal(rightsOf('S0', [own, earlier]), 30)
  assert.equal(setAside(own, [own, earlier], 50).used, 30)
})

test('LIVES_MAX: who forgets too often has no rights', () => {
  const lives = Array.from({ length: LIVES_MAX + 1 }, (_, life) =>
    newRow({ ...OF, life: life.toString(16), server: 'S0', share: 100 }),
  )
  assert.equal(rightsOf('S0', lives.slice(1)), 100)
  assert.equal(rightsOf('S0', lives), 0)
})

test('RECEIVERS_MAX: nobody else is handed anything', () => {
  const servers = Array.from(
    { length: RECEIVERS_MAX + 2 },
    (_, index) => `S${String(index).padStart(4, '0')}`,
  )
  const [self = '', ...others] = servers
  const own = newRow({ ...OF, server: self, share: 1_000_000 })
  const rows = [own, ...others.map((server) => ({ ...newRow({ ...OF, server, share: 0 }), wants: 1 }))]
  const given = handOver(own, rows, { elapsed: 1, isReachable: () => true, turn: 'any' })
  assert.equal(given.handed.size, RECEIVERS_MAX)
})

test('who has spent nothing gives way to those who divide the budget otherwise and have spent', () => {
  const own = newRow({ ...OF, server: 'D', share: 25 })
  const servers = ['A', 'B', 'C', 'D']
  const other = newRow({ ...OF, server: 'A', share: 33 })
  assert.equal(giveWay(own, [own, other], servers, 100), own, 'nobody has spent')
  assert.equal(giveWay(own, [own, { ...other, used: 1 }], servers, 100).share, 0)
  assert.equal(giveWay(own, [own, { ...other, used: 1, share: 25 }], servers, 100), own, 'it divides alike')
  const spent = { ...own, used: 1 }
  assert.equal(giveWay(spent, [spent, { ...other, used: 1 }], servers, 100), spent)
})

test('a block is a hundredth of an equal share, and one call at least', () => {
  assert.deepEqual([1, 99, 100, 250, 100_000].map(blockOf), [1, 1, 1, 2, 1000])
})
