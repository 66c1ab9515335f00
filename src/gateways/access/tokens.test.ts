import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import {
  CLIENT_PATTERN,
  checkedTokens,
  hashOf,
  makeToken,
  TOKEN_LENGTH_MAX,
  TOKEN_PREFIX,
  TokenBook,
  type TokenEntry,
  TokensInvalid,
} from './tokens.ts'

function entry(token: string, more: Partial<TokenEntry> = {}): TokenEntry {
  return { name: token, sha256: hashOf(token), report: ['*'], read: ['*'], ...more }
}

function bookOf(...entries: readonly TokenEntry[]): TokenBook {
  const book = new TokenBook()
  book.replace(entries)
  return book
}

const id = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', 'é', '💡'), minLength: 1, maxLength: 6 })
const pattern = fc.oneof(
  id,
  id.map((beginning) => `${beginning}*`),
  fc.constant('*'),
)

test('a token is for the IDs that a pattern names, begins or leaves open, and for no others', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 5 }),
      fc.array(pattern, { maxLength: 5 }),
      id,
      (report, read, client) => {
        const grant = bookOf(entry('x', { report, read })).find('x')
        assert.ok(grant !== null)
        const naive = (patterns: readonly string[]): boolean =>
          patterns.some((text) =>
            text.endsWith('*') ? client.slice(0, text.length - 1) === text.slice(0, -1) : client === text,
          )
        assert.equal(grant.mayReport(client), naive(report))
        assert.equal(grant.mayRead(client), naive(read))
        assert.equal(grant.reportsAll, report.includes('*'))
        assert.equal(grant.readsAll, read.includes('*'))
      },
    ),
    runs(1000),
  )
})

test('an ID that is no UTF-8 is meant by its beginning, and never by the same characters', () => {
  const grant = bookOf(entry('x', { report: ['anna/*', 'b'] })).find('x')
  const odd = Buffer.from([0x61, 0x6e, 0x6e, 0x61, 0x2f, 0xff]).toString('utf8')
  assert.ok(grant?.mayReport(odd))
  assert.ok(!grant?.mayReport(Buffer.from([0x62, 0xff]).toString('utf8')))
  assert.doesNotMatch(odd, CLIENT_PATTERN)
})

test('tokens are long, random, and known for what they are', () => {
  const made = new Set(Array.from({ length: 100 }, makeToken))
  assert.equal(made.size, 100)
  for (const token of made) assert.match(token, /^herd_[A-Za-z0-9_-]{43}$/)
  assert.ok(TOKEN_PREFIX.length < TOKEN_LENGTH_MAX)
})

test('a book finds what is in it, and nothing else, whatever it is shown', () => {
  const book = bookOf(entry('one'), entry('two'))
  assert.equal(book.find('one')?.name, 'one')
  assert.equal(book.find('two')?.name, 'two')
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (text !== 'one' && text !== 'two') assert.equal(book.find(text), null)
    }),
  )
  const long = 'x'.repeat(TOKEN_LENGTH_MAX)
  const books = bookOf(entry(long), entry(`${long}x`))
  assert.equal(books.find(long)?.name, long)
  assert.equal(books.find(`${long}x`), null)
})

test('the same entry stays the same grant; another, or none, revokes it, and it allows nothing more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(fc.nat(3), fc.constantFrom('*', 'a', 'b*')), { maxLength: 4 }), {
        maxLength: 6,
      }),
      (files) => {
        const book = new TokenBook()
        const given = new Map<
          string,
          { readonly text: string; readonly grant: NonNullable<ReturnType<TokenBook['find']>> }
        >()
        let told = 0
        let revoked = 0
        for (const file of files) {
          const entries = [...new Map(file).entries()].map(([who, read]) =>
            entry(`t${who}`, { read: [read] }),
          )
          book.replace(entries)
          for (const [token, { text, grant }] of given) {
            const now = entries.find(({ name }) => name === token)
            const stays = now !== undefined && JSON.stringify(now) === text
            assert.equal(grant.isRevoked, !stays)
            if (stays) assert.equal(book.find(token), grant)
            else {
              revoked++
              given.delete(token)
              assert.ok(!grant.mayRead('a') && !grant.mayReport('a') && !grant.readsAll && !grant.reportsAll)
            }
          }
          assert.equal(told, revoked)
          for (const now of entries) {
            const grant = book.find(now.name)
            assert.ok(grant !== null && !grant.isRevoked)
            if (given.has(now.name)) continue
            given.set(now.name, { text: JSON.stringify(now), grant })
            grant.whenRevoked(() => told++)
            grant.whenRevoked(() => assert.fail('taken back'))()
          }
        }
      },
    ),
    runs(500),
  )
})

test('who asks a revoked grant to be told is told all the same, after it has asked', async () => {
  const book = bookOf(entry('x'))
  const grant = book.find('x')
  book.replace([])
  let told = 0
  grant?.whenRevoked(() => told++)
  assert.equal(told, 0)
  await Promise.resolve()
  assert.equal(told, 1)
})

test('a file of tokens holds whole tokens, each name and each token once', () => {
  const good = entry('a')
  assert.deepEqual(checkedTokens({ tokens: [good] }), [good])
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [null, /a token has name, sha256, report and read/],
    [{}, /tokens/],
    [{ tokens: [{ ...good, sha256: 'A'.repeat(64) }] }, /\/tokens\/0\/sha256/],
    [{ tokens: [{ ...good, name: 'a b' }] }, /\/tokens\/0\/name/],
    [{ tokens: [{ ...good, read: ['a*b'] }] }, /\/tokens\/0\/read\/0/],
    [{ tokens: [{ ...good, read: [''] }] }, /\/tokens\/0\/read\/0/],
    [{ tokens: [{ ...good, more: 1 }] }, /\/tokens\/0/],
    [{ tokens: [good, entry('b', { name: 'a' })] }, /two tokens called a/],
    [{ tokens: [good, { ...good, name: 'b' }] }, /the token of b is that of another, too/],
  ]
  for (const [content, message] of wrong) {
    assert.throws(
      () => checkedTokens(content),
      (error) => error instanceof TokensInvalid && message.test(error.message),
    )
  }
})
