import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FakeWorld } from '../../../test/support/google-stand-in.ts'
import { OutputBuffer } from '../../protocol/index.ts'
import { BUDGET_LOOK_MS, type BudgetLimits, HerdBudget } from './herd-budget.ts'

const DAY_MS = 86_400_000
/** A world whose wall clock can be set. */
class ClockWorld extends FakeWorld {
  offsetMs = 0
  override wallMs(): number {
    return super.wallMs() + this.offsetMs
  }
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'herd-budget-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Servers that hear of each other when a test says so. */
class BudgetHerd {
  readonly world = new ClockWorld()
  readonly troubles: string[] = []
  readonly limits: Record<string, BudgetLimits>
  readonly #folder: string
  readonly #names: readonly string[]
  readonly #shared: readonly string[]
  readonly #servers = new Map<string, HerdBudget>()
  /** One of each direction of each two: opened once, as a link is. */
  #links: { from: string; pull: () => string[]; hear: (text: string) => void }[] = []

  constructor(
    folder: string,
    names: readonly string[],
    limits: BudgetLimits,
    shared: readonly string[] = names,
  ) {
    this.#folder = folder
    this.#names = names
    this.limits = { google: limits }
    this.#shared = shared
    for (const name of names) this.start(name)
  }

  file(name: string): string {
    return join(this.#folder, 'places-budget', `${name}.json`)
  }

  /** As after a crash, if it ran. */
  start(name: string): HerdBudget {
    const server = new HerdBudget({
      ...{
        server: name,
        servers: this.#shared,
        limits: this.limits,
        file: this.file(name),
        world: this.world,
      },
      isReachable: () => true,
      onTrouble: (text) => this.troubles.push(text),
    })
    this.#servers.set(name, server)
    this.#links = []
    return server
  }

  at(name: string): HerdBudget {
    const server = this.#servers.get(name)
    assert.ok(server !== undefined)
    return server
  }

  /** Lets these hear all of each other, until nobody says anything any more. */
  connect(names: readonly string[] = this.#names): void {
    if (this.#links.length === 0) this.#link()
    for (let lines = 1; lines > 0; ) {
      lines = 0
      for (const link of this.#links) {
        if (!names.includes(link.from)) continue
        for (const row of link.pull()) {
          lines++
          link.hear(row)
        }
      }
      this.world.advance(0)
    }
  }

  /** Takes calls until one is refused or there are enough. */
  take(name: string, calls = 1_000_000): number {
    const budget = this.at(name).of('google')
    for (let taken = 0; taken < calls; taken++) if (budget.take() !== 'granted') return taken
    return calls
  }

  #link(): void {
    for (const from of this.#names) {
      for (const to of this.#names) {
        if (from === to) continue
        const [out, into] = [this.at(from).flood.openFor(), this.at(to).flood.openFor()]
        const pull = (): string[] => {
          const output = new OutputBuffer()
          out.pull(output)
          const lines = output.take().toString('latin1').split('\n').slice(0, -1)
          return lines.map((line) => line.slice('HERD 2 budget '.length))
        }
        this.#links.push({ from, pull, hear: (text) => into.hear(text) })
      }
    }
  }
}

const PER_DAY = { callsPerDayMax: 100, callsPerMonthMax: 0 }

test('each server spends its share alone; all of it, and no more', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A', 'B', 'C'], PER_DAY)
  assert.deepEqual([herd.take('A'), herd.take('B'), herd.take('C')], [34, 33, 33])
  herd.connect()
  assert.equal(herd.at('A').of('google').take(), 'callsPerDayMax')
  assert.deepEqual(herd.at('B').status, [
    {
      provider: 'google',
      per: 'day',
      period: '2026-11-20',
      budget: 100,
      usedHere: 33,
      usedByHerd: 100,
      leftHere: 0,
    },
  ])
})

test('one that is asked more than the others spends what they don’t need', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A', 'B', 'C'], PER_DAY)
  let taken = 0
  for (let idle = 0; idle < 3; ) {
    const some = herd.take('A', 5)
    taken += some
    idle = some === 0 ? idle + 1 : 0
    herd.connect()
    herd.world.advance(BUDGET_LOOK_MS)
    herd.connect()
  }
  assert.equal(taken, 100)
  assert.equal(herd.take('B') + herd.take('C'), 0)
})

