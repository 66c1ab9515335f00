import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectedGraph } from '../../test/support/graph-generators.ts'
import { MemoryHerd } from '../../test/support/memory-herd.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from '../protocol/index.ts'
import {
  MEMBER_LINE_BYTES_MAX,
  MEMBER_LINKS_MAX,
  type Member,
  Members,
  makeTellsMembers,
  REBUTTALS_MAX,
  readMember,
  writeMember,
} from './members.ts'

const NAMES = ['Alford', 'Ball', 'Hamilton', 'Holiday', 'Welsh']
const name = fc.constantFrom(...NAMES)
const row: fc.Arbitrary<Member> = fc.record(
  {
    name,
    host: fc.constantFrom('0.0.0.0', '127.0.0.1', '10.0.0.5', '::', '::1', 'fe80::1%eth0', 'alford.example'),
    port: fc.integer({ min: 1, max: 65_535 }),
    version: fc.nat(5),
    state: fc.constantFrom('up', 'left'),
    links: fc.uniqueArray(name),
    run: fc.constantFrom('-', 'a0', 'b1'),
  },
  { noNullPrototype: true },
)

function membersOf(self: string, max = 100, version = 100): Members {
  return new Members({ name: self, host: '127.0.0.1', port: 1, version, run: 'cc' }, max)
}

/** A row with some parts given. */
function rowOf(parts: Partial<Member> & Pick<Member, 'name'>): Member {
  return { host: '10.0.0.5', port: 12_000, version: 1, state: 'up', links: [], run: 'aa', ...parts }
}

function hear(members: Members, rows: readonly Member[]): void {
  const link = makeTellsMembers()
  for (const each of rows) members.hear(writeMember(each), link)
}

/** What it says to a link that has been told nothing. */
function said(members: Members, link = makeTellsMembers()): string[] {
  const output = new OutputBuffer()
  members.pull(link, output)
  return output.take().toString('latin1').split('\n').slice(0, -1)
}

/** Members that see each other over links that both say are open. */
function seeing(self: string, edges: readonly (readonly [string, string])[]): Members {
  const members = membersOf(self)
  const linksOf = (one: string): string[] =>
    edges.flatMap((edge) => (edge.includes(one) ? edge.filter((other) => other !== one) : []))
  members.announce({ links: linksOf(self) })
  hear(
    members,
    NAMES.filter((other) => other !== self).map((other) => rowOf({ name: other, links: linksOf(other) })),
  )
  return members
}

test('a row reads as it was written', () => {
  fc.assert(
    fc.property(row, (each) => assert.deepEqual(readMember(writeMember(each)), each)),
    runs(200),
  )
})

test('fields behind those that we know are a later version’s; one of an earlier has no run', () => {
  const each = rowOf({ name: 'Ball', links: ['Alford'] })
  assert.deepEqual(readMember(`${writeMember(each)} color=red more`), each)
  assert.deepEqual(readMember('Ball 10.0.0.5 12000 1 up Alford'), { ...each, run: '-' })
})

test('what is no row is not taken', () => {
  const good = 'Ball 10.0.0.5 12000 1 up Alford aa'
  assert.notEqual(readMember(good), null)
  const bad = [
    '',
    'Ball',
    '9Ball 10.0.0.5 12000 1 up - aa',
    'Ball 10.0.0.5/8 12000 1 up - aa',
    'Ball 10.0.0.5 port 1 up - aa',
    'Ball 10.0.0.5 120000 1 up - aa',
    'Ball 10.0.0.5 12000 -1 up - aa',
    'Ball 10.0.0.5 12000 1234567890123456 up - aa',
    'Ball 10.0.0.5 12000 1 away - aa',
    'Ball 10.0.0.5 12000 1 up Alford,,Welsh aa',
    'Ball 10.0.0.5 12000 1 up Al\u0000ford aa',
    'Ball 10.0.0.5 12000 1 up - run',
    `Ball 10.0.0.5 12000 1 up ${Array(MEMBER_LINKS_MAX + 1)
      .fill('A')
      .join(',')} aa`,
  ]
  const members = membersOf('Alford')
  for (const text of bad) {
    assert.equal(readMember(text), null, text)
    assert.equal(members.hear(text, makeTellsMembers()), false)
  }
  assert.equal(members.rows.length, 1)
})

test('MEMBER_LINKS_MAX: a server says no more links, and its line has room in a link', () => {
  const members = membersOf('Alford')
  const links = Array.from(
    { length: MEMBER_LINKS_MAX + 5 },
    (_, index) => `${'x'.repeat(59)}${10_000 + index}`,
  )
  members.announce({ links })
  const [line = ''] = said(members)
  assert.equal(readMember(line.slice('HERD 2 member '.length))?.links.length, MEMBER_LINKS_MAX)
  assert.ok(line.length > MEMBER_LINKS_MAX * 60 && line.length < MEMBER_LINE_BYTES_MAX)
})

