/** Who is somewhere: every form, over real wires, at another server than the one that was told. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, waitUntil } from '../support/live-herd.ts'
import { clientsOf } from '../support/whosat.ts'

const TIME = '1479413884.392014450'
const SERVERS = ['Alford', 'Ball']
const LINKS = [['Alford', 'Ball']] as const
/** More than a turn of a search looks at. */
const CROWD = 21_000

/** A square of two degrees around +1+1. */
const SQUARE = '{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}'
/** A triangle there and one on both sides of ±180°. */
const TRIANGLES =
  '{"type":"MultiPolygon","coordinates":[[[[0,0],[2,0],[2,2],[0,0]]],[[[179,-1],[181,-1],[180,1],[179,-1]]]]}'

const PLACES: readonly (readonly [string, string])[] = [
  ['kiwi', '+1+1'],
  ['emu', '+1.01+1'],
  ['moa', '+1.02+1'],
  ['corner', '+2+2'],
  ['fiji', '-0.5-179.9'],
  ['west', '-0.5+179.9'],
]

test('each form is answered by any server, in the words of the one that was told', async (t) => {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS, settings: { link: QUICK_LINK } })
  const clients = PLACES.map(([client]) => client)
  const lines = PLACES.map(([client, position]) => `IAMAT ${client} ${position} ${TIME}\n`)
  const told = (await herd.converse('Alford', lines.join(''))).trimEnd().split('\n')
  await herd.agree(SERVERS, clients)
  const answer = (...names: string[]): string =>
    `${names.map((name) => `${told[clients.indexOf(name)]}\n`).join('')}\n`
  const asked: readonly (readonly [string, string])[] = [
    ['WHOSAT kiwi 5 20', answer('emu', 'moa')],
    ['WHOSAT kiwi 5 *', answer('emu', 'moa')],
    ['WHOSAT kiwi 5 1 99999999999', answer('emu')],
    ['WHOSAT kiwi 5 20 60', answer()],
    ['WHOSAT NEAR +1.011+1 5 *', answer('emu', 'moa', 'kiwi')],
    ['WHOSAT NEAR +1.011+1 5 2', answer('emu', 'moa')],
    ['WHOSAT NEAR +1.011+1 5 2 60', answer()],
    ['WHOSAT IN +1+1 +1.01+1 *', answer('emu', 'kiwi')],
    ['WHOSAT IN -1+179 +0-179 20', answer('fiji', 'west')],
    ['WHOSAT IN -1+179 +0-179 1 99999999999', answer('fiji')],
    [`WHOSAT IN ${SQUARE} *`, answer('corner', 'emu', 'kiwi', 'moa')],
    [`WHOSAT IN ${TRIANGLES} *`, answer('corner', 'fiji', 'kiwi', 'west')],
    [`WHOSAT IN ${TRIANGLES} 2 99999999999`, answer('corner', 'fiji')],
    ['WHOSAT IN -90-180 +90+180 0', answer()],
    ['WHOSAT nobody 5 *', '? WHOSAT nobody 5 *\n'],
    ['WHOSAT IN +2+2 +1+3 *', '? WHOSAT IN +2+2 +1+3 *\n'],
    ['WHOSAT IN {"type":"Polygon"} *', '? WHOSAT IN {"type":"Polygon"} *\n'],
    ['WHOSAT NEAR +1+1 51 *', '? WHOSAT NEAR +1+1 51 *\n'],
  ]
  const questions = asked.map(([line]) => `${line}\n`).join('')
  const answers = asked.map(([, reply]) => reply).join('')
  for (const server of SERVERS) assert.equal(await herd.converse(server, questions), answers)
  // However it is cut.
  const chopped = await herd.connect('Ball')
  for (let at = 0; at < questions.length; at += 7) await chopped.send(questions.slice(at, at + 7))
  chopped.halfClose()
  assert.equal(await chopped.rest(), answers)
})

test('a long search is answered in its turn, before the reports behind it', async (t) => {
  const herd = await crowdedHerd(t)
  const client = await herd.connect('Ball')
  const forms = [`IN ${SQUARE}`, 'IN +0+0 +2+2', 'NEAR +1+1 50']
  const commands = forms.map(
    (form, index) => `WHOSAT ${form} 20\nIAMAT after-${index} -30+100 ${TIME}\nodd ${index}\n`,
  )
  await client.send(commands.join(''))
  client.halfClose()
  const first = Array.from({ length: 20 }, (_, index) => crowdName(index))
  const replies = (await client.rest()).split('\n')
  for (const index of forms.keys()) {
    assert.deepEqual(clientsOf(`${replies.splice(0, 21).join('\n')}\n`), first)
    assert.match(replies.shift() ?? '', new RegExp(`^AT Ball .* after-${index} `))
    assert.equal(replies.shift(), `? odd ${index}`)
  }
  assert.deepEqual(replies, [''])
  assert.equal(await herd.count('Ball', 'searchesLong'), 3)
})

