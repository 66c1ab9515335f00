/** A server of the old kind as a member: bare AT lines in and out, believed from its own address only. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CLASSIC_HOST, ClassicServer } from '../support/live-classic.ts'
import { QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, waitUntil } from '../support/live-herd.ts'

const OURS = ['Alford', 'Ball']
const LINKS = [
  ['Alford', 'Ball'],
  ['Alford', 'Old'],
] as const

test('it hears of every report in bare AT lines, and never a word of ours', async (t) => {
  const { herd, old } = await herdWithOld(t)
  const lines = [await herd.report('Alford', 'one'), await herd.report('Ball', 'two')]
  await waitUntil(() => lines.every((line) => old.received.includes(line)), 'it has heard both')
  // The link lasts through many silences without a ping.
  await waitUntil(async () => (await oldLink(herd)).forSeconds > 2, 'the link has been up for 2 s')
  const last = await herd.report('Ball', 'three')
  await waitUntil(() => old.received.includes(last), 'it has heard the third')
  assert.deepEqual(old.received.toSorted(), [...lines, last].toSorted())
})

test('when it comes back it hears everything that is known', async (t) => {
  const { herd, old } = await herdWithOld(t)
  const before = await herd.report('Ball', 'before')
  await waitUntil(() => old.received.includes(before), 'it has heard of it')
  old.stop()
  await waitUntil(async () => !(await oldLink(herd)).open, 'the link is lost')
  const meanwhile = await herd.report('Alford', 'meanwhile')
  old.received.length = 0
  await old.listen()
  await waitUntil(
    () => old.received.length === 2,
    () => `it has heard both again: ${old.received.join('; ')}`,
  )
  assert.deepEqual(old.received.toSorted(), [meanwhile, before].toSorted())
})

test('its AT lines are believed, and passed on byte for byte with single spaces', async (t) => {
  const { herd, old } = await herdWithOld(t)
  const said: readonly (readonly [string, string])[] = [
    ['AT Old +0.263873386 plain +34.068930-118.445127 1479413884.392014450', 'plain'],
    ['  AT\t\tOld \v+0.123456\f odd   +1-1\t1479413884.5 \t\r', 'odd'],
    ['AT Old +0.26387338637351990 many-digits +1-1 1479413884.39201445021', 'many-digits'],
    ['AT Old -3 whole +1-1 1479413884', 'whole'],
    ['AT Older +0.1 from-further-away +1-1 1479413884', 'from-further-away'],
  ]
  // A connection for each update, as some do it …
  for (const [line] of said.slice(0, 3)) {
    assert.equal(await herd.converse('Alford', `${line}\n`, { from: CLASSIC_HOST }), '')
  }
  // … or one that is kept.
  const kept = await herd.connect('Alford', { from: CLASSIC_HOST })
  for (const [line] of said.slice(3)) await kept.send(`${line}\n`)
  const lines = await herd.agree(
    OURS,
    said.map(([, client]) => client),
  )
  assert.deepEqual(
    lines,
    said.map(([line]) => line.trim().split(/\s+/).join(' ')),
  )

  // Not one was answered, and not one goes back to where it came from.
  const fence = await kept.ask('IAMAT fence +1+1 1479413884')
  assert.match(fence, /^AT Alford .* fence /)
  await waitUntil(() => old.received.includes(fence), 'it has heard of the fence')
  assert.deepEqual(old.received, [fence])
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'linkLinesIn'), said.length)
})

test('AT lines over the link that we dialed are believed too', async (t) => {
  const { herd, old } = await herdWithOld(t)
  const line = 'AT Old +0.1 kiwi +1-1 1479413884'
  old.say(line)
  assert.deepEqual(await herd.agree(OURS, ['kiwi']), [line])
})

test('the same line from any other address is an invalid command', async (t) => {
  const { herd } = await herdWithOld(t)
  const line = 'AT Old +0.1 forged +1-1 1479413884'
  for (const from of ['127.0.0.1', '127.0.0.3']) {
    assert.equal(await herd.converse('Alford', `${line}\n`, { from }), `? ${line}\n`)
  }
  // Nor does Ball believe it, which is no neighbor of Old.
  assert.equal(await herd.converse('Ball', `${line}\n`, { from: CLASSIC_HOST }), `? ${line}\n`)
  await herd.report('Ball', 'fence')
  await herd.agree(OURS, ['fence'])
  for (const name of OURS) assert.deepEqual(await herd.table(name, ['forged']), ['? WHATSAT forged 1 0'])
})

test('an older line, or one that is known, changes nothing and goes nowhere', async (t) => {
  const { herd } = await herdWithOld(t)
  const line = 'AT Old +0.1 kiwi +1-1 1479413884.5'
  await herd.converse('Alford', `${line}\n`, { from: CLASSIC_HOST })
  await herd.agree(OURS, ['kiwi'])
  const sent = await herd.count('Alford', 'linkLinesOut')
  await herd.converse('Alford', `${line}\nAT Old +0.2 kiwi +2-2 1479413884.4\n${line}\n`, {
    from: CLASSIC_HOST,
  })
  assert.deepEqual(await herd.agree(OURS, ['kiwi']), [line])
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'fixesNotNew'), 3)
  assert.equal(countOf(status, 'linkLinesOut'), sent)
})

test('question marks never go back and forth', async (t) => {
  const { herd, old } = await herdWithOld(t, { isRude: true })
  const client = await herd.connect('Alford', { from: CLASSIC_HOST })
  // What a server says that took ours for a client, and what it says wrongly: not answered.
  for (const line of [
    'AT',
    'AT Old +0.1 kiwi',
    'AT Old 0.1 kiwi +1-1 1',
    '?',
    '? AT Old',
    '? ? ? AT Old +0.1 kiwi',
  ]) {
    await client.send(`${line}\n`)
  }
  // What clients at its address say wrongly is.
  assert.equal(await client.ask('nonsense'), '? nonsense')
  assert.equal(await client.ask('?nonsense'), '? ?nonsense')
  assert.equal(await client.ask('ATTENTION'), '? ATTENTION')
  const lines: string[] = []
  for (let round = 0; round < 20; round++) lines.push(await herd.report('Alford', `c${round}`))
  await waitUntil(() => old.received.length >= 20, 'it has heard all')
  const last = await herd.report('Alford', 'last')
  await waitUntil(() => old.received.includes(last), 'it has heard the last')
  assert.deepEqual(old.received, [...lines, last])
  assert.equal(await herd.count('Alford', 'linkLinesBad'), 6)
})

test('serverNamesMax: names beyond it are refused, and what is known goes on', async (t) => {
  const { herd } = await herdWithOld(t, {}, { limits: { serverNamesMax: 4 } })
  // Alford itself is the first; Ball is named by its own reports.
  await herd.report('Ball', 'from-ball')
  await herd.agree(OURS, ['from-ball'])
  const names = ['Old', 'Elder', 'Eldest', 'Ancient']
  const lines = names.map((name) => `AT ${name} +0.1 of-${name} +1-1 1479413884\n`)
  assert.equal(await herd.converse('Alford', lines.join(''), { from: CLASSIC_HOST }), '')
  await herd.agree(['Alford'], ['of-Old', 'of-Elder', 'from-ball'])
  assert.deepEqual(await herd.table('Alford', ['of-Eldest', 'of-Ancient']), [
    '? WHATSAT of-Eldest 1 0',
    '? WHATSAT of-Ancient 1 0',
  ])
  assert.equal(await herd.count('Alford', 'serverNamesFull'), 2)
  const moved = 'AT Elder +0.1 of-Elder +2-2 1479413885'
  await herd.converse('Alford', `${moved}\n`, { from: CLASSIC_HOST })
  assert.deepEqual(await herd.agree(['Alford'], ['of-Elder']), [moved])
})

async function herdWithOld(
  t: TestContext,
  options: { readonly isRude?: boolean } = {},
  settings: Readonly<Record<string, object>> = {},
): Promise<{ readonly herd: LiveHerd; readonly old: ClassicServer }> {
  const old = await ClassicServer.start(t, options)
  const herd = await LiveHerd.start(t, {
    servers: OURS,
    links: LINKS,
    classics: { Old: { host: CLASSIC_HOST, port: old.port } },
    settings: { link: QUICK_LINK, ...settings },
  })
  await herd.linked()
  await waitUntil(async () => (await oldLink(herd)).open, 'Alford has a link to Old')
  return { herd, old }
}

async function oldLink(herd: LiveHerd): Promise<{ readonly open: boolean; readonly forSeconds: number }> {
  const { links } = await herd.status('Alford')
  const link = links.find(({ neighbor }) => neighbor === 'Old')
  assert.ok(link !== undefined)
  return link
}