test('whatever comes in whatever order, however often: all end with the same rows', () => {
  const history = fc.array(row, { maxLength: 20 })
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.nat()), (rows, order) => {
      const others = rows.filter((each) => each.name !== 'Alford')
      const [one, other] = [membersOf('Alford'), membersOf('Alford')]
      hear(one, others)
      const shuffled = others
        .flatMap((each) => [each, each])
        .map((each) => [order.next().value ?? 0, each] as const)
        .toSorted(([a], [b]) => a - b)
      hear(
        other,
        shuffled.map(([, each]) => each),
      )
      assert.deepEqual(one.rows, other.rows)
    }),
    runs(200),
  )
})

test('rows flood: in any connected herd all hear of all, and of a change, and then say no more', () => {
  fc.assert(
    fc.property(connectedGraph, ({ names, edges }) => {
      const herd = new MemoryHerd(names, edges)
      herd.upAll()
      herd.settle()
      const table = (server: (typeof herd.servers)[number]) => server.session.members.rows
      for (const server of herd.servers) assert.deepEqual(table(server), table(herd.server(0)))
      assert.equal(table(herd.server(0)).length, names.length)
      herd.server(names.length - 1).session.members.announce({ state: 'left' })
      herd.settle()
      for (const server of herd.servers) {
        assert.equal(server.session.members.get(names.at(-1) ?? '')?.state, 'left')
      }
    }),
    runs(40),
  )
})

test('what a link has told is not told to it again, and is told to the others', () => {
  const members = membersOf('Alford')
  const [from, to] = [makeTellsMembers(), makeTellsMembers()]
  said(members, from)
  said(members, to)
  const text = writeMember(rowOf({ name: 'Ball' }))
  assert.equal(members.hear(text, from), true)
  assert.equal(members.hear(text, from), false)
  assert.equal(members.owes(to), true)
  assert.deepEqual(said(members, from), [])
  assert.deepEqual(said(members, to), [`HERD 2 member ${text}`])
  assert.equal(members.owes(to), false)
})

test('a row of an earlier life: the server goes beyond it', () => {
  const members = membersOf('Alford', 100, 5)
  assert.equal(members.hear(writeMember(rowOf({ name: 'Alford', version: 4 })), makeTellsMembers()), false)
  assert.equal(members.get('Alford')?.version, 5)
  const left = rowOf({ name: 'Alford', version: 900, state: 'left', run: 'bb' })
  assert.equal(members.hear(writeMember(left), makeTellsMembers()), true)
  const { version, state, host } = members.get('Alford') ?? {}
  assert.deepEqual([version, state, host], [901, 'up', '127.0.0.1'])
  assert.equal(members.hasTwin, false)
})

test('REBUTTALS_MAX: two servers of one name don’t go beyond each other for ever, and know it', () => {
  const [one, other] = [
    new Members({ name: 'Alford', host: '10.0.0.1', port: 1, version: 1, run: 'a1' }, 10),
    new Members({ name: 'Alford', host: '10.0.0.2', port: 1, version: 1, run: 'a2' }, 10),
  ]
  const [there, back] = [makeTellsMembers(), makeTellsMembers()]
  one.announce({})
  let lines = 0
  for (let quiet = false; !quiet; ) {
    const [out, home] = [said(one, there), said(other, back)]
    for (const line of out) other.hear(line.slice('HERD 2 member '.length), back)
    for (const line of home) one.hear(line.slice('HERD 2 member '.length), there)
    quiet = out.length + home.length === 0
    lines += out.length + home.length
    assert.ok(lines < 10 * REBUTTALS_MAX)
  }
  assert.ok(one.hasTwin || other.hasTwin)
})

test('limits.serverNamesMax: one more takes the place of a server that left, or is not taken', () => {
  const members = membersOf('Alford', 3)
  hear(members, [rowOf({ name: 'Ball' }), rowOf({ name: 'Welsh' }), rowOf({ name: 'Holiday' })])
  assert.deepEqual(
    members.rows.map((each) => each.name),
    ['Alford', 'Ball', 'Welsh'],
  )
  hear(members, [rowOf({ name: 'Ball', version: 2, state: 'left' }), rowOf({ name: 'Holiday' })])
  assert.deepEqual(
    members.rows.map((each) => each.name),
    ['Alford', 'Holiday', 'Welsh'],
  )
})

