/** forgetAfter: whoever says nothing for so long is forgotten, by every server and without a word between them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'

const SERVERS = ['Alford', 'Ball', 'Holiday']

test('who says nothing is forgotten by all, in every answer; who goes on reporting stays', async (t) => {
  const herd = await herdThatForgets(t, '2s')
  await reportUntilKnown(herd, 'Alford', 'silent')
  const talker = await herd.connect('Holiday')
  for (const name of SERVERS) {
    const isForgotten = async (): Promise<boolean> => {
      assert.match(await talker.ask(`IAMAT talker +34.068930-118.445127 ${timeNow()}`), /^AT Holiday /)
      const [silent, talking = ''] = await herd.table(name, ['silent', 'talker'])
      return silent === '? WHATSAT silent 1 0' && talking.startsWith('AT ')
    }
    await waitUntil(isForgotten, `${name} has forgotten it`)
    assert.equal(await herd.converse(name, 'WHOSAT silent 1 *\n'), '? WHOSAT silent 1 *\n')
    for (const form of ['NEAR +34.06893-118.445127 1', 'IN +34-119 +35-118']) {
      assert.doesNotMatch(await herd.converse(name, `WHOSAT ${form} *\n`), /silent/)
    }
  }
  // It may come back at any server, and is known everywhere again.
  await reportUntilKnown(herd, 'Ball', 'silent')
})

test('the sweep gives the room of the forgotten back, on every server', async (t) => {
  const herd = await herdThatForgets(t, '2s', { limits: { clientsMax: 500 } })
  const reportAll = (name: string, prefix: string): Promise<string> => {
    const lines = Array.from({ length: 500 }, (_, index) => `IAMAT ${prefix}${index} +1+1 ${timeNow()}\n`)
    return herd.converse(name, lines.join(''))
  }
  await waitUntil(async () => {
    await reportAll('Alford', 'first')
    return allHave(herd, 500)
  }, 'all know all')
  const full = '? the table is full: it takes 500 clients (limits.clientsMax); the report is not kept\n'
  assert.equal(await herd.converse('Ball', `IAMAT late +1+1 ${timeNow()}\n`), full)
  await waitUntil(() => allHave(herd, 0), 'all have swept')
  assert.match(await reportAll('Ball', 'second'), /^(?:AT Ball [^\n]+\n){500}$/)
  for (const name of SERVERS) {
    const status = await herd.status(name)
    assert.ok(countOf(status, 'clientsForgotten') >= 500)
    assert.equal(countOf(status, 'tableFull'), name === 'Ball' ? 1 : 0)
  }
})

test('a report that is too old is answered, not kept and not passed on', async (t) => {
  const herd = await herdThatForgets(t, '1h')
  const old = (Number(timeNow()) - 3601).toFixed(9)
  const reply = await herd.report('Alford', 'late', '+1+1', old)
  assert.match(reply, new RegExp(`^AT Alford [+]3601\\.\\d{9} late [+]1[+]1 ${old}$`))
  await herd.report('Alford', 'just', '+1+1', (Number(timeNow()) - 3500).toFixed(9))
  await herd.agree(SERVERS, ['just'])
  for (const name of SERVERS) assert.deepEqual(await herd.table(name, ['late']), ['? WHATSAT late 1 0'])
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'fixesTooOld'), 1)
  assert.equal(countOf(status, 'fixesNew'), 1)
  assert.equal(countOf(status, 'iamats'), 2)
  // Links that cross while they are made may carry a line twice; the late one is on none.
  for (const name of SERVERS.slice(1)) assert.equal(await herd.count(name, 'fixesTooOld'), 0)
})

function herdThatForgets(
  t: TestContext,
  forgetAfter: string,
  more: Readonly<Record<string, object>> = {},
): Promise<LiveHerd> {
  const settings = { link: QUICK_LINK, ...more, forgetAfter }
  return LiveHerd.start(t, { servers: SERVERS, links: chainOf(SERVERS), settings })
}

async function allHave(herd: LiveHerd, clients: number): Promise<boolean> {
  const statuses = await Promise.all(SERVERS.map((name) => herd.status(name)))
  return statuses.every((status) => status.clients === clients)
}

/** Reports again and again, so that nothing is forgotten before the last server has heard of it. */
async function reportUntilKnown(herd: LiveHerd, server: string, client: string): Promise<void> {
  await waitUntil(async () => {
    await herd.report(server, client)
    const tables = await Promise.all(SERVERS.map((name) => herd.table(name, [client])))
    return tables.every(([line = '']) => line.startsWith('AT '))
  }, `all know ${client}`)
}
