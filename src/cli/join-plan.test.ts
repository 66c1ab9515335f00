import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHerd } from '../config.ts'
import type { HerdStatus, MemberStatus } from '../replication/status.ts'
import { chooseNeighbors, joinFileText, joinObjection } from './join-plan.ts'

const ASKED = { host: '127.0.0.1', port: 1 }
const HERE = { name: 'Newton', host: '127.0.0.1', port: 9 }

function member(name: string, links: readonly string[], parts: Partial<MemberStatus> = {}): MemberStatus {
  const port = name.charCodeAt(0)
  return {
    name,
    host: '127.0.0.1',
    port,
    version: 1,
    state: 'up',
    links,
    run: 'aa',
    reachable: true,
    ...parts,
  }
}

function herdOf(members: readonly MemberStatus[], parts: Partial<HerdStatus> = {}): HerdStatus {
  return {
    ...{ herd: 'ucla', server: 'Alford', forgetAfterSeconds: null, encryption: 'psk' },
    settings: { link: { silenceMsMax: 4000 }, limits: { lineBytesMax: 70_000 } },
    ...{ joined: [], joinedMax: 2, members: [member('Alford', ['Ball']), ...members], ...parts },
  }
}

function namesOf(herd: HerdStatus, count: number, asked = ASKED): string[] {
  return chooseNeighbors(herd, 'Newton', asked, count).map(({ name }) => name)
}

test('the server that was asked, and those with the fewest links; equal ones by name', () => {
  const herd = herdOf([member('Ball', ['A', 'B']), member('Welsh', ['A']), member('Holiday', ['A'])])
  assert.deepEqual(namesOf(herd, 1), ['Alford'])
  assert.deepEqual(namesOf(herd, 2), ['Alford', 'Holiday'])
  assert.deepEqual(namesOf(herd, 9), ['Alford', 'Holiday', 'Welsh', 'Ball'])
  const [first] = chooseNeighbors(herd, 'Newton', { host: 'seen.from.here', port: 7 }, 1)
  assert.deepEqual(first, { name: 'Alford', host: 'seen.from.here', port: 7 })
})

test('who joins again keeps the neighbors that it has', () => {
  const herd = herdOf([member('Ball', ['A', 'B', 'Newton']), member('Welsh', []), member('Newton', ['Ball'])])
  assert.deepEqual(namesOf(herd, 2), ['Alford', 'Ball'])
})

test('nobody who is gone, has left, or is nowhere to be dialed from here', () => {
  const herd = herdOf([
    member('Ball', [], { reachable: false }),
    member('Holiday', [], { state: 'left' }),
    member('Welsh', [], { host: '0.0.0.0' }),
    member('Hamilton', []),
  ])
  assert.deepEqual(namesOf(herd, 5), ['Alford', 'Hamilton'])
  assert.deepEqual(namesOf(herd, 5, { host: '10.0.0.1', port: 1 }), ['Alford'])
})

test('a name that somebody else has is refused; its own, at its place, isn’t', () => {
  const taken = herdOf([member('Newton', [], { port: 8 })])
  assert.match(
    joinObjection(taken, 'Newton', HERE) ?? '',
    /^the name Newton is taken: a server at 127.0.0.1:8 has/,
  )
  assert.equal(joinObjection(taken, 'Newton', { ...HERE, port: 8 }), null)
  assert.equal(joinObjection(herdOf([member('Newton', [], { reachable: false })]), 'Newton', HERE), null)
  assert.match(joinObjection(taken, 'Alford', HERE) ?? '', /^Alford is the name of the server that was asked/)
})

test('link.joinedMax: whoever is in already may come again', () => {
  const full = herdOf([], { joined: ['A', 'B'] })
  assert.match(
    joinObjection(full, 'Newton', HERE) ?? '',
    /^2 servers have joined Alford already \(link\.joinedMax\)/,
  )
  assert.equal(joinObjection(herdOf([], { joined: ['A', 'Newton'] }), 'Newton', HERE), null)
  assert.match(joinObjection(herdOf([], { joinedMax: 0 }), 'Newton', HERE) ?? '', /^nobody may join Alford/)
  assert.match(
    joinObjection(herdOf([], { encryption: 'certificates' }), 'Newton', HERE) ?? '',
    /have certificates/,
  )
})

test('the herd file holds what the server needs, and is valid', () => {
  const neighbors = [
    { name: 'Alford', ...ASKED },
    { name: 'Ball', host: '::1', port: 2 },
  ]
  const folders = { stateFolder: '/state', secretFile: '/keys/ucla.secret' }
  const text = joinFileText(herdOf([], { forgetAfterSeconds: 7200 }), HERE, neighbors, folders)
  assert.match(text, /^# .*herd start Newton --herd /)
  const reading = readHerd(text, { file: '/state/joined/ucla/Newton.yaml', cwd: '/elsewhere', env: {} })
  assert.ok(reading.ok)
  const { config } = reading
  assert.equal(config.name, 'ucla')
  assert.deepEqual([config.stateFolder, config.secretFile], ['/state', '/keys/ucla.secret'])
  assert.deepEqual(
    [config.forgetAfterSeconds, config.link.silenceMsMax, config.limits.lineBytesMax],
    [7200, 4000, 70_000],
  )
  const [self, ...others] = config.servers
  assert.deepEqual(self, { ...HERE, alsoPorts: [], classic: false, neighbors: ['Alford', 'Ball'] })
  assert.deepEqual(
    others.map(({ neighbors: theirs }) => theirs),
    [['Newton'], ['Newton']],
  )
})