test('reachable: over links that both ends say are open, whatever the parts', () => {
  const ring = [
    ['Alford', 'Ball'],
    ['Ball', 'Hamilton'],
    ['Hamilton', 'Holiday'],
    ['Holiday', 'Welsh'],
    ['Welsh', 'Alford'],
  ] as const
  assert.deepEqual(seeing('Alford', ring).reachable(), new Set(NAMES))
  const cut = ring.filter((_, index) => index !== 1 && index !== 3)
  for (const self of ['Alford', 'Ball', 'Welsh']) {
    assert.deepEqual(seeing(self, cut).reachable(), new Set(['Alford', 'Ball', 'Welsh']), self)
  }
  for (const self of ['Hamilton', 'Holiday']) {
    assert.deepEqual(seeing(self, cut).reachable(), new Set(['Hamilton', 'Holiday']), self)
  }
  assert.deepEqual(seeing('Alford', []).reachable(), new Set(['Alford']))
})

test('reachable: not over a link that one end says, nor through one that left; a classic neighbor by our word alone', () => {
  const members = membersOf('Alford')
  members.announce({ links: ['Ball', 'Old'] })
  hear(members, [rowOf({ name: 'Ball', links: ['Welsh'] }), rowOf({ name: 'Welsh', links: ['Ball'] })])
  assert.deepEqual(members.reachable(), new Set(['Alford', 'Old']))
  hear(members, [rowOf({ name: 'Ball', version: 2, links: ['Alford', 'Welsh', 'Ancient'] })])
  assert.deepEqual(members.reachable(), new Set(['Alford', 'Ball', 'Welsh', 'Old']))
  hear(members, [rowOf({ name: 'Ball', version: 3, state: 'left', links: ['Alford', 'Welsh'] })])
  assert.deepEqual(members.reachable(), new Set(['Alford', 'Old']))
})

test('a server that listens on all addresses is where its neighbor sees it, for all others too', () => {
  const members = membersOf('Alford')
  const link = makeTellsMembers({ name: 'Ball', address: '::ffff:10.0.0.7' })
  for (const host of ['0.0.0.0', '::', '127.0.0.1']) {
    members.hear(writeMember(rowOf({ name: 'Ball', host, version: members.changes + 1 })), link)
    assert.equal(members.get('Ball')?.host, '10.0.0.7', host)
  }
  // What it says of others is not about where it is itself.
  members.hear(writeMember(rowOf({ name: 'Welsh', host: '0.0.0.0' })), link)
  assert.equal(members.get('Welsh')?.host, '0.0.0.0')
  const far = makeTellsMembers()
  assert.ok(said(members, far).some((line) => line.includes('Ball 10.0.0.7 ')))
  // And a neighbor that says it listens there is left with its word.
  members.hear(writeMember(rowOf({ name: 'Ball', host: '10.9.9.9', version: 99 })), link)
  assert.equal(members.get('Ball')?.host, '10.9.9.9')
})

test('a name is taken while another run has it elsewhere, within reach', () => {
  const members = membersOf('Alford')
  members.announce({ links: ['Ball'] })
  const ball = rowOf({ name: 'Ball', links: ['Alford'] })
  hear(members, [ball])
  const elsewhere = { host: '10.0.0.9', port: 12_000 }
  assert.deepEqual(members.holderOf('Ball', 'bb', elsewhere), ball)
  assert.equal(members.holderOf('Ball', 'aa', elsewhere), null, 'the same run')
  assert.equal(members.holderOf('Ball', 'bb', { host: '10.0.0.5', port: 12_000 }), null, 'it started again')
  assert.equal(members.holderOf('Ball', 'bb', { host: '0.0.0.0', port: 12_000 }), null, 'so it may have here')
  assert.notEqual(members.holderOf('Ball', 'bb', { host: '0.0.0.0', port: 12_001 }), null)
  assert.equal(members.holderOf('Welsh', 'bb', elsewhere), null, 'nobody has it')
  hear(members, [{ ...ball, version: 2, links: [] }])
  assert.equal(members.holderOf('Ball', 'bb', elsewhere), null, 'it is gone')
})

test('one that is gone can be given up, until it says otherwise', () => {
  const members = membersOf('Alford')
  members.announce({ links: ['Ball'] })
  hear(members, [rowOf({ name: 'Ball', links: ['Alford'] }), rowOf({ name: 'Welsh', links: [] })])
  assert.equal(members.giveUp('Ball'), false)
  assert.equal(members.giveUp('Nobody'), false)
  assert.equal(members.giveUp('Alford'), false)
  assert.equal(members.giveUp('Welsh'), true)
  assert.equal(members.get('Welsh')?.state, 'left')
  hear(members, [rowOf({ name: 'Welsh', version: 3 })])
  assert.equal(members.get('Welsh')?.state, 'up')
})
