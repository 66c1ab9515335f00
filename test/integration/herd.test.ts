/** A herd of real processes that all stay up: what one server hears all say, and no line travels in vain. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toClassicJson } from '../../src/places/json-text.ts'
import { chainOf, meshOf, UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { countOf, LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'

test('what is reported at any server, every server says in the same words', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS })
  await herd.linked()
  const clients = UCLA.map((name) => `client-of-${name}`)
  const lines = await Promise.all(UCLA.map((name) => herd.report(name, `client-of-${name}`)))
  assert.deepEqual(await herd.agree(UCLA, clients), lines)
  for (const [index, name] of UCLA.entries()) assert.match(lines[index] ?? '', new RegExp(`^AT ${name} [+]`))
})

test('the exercise: kiwi reports to Alford, and Holiday knows five real places around it', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS })
  const alford = await herd.connect('Alford')
  const copied = 'kiwi.cs.ucla.edu +34.068930-118.445127 1479413884.392014450'
  const at = await alford.ask(`IAMAT ${copied}`)
  assert.match(at, /^AT Alford \+\d+\.\d{9} kiwi\.cs\.ucla\.edu /)
  assert.ok(at.endsWith(` ${copied}`), at)
  await herd.agree(UCLA, ['kiwi.cs.ucla.edu'])

  const reply = await herd.converse('Holiday', 'WHATSAT kiwi.cs.ucla.edu 10 5\n')
  assert.equal(reply.slice(0, at.length + 1), `${at}\n`)
  const json = Buffer.from(reply.slice(at.length + 1), 'latin1').toString('utf8')
  assert.match(json, /[^\n]\n\n$/)
  assert.doesNotMatch(json.slice(0, -2), /\n\n/)
  const body = JSON.parse(json)
  assert.equal(body.status, 'OK')
  assert.equal(body.results.length, 5)
  assert.equal(toClassicJson(body), json.trimEnd())
  for (const place of body.results) {
    assert.ok(place.name.length > 0)
    assert.ok(Math.abs(place.geometry.location.lat - 34.06893) < 0.1)
    assert.ok(Math.abs(place.geometry.location.lng + 118.445127) < 0.12)
  }
})

test('the same client reports at two servers in the same instant: all agree on one of the two', async (t) => {
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS })
  await herd.linked()
  const alford = await herd.connect('Alford')
  const ball = await herd.connect('Ball')
  const said = new Map<string, string[]>()
  for (let round = 0; round < 50; round++) {
    const client = `everywhere-${round}`
    const time = timeNow()
    const replies = await Promise.all([
      alford.ask(`IAMAT ${client} +10-20 ${time}`),
      ball.ask(`IAMAT ${client} -30+40 ${time}`),
    ])
    said.set(client, replies)
  }
  const clients = [...said.keys()]
  const lines = await herd.agree(UCLA, clients)
  for (const [index, client] of clients.entries()) {
    assert.ok(said.get(client)?.includes(lines[index] ?? ''))
    // By the order of fixes: the same time, so the later name.
    assert.match(lines[index] ?? '', /^AT Ball /)
  }
})

test('an older report is answered, and changes nothing anywhere', async (t) => {
  const herd = await LiveHerd.start(t, {
    servers: ['Alford', 'Ball', 'Holiday'],
    links: chainOf(['Alford', 'Ball', 'Holiday']),
  })
  await herd.linked()
  const newer = await herd.report('Alford', 'runner', '+1+1', '1479413884.392014450')
  await herd.agree(['Alford', 'Ball', 'Holiday'], ['runner'])
  const older = await herd.report('Holiday', 'runner', '+2+2', '1479413884.392014449')
  assert.match(older, /^AT Holiday .* runner \+2\+2 1479413884\.392014449$/)
  // What Holiday hears later arrives later: once this is known, the older report would be too.
  await herd.report('Holiday', 'fence')
  const lines = await herd.agree(['Alford', 'Ball', 'Holiday'], ['runner', 'fence'])
  assert.equal(lines[0], newer)
  const status = await herd.status('Holiday')
  assert.equal(countOf(status, 'fixesNotNew'), 1)
  assert.equal(countOf(status, 'linkLinesOut'), 1)
})

test('a report of the same line twice is answered twice, and travels once', async (t) => {
  const servers = ['Alford', 'Ball']
  const herd = await LiveHerd.start(t, { servers, links: chainOf(servers) })
  await herd.linked()
  const time = timeNow()
  const first = await herd.report('Alford', 'twice', '+1+1', time)
  await herd.agree(servers, ['twice'])
  const second = await herd.report('Alford', 'twice', '+1+1', time)
  await herd.report('Alford', 'fence')
  const [known] = await herd.agree(servers, ['twice', 'fence'])
  // The second has a larger difference, so it is the newer of two fixes with the same time.
  assert.notEqual(first, second)
  assert.equal(known, second)
})

for (const [shape, links] of [
  ['ring', UCLA_LINKS],
  ['full mesh', meshOf(UCLA)],
  ['chain', chainOf(UCLA)],
] as const) {
  test(`a ${shape}: an update takes at most 2E−n+1 messages`, async (t) => {
    const herd = await LiveHerd.start(t, { servers: UCLA, links })
    await herd.linked()
    const before = await sentLines(herd)
    const clients: string[] = []
    for (let round = 0; round < 4; round++) {
      for (const name of UCLA) {
        clients.push(`c${round}-${name}`)
        await herd.report(name, `c${round}-${name}`)
      }
    }
    await herd.agree(UCLA, clients)
    await waitUntil(() => isQuiet(herd), 'nothing is owed on any link')
    const perUpdate = ((await sentLines(herd)) - before) / clients.length
    const bound = 2 * links.length - UCLA.length + 1
    assert.ok(perUpdate <= bound, `${perUpdate} messages per update, at most ${bound}`)
    assert.ok(perUpdate >= UCLA.length - 1, `${perUpdate} messages can't have reached everyone`)
  })
}

test('many clients at once reach every server, and each server says the same of every one', async (t) => {
  const settings = { logs: { level: 'events' } }
  const herd = await LiveHerd.start(t, { servers: UCLA, links: UCLA_LINKS, settings })
  const clients = Array.from({ length: 2000 }, (_, index) => `c${index}`)
  await Promise.all(
    UCLA.map((name, place) => {
      const mine = clients.filter((_, index) => index % UCLA.length === place)
      return herd.converse(name, mine.map((client) => `IAMAT ${client} +1.5-2.5 ${timeNow()}\n`).join(''))
    }),
  )
  await waitUntil(async () => {
    const statuses = await Promise.all(UCLA.map((name) => herd.status(name)))
    return statuses.every((status) => status.clients === clients.length)
  }, 'every server knows every client')
  await herd.agree(UCLA, clients)
})

async function sentLines(herd: LiveHerd): Promise<number> {
  const counts = await Promise.all(UCLA.map((name) => herd.count(name, 'linkLinesOut')))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function isQuiet(herd: LiveHerd): Promise<boolean> {
  const statuses = await Promise.all(UCLA.map((name) => herd.status(name)))
  return statuses.every(({ links }) => links.every((link) => link.queued === 0))
}
