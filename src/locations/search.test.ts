import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FixWriter } from '../../test/support/fix-writer.ts'
import { TEST_KEY, WIDE_LIMITS } from '../../test/support/fixes.ts'
import { ellipsoidMetres } from './distance.ts'
import { Grid } from './grid.ts'
import { type Circle, LiveTable, makeBox, type Query, ServerNames } from './index.ts'
import { Search, TURN_LOOKS_MAX } from './search.ts'
import { StoredFixes } from './stored-fixes.ts'

function makeNames(): ServerNames {
  const names = new ServerNames(1)
  names.indexOf(Buffer.from('Alford'), 0, 6)
  return names
}

/** Counts what a search reads. */
class CountingFixes extends StoredFixes {
  looks = 0
  reads = 0
  ids = 0

  /** The first thing that a search asks of a record in use. */
  override isBefore(record: number, time: { seconds: number; nanoseconds: number }): boolean {
    this.looks++
    return super.isBefore(record, time)
  }

  /** Read once for each record that is judged, and once more where its exact distance is computed. */
  override longitude(record: number): number {
    this.reads++
    return super.longitude(record)
  }

  override id(record: number): Buffer {
    this.ids++
    return super.id(record)
  }
}

type Costs = Pick<CountingFixes, 'looks' | 'reads' | 'ids'>

/** Clients to search among, with what each turn of a search costs. */
class Crowd {
  readonly fixes = new CountingFixes(1 << 28, makeNames())
  readonly #grid = new Grid(this.fixes.records, 7)
  readonly #writer = new FixWriter()

  /** Degrees. */
  add(latitude: number, longitude: number, { seconds = 100, client = this.fixes.records.end } = {}): void {
    const fix = this.#writer.write({
      client,
      latitude: Math.round(latitude * 1e6),
      longitude: Math.round(longitude * 1e6),
      seconds,
    })
    this.#grid.add(this.fixes.add(fix), fix.position.latitude, fix.position.longitude)
  }

  /** Searches for those no older than 50 seconds. @returns the costs of its turns. */
  search(area: Query['area'], items: number): { found: readonly number[]; turns: Costs[] } {
    const query = { area, items, since: null, except: -1 }
    const search = new Search(this.fixes, this.#grid, query, { seconds: 50, nanoseconds: 0 })
    const turns: Costs[] = []
    for (let isDone = false; !isDone; ) {
      Object.assign(this.fixes, { looks: 0, reads: 0, ids: 0 })
      isDone = search.step()
      const { looks, reads, ids } = this.fixes
      turns.push({ looks, reads, ids })
    }
    const looks = turns.reduce((sum, turn) => sum + turn.looks, 0)
    assert.ok(search.looks >= looks, `${search.looks} for ${looks} looks`)
    return { found: search.found, turns }
  }
}

/** How far away the records are from the middle, in metres; then their IDs. */
function byDistance(fixes: StoredFixes): (a: number, b: number) => number {
  const metres = (record: number): number =>
    ellipsoidMetres(0, 0, fixes.latitude(record), fixes.longitude(record))
  return (a, b) => metres(a) - metres(b) || Buffer.compare(fixes.id(a), fixes.id(b))
}

function numbers(end: number): number[] {
  return Array.from({ length: end }, (_, number) => number)
}

function circle(radiusMetres: number): Circle {
  return { kind: 'circle', center: { latitude: 0, longitude: 0 }, radiusMetres }
}

test('no turn looks at more than TURN_LOOKS_MAX, however many circles a search draws', () => {
  const crowd = new Crowd()
  // Nobody is left but 19, among so many that are too old: each circle looks at these again.
  for (let client = 0; client < TURN_LOOKS_MAX - 1000; client++) {
    crowd.add((client % 100) * 1e-5, Math.floor(client / 100) * 1e-5, { seconds: 1 })
  }
  for (let client = 0; client < 19; client++) crowd.add(0, client * 1e-5)
  const { found, turns } = crowd.search(circle(2e7), 20)
  assert.deepEqual(
    found,
    numbers(19).map((client) => TURN_LOOKS_MAX - 1000 + client),
  )
  for (const { looks } of turns) assert.ok(looks <= TURN_LOOKS_MAX, `${looks} looks`)
})

test('a turn computes few exact distances, also where many clients are about equally far', () => {
  const crowd = new Crowd()
  for (let client = 0; client < TURN_LOOKS_MAX - 1000; client++) {
    const angle = (client / (TURN_LOOKS_MAX - 1000)) * 2 * Math.PI
    crowd.add(0.4483 * Math.sin(angle), 0.4483 * Math.cos(angle))
  }
  const { found, turns } = crowd.search(circle(49_900), 100)
  const order = byDistance(crowd.fixes)
  assert.deepEqual(found, numbers(crowd.fixes.records.end).toSorted(order).slice(0, 100))
  for (const { looks, reads } of turns) {
    const exacts = reads - looks
    assert.ok(exacts <= TURN_LOOKS_MAX / 10, `${exacts} exact distances`)
  }
})

test('a turn compares few IDs, also in a crowd at one place', () => {
  for (const area of [circle(1000), makeBox({ latitude: 0, longitude: 0 }, { latitude: 1, longitude: 1 })]) {
    const crowd = new Crowd()
    // In no order, as far as IDs go: 7919 is prime.
    const clients = numbers(3 * TURN_LOOKS_MAX).map((place) => (place * 7919) % (3 * TURN_LOOKS_MAX))
    for (const client of clients) crowd.add(0, 0, { client })
    const { found, turns } = crowd.search(area, 20)
    assert.deepEqual(
      found,
      numbers(20).map((client) => clients.indexOf(client)),
    )
    for (const { ids } of turns) assert.ok(ids <= 4 * TURN_LOOKS_MAX, `${ids} IDs`)
  }
})

test('a million clients at one spot are searched in few turns', () => {
  const table = new LiveTable(WIDE_LIMITS, makeNames(), TEST_KEY)
  const writer = new FixWriter()
  // Backwards, so that the first by ID come last.
  for (let client = 999_999; client >= 0; client--) {
    table.apply(writer.write({ client, latitude: 34_068_930, longitude: -118_445_127, seconds: 1 }))
  }
  const here = { latitude: 34.068_93, longitude: -118.445_127 }
  const turnsMax = (2 * 1_000_000) / TURN_LOOKS_MAX + 3
  for (const [area, items] of [
    [{ kind: 'circle', center: here, radiusMetres: 50_000 }, 20],
    [makeBox({ latitude: 34, longitude: -119 }, { latitude: 35, longitude: -118 }), 100],
  ] as const) {
    const search = table.search({ area, items, since: null, except: 999_999 })
    let turns = 1
    while (!search.step()) turns++
    assert.ok(turns > 1 && turns <= turnsMax, `${turns} turns`)
    // Without the one who asks, who is the first of all.
    assert.deepEqual(
      search.found,
      numbers(items).map((place) => 999_998 - place),
    )
  }
})