test('one that joined has no share, and is handed some when it is asked', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A', 'B', 'J'], PER_DAY, ['A', 'B'])
  assert.equal(herd.take('J'), 0)
  herd.connect()
  assert.equal(herd.take('J'), 13)
  assert.equal(herd.take('A') + herd.take('B'), 87)
})

test('google and google-legacy spend from one budget; who has no limit is always granted', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A'], { callsPerDayMax: 2, callsPerMonthMax: 0 })
  const server = herd.at('A')
  const names = ['google', 'google-legacy', 'google', 'embedded', 'google-legacy']
  assert.deepEqual(
    names.map((name) => server.of(name).take()),
    ['granted', 'granted', 'callsPerDayMax', 'granted', 'callsPerDayMax'],
  )
})

test('a call that one limit forbids costs nothing of the other', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A'], { callsPerDayMax: 2, callsPerMonthMax: 3 })
  const take = (): string => herd.at('A').of('google').take()
  assert.deepEqual([take(), take(), take()], ['granted', 'granted', 'callsPerDayMax'])
  herd.world.advance(DAY_MS)
  assert.deepEqual([take(), take()], ['granted', 'callsPerMonthMax'])
  herd.world.advance(11 * DAY_MS)
  assert.deepEqual([take(), take(), take()], ['granted', 'granted', 'callsPerDayMax'])
  assert.deepEqual(
    herd.at('A').status.map(({ period, usedHere, leftHere }) => [period, usedHere, leftHere]),
    [
      ['2026-12-02', 2, 0],
      ['2026-12', 2, 1],
    ],
  )
})

test('a crash gives nothing back, and loses a block at most', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A'], { callsPerDayMax: 1000, callsPerMonthMax: 0 })
  assert.equal(herd.take('A', 15), 15)
  herd.start('A')
  assert.equal(herd.take('A'), 980, 'of the second block of ten, five are lost')
})

test('a stop in order loses nothing, and what it left is spent once', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A'], { callsPerDayMax: 1000, callsPerMonthMax: 0 })
  assert.equal(herd.take('A', 15), 15)
  herd.at('A').close()
  herd.start('A')
  assert.equal(herd.take('A', 3), 3)
  herd.start('A')
  assert.equal(herd.take('A'), 980, 'the crash has lost the two that were left of that block')
})

test('one that has spent nothing leaves the file alone when it ends: another may have it', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A'], { callsPerDayMax: 1000, callsPerMonthMax: 0 })
  herd.take('A', 15)
  herd.at('A').close()
  const first = herd.start('A')
  const second = herd.start('A')
  const budget = first.of('google')
  for (let calls = 0; calls < 5; calls++) assert.equal(budget.take(), 'granted')
  second.close()
  herd.start('A')
  assert.equal(herd.take('A'), 980)
})

test('who loses its file learns from the others what it has spent', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A', 'B'], PER_DAY)
  assert.equal(herd.take('A', 30), 30)
  herd.connect()
  rmSync(herd.file('A'))
  herd.start('A')
  herd.connect()
  assert.equal(herd.take('A'), 20)
})

test('a clock that is set back gives no second budget, and one set far ahead costs none', (t) => {
  const herd = new BudgetHerd(folderFor(t), ['A'], { callsPerDayMax: 10, callsPerMonthMax: 0 })
  assert.equal(herd.take('A', 6), 6)
  herd.world.offsetMs = 30 * 365 * DAY_MS
  assert.equal(herd.take('A', 1), 1)
  herd.world.offsetMs = 0
  herd.start('A')
  assert.equal(herd.take('A'), 4)
  for (const day of [1, 2, 3]) {
    herd.world.offsetMs = day * DAY_MS
    assert.equal(herd.take('A'), 10)
  }
  herd.world.offsetMs = 0
  assert.equal(herd.take('A'), 0)
  herd.start('A')
  assert.equal(herd.take('A'), 0)
})

test('when the file can’t be written, that is said once, and the share is counted in memory', (t) => {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'places-budget'), 'a file where a folder should be')
  const herd = new BudgetHerd(folder, ['A', 'B'], PER_DAY)
  assert.equal(herd.take('A'), 50)
  assert.equal(herd.troubles.filter((text) => text.includes('A.json')).length, 1)
  assert.match(herd.troubles[0] ?? '', /can't be read \(ENOTDIR\)/)
  rmSync(join(folder, 'places-budget'))
  herd.world.advance(DAY_MS)
  assert.equal(herd.take('A', 1), 1)
  assert.match(herd.troubles.at(-1) ?? '', /written again/)
})
