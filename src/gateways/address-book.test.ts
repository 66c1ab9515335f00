import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { AddressBook } from './address-book.ts'

/** What the book should do if memory were free: it forgets nobody. */
class NaiveBook {
  readonly #rate: number
  readonly #open: string[] = []
  readonly #allowances = new Map<string, { value: number; filledMs: number }>()

  constructor(rate: number) {
    this.#rate = rate
  }

  get connections(): number {
    return this.#open.length
  }

  of(address: string): number {
    return this.#open.filter((open) => open === address).length
  }

  enter(address: string): void {
    this.#open.push(address)
  }

  leave(address: string): void {
    this.#open.splice(this.#open.indexOf(address), 1)
  }

  /** How many fixes the address may report now. */
  allowance(address: string, nowMs: number): { value: number } {
    const last = this.#allowances.get(address) ?? { value: this.#rate, filledMs: nowMs }
    const value = Math.min(this.#rate, last.value + ((nowMs - last.filledMs) / 1000) * this.#rate)
    const filled = { value, filledMs: nowMs }
    this.#allowances.set(address, filled)
    return filled
  }
}

const step = fc.tuple(
  fc.constantFrom('enter', 'enter', 'leave', 'fix', 'fix', 'fix'),
  fc.constantFrom('::1', '127.0.0.1', '10.0.0.1'),
  fc.constantFrom(0, 0, 1, 10, 300, 999, 1000, 1001, 5000),
)

test('connections and allowances are those of a book that forgets nobody', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(0, 1, 3, 50), (steps, rate) => {
      const limits = { connectionsMax: 5, connectionsPerAddressMax: 3, fixesPerSecondPerAddressMax: rate }
      const book = new AddressBook(limits)
      const naive = new NaiveBook(rate)
      let nowMs = 1_000_000
      for (const [what, address, passedMs] of steps) {
        nowMs += passedMs
        if (what === 'enter') {
          const isWelcome = naive.connections < 5 && naive.of(address) < 3
          assert.equal(book.enter(address, nowMs) === null, isWelcome)
          if (isWelcome) naive.enter(address)
        } else if (naive.of(address) > 0 && what === 'leave') {
          book.leave(address, nowMs)
          naive.leave(address)
        } else if (naive.of(address) > 0) {
          const allowance = naive.allowance(address, nowMs)
          const isAllowed = rate === 0 || allowance.value >= 1
          assert.equal(book.fixWaitMs(address, nowMs) === 0, isAllowed)
          if (isAllowed) book.spendFix(address)
          if (isAllowed) allowance.value--
        }
        assert.equal(book.connections, naive.connections)
      }
    }),
    runs(1500),
  )
})

test('whoever comes back after a while is counted like anyone else', () => {
  const book = new AddressBook({
    connectionsMax: 2,
    connectionsPerAddressMax: 1,
    fixesPerSecondPerAddressMax: 10,
  })
  for (let visit = 0; visit < 5; visit++) {
    assert.equal(book.enter('::1', visit * 5000), null)
    assert.match(book.enter('::1', visit * 5000) ?? '', /connectionsPerAddressMax \(1\)/)
    book.leave('::1', visit * 5000 + 1)
    assert.equal(book.connections, 0)
  }
  assert.equal(book.enter('a', 90_000), null)
  assert.equal(book.enter('b', 90_000), null)
  assert.match(book.enter('c', 90_000) ?? '', /connectionsMax \(2\)/)
})

test('coming back at once brings no new allowance', () => {
  const book = new AddressBook({
    connectionsMax: 2,
    connectionsPerAddressMax: 2,
    fixesPerSecondPerAddressMax: 2,
  })
  book.enter('::1', 0)
  for (let fix = 0; fix < 2; fix++) {
    assert.equal(book.fixWaitMs('::1', 0), 0)
    book.spendFix('::1')
  }
  book.leave('::1', 10)
  book.enter('::1', 20)
  assert.equal(book.fixWaitMs('::1', 20), 480)
  assert.equal(book.fixWaitMs('::1', 500), 0)
})

test('after the wait it names, an address may report', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(200), (rate, spent) => {
      const book = new AddressBook({
        connectionsMax: 1,
        connectionsPerAddressMax: 1,
        fixesPerSecondPerAddressMax: rate,
      })
      book.enter('::1', 0)
      for (let fix = 0; fix < spent && book.fixWaitMs('::1', 0) === 0; fix++) book.spendFix('::1')
      const waitMs = book.fixWaitMs('::1', 0)
      assert.ok(waitMs >= 0 && waitMs <= 1000)
      // A rounding error may leave a hair of an allowance to wait for, not more.
      assert.ok(book.fixWaitMs('::1', waitMs) <= 1)
    }),
    runs(300),
  )
})