test('pendingWhatsatsMax: a connection with so many long searches is read no further, and all are answered', async (t) => {
  const herd = await crowdedHerd(t, { pendingWhatsatsMax: 2 })
  const count = 6
  const client = await herd.connect('Ball')
  const commands = Array.from({ length: count }, (_, index) => `WHOSAT IN ${SQUARE} ${index}\nodd ${index}\n`)
  await client.send(commands.join(''))
  client.halfClose()
  const replies = (await client.rest()).split('\n')
  for (let index = 0; index < count; index++) {
    assert.equal(clientsOf(`${replies.splice(0, index + 1).join('\n')}\n`)?.length, index)
    assert.equal(replies.shift(), `? odd ${index}`)
  }
  const status = await herd.status('Ball')
  // One for nobody needs no search.
  assert.equal(countOf(status, 'searchesLong'), count - 1)
  assert.ok(countOf(status, 'pausesForWhatsats') >= 1)
})

test('others are answered while long searches go on, and who leaves in the middle of one harms nobody', async (t) => {
  const herd = await crowdedHerd(t)
  const asking = Array.from({ length: 8 }, async (_, index) => {
    const client = await herd.connect('Ball')
    await client.send(`WHOSAT IN ${SQUARE} 20\n`.repeat(16))
    if (index % 2 === 0) client.socket.resetAndDestroy()
    else {
      client.halfClose()
      assert.equal((await client.rest()).split('\n').length - 1, 16 * 21)
    }
  })
  const other = await herd.connect('Ball')
  for (let round = 0; round < 20; round++)
    assert.match(await other.ask(`IAMAT other +50+50 ${TIME}`), /^AT Ball /)
  await Promise.all(asking)
  await waitUntil(async () => (await herd.status('Ball')).connections <= 3, 'only we are connected')
  assert.match(await other.ask(`IAMAT other +50+50 ${TIME}`), /^AT Ball /)
})

test('whosatItemsMax: so many are answered to a *, and one more is refused with a word on it', async (t) => {
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { limits: { whosatItemsMax: 30 } } })
  const report = (count: number): string =>
    Array.from({ length: count }, (_, index) => `IAMAT ${crowdName(index)} +1+1 ${TIME}\n`).join('')
  await herd.converse('Alford', report(30))
  const all = Array.from({ length: 30 }, (_, index) => crowdName(index))
  const forms = ['NEAR +1+1 1', 'IN +0+0 +2+2', `IN ${SQUARE}`]
  for (const form of forms)
    assert.deepEqual(clientsOf(await herd.converse('Alford', `WHOSAT ${form} *\n`)), all)
  await herd.converse('Alford', report(31))
  for (const form of forms) {
    assert.equal(
      await herd.converse('Alford', `WHOSAT ${form} *\n`),
      '? more than 30 are there: ask for a smaller area, or for some (limits.whosatItemsMax)\n',
    )
    assert.deepEqual(clientsOf(await herd.converse('Alford', `WHOSAT ${form} 20\n`)), all.slice(0, 20))
  }
  assert.deepEqual(clientsOf(await herd.converse('Alford', `WHOSAT ${crowdName(30)} 1 *\n`)), all)
})

function crowdName(index: number): string {
  return `c${String(index).padStart(5, '0')}`
}

/** Two servers that know a crowd at one place, all reported to the first. */
async function crowdedHerd(t: TestContext, limits: object = {}): Promise<LiveHerd> {
  const herd = await LiveHerd.start(t, {
    servers: SERVERS,
    links: LINKS,
    settings: { link: QUICK_LINK, limits, logs: { level: 'events' } },
  })
  const lines = Array.from({ length: CROWD }, (_, index) => `IAMAT ${crowdName(index)} +1+1 ${TIME}\n`)
  await herd.converse('Alford', lines.join(''))
  await waitUntil(async () => (await herd.status('Ball')).clients === CROWD, 'Ball knows the crowd')
  return herd
}
