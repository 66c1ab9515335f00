/**
 * What every way to report promises, whatever its protocol: one list of laws, and each way is held to each of them. Two servers are
 * linked; reports go to Alford, and what became of them is asked of both, by lines and by HTTP. Few herds serve them all: whatever is
 * reported has a client of its own.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { makeToken } from '../../src/gateways/access/tokens.ts'
import type { GatewayReport, Outcome, Reporter, Way } from './gateway-adapters.ts'
import { arrived, PAIR, stays } from './gateway-answers.ts'
import { LAWS, NOW } from './gateway-laws.ts'
import { chainOf, QUICK_LINK } from './live-graphs.ts'
import { countOf, LiveHerd, waitUntil } from './live-herd.ts'
import { setTokens } from './live-tokens.ts'

/** A law that holds for one way. */
type Law = (t: TestContext, way: Way, index: number) => Promise<void>

/** Holds every way to every law, against real servers. */
export function testGateways(ways: readonly Way[]): void {
  test('a report, by whichever way', (t) => alone(t, ways))
  test('a report with a token, without one, and with the wrong one', (t) => withTokens(t, ways))
  test('more reports than an address may send', (t) => tooFast(t, ways))
  test('a report into a table that is full', (t) => intoFullTable(t, ways))
  test('a report that a neighbor must hold, too', (t) => heldByNeighbor(t, ways))
}

async function alone(t: TestContext, ways: readonly Way[]): Promise<void> {
  const herd = await startPair(t)
  for (const [number, [what, law]] of Object.entries(LAWS).entries()) {
    await inTurn(t, ways, what, (t, way, index) =>
      law({ t, herd, way, clientOf: (name) => way.clientOf(`law${number}-${index}-${name}`) }),
    )
  }
}

async function withTokens(t: TestContext, ways: readonly Way[]): Promise<void> {
  const herd = await startPair(t)
  const [own, other, map] = [makeToken(), makeToken(), makeToken()]
  const rest = { other: { token: other, report: ['other*'] }, map: { token: map, read: ['*'] } }
  const early = new Map<Way, Reporter>()
  const open = new Map<Way, Reporter>()
  const connect = (way: Way, token?: string): Promise<Reporter> =>
    way.connect(t, { herd, server: 'Alford', token })
  // All may be reported with the right token.
  const reportOf = (way: Way, index: number, who: string): GatewayReport => {
    return { client: way.clientOf(`own-${index}-${who}`), lat: 1, lon: 2, seconds: NOW - 100 }
  }

  await inTurn(t, ways, 'needs no token before there are any', async (_t, way, index) => {
    const reporter = await connect(way)
    assert.equal(await reporter.report(reportOf(way, index, 'early')), 'kept')
    early.set(way, reporter)
  })
  await setTokens(herd, 'Alford', { own: { token: own, report: ['own*'] }, ...rest })
  await inTurn(t, ways, 'is kept with the right token only', async (_t, way, index) => {
    const strangers = {
      'was there before': [early.get(way), 'refused'],
      'shows none': [await connect(way), 'refused'],
      'shows a wrong one': [await connect(way, makeToken()), 'refused'],
      'shows that of another': [await connect(way, other), refusalOf(way)],
    } as const
    for (const [who, [reporter, said]] of Object.entries(strangers)) {
      const report = reportOf(way, index, who.replaceAll(' ', '-'))
      assert.equal(await reporter?.report(report), said, who)
    }
    const right = await connect(way, own)
    const report = reportOf(way, index, 'right')
    assert.equal(await right.report(report), 'kept')
    await arrived(herd, report, map)
    for (const who of Object.keys(strangers)) {
      await stays(herd, reportOf(way, index, who.replaceAll(' ', '-')).client, null, map)
    }
    open.set(way, right)
  })
  await setTokens(herd, 'Alford', rest)
  await inTurn(t, ways, 'is worth nothing once its token is removed', async (_t, way, index) => {
    const before = reportOf(way, index, 'right')
    const late = { ...before, lat: 50, seconds: NOW }
    for (const reporter of [open.get(way), await connect(way, own)]) {
      assert.equal(await reporter?.report(late), 'refused')
    }
    await stays(herd, before.client, before, map)
  })
}

async function tooFast(t: TestContext, ways: readonly Way[]): Promise<void> {
  const herd = await startPair(t, { limits: { fixesPerSecondPerAddressMax: 20 } })
  const held = async (): Promise<number> => {
    const status = await herd.status('Alford')
    return countOf(status, 'pausesForRate') + countOf(status, 'reportsRefusedForRate')
  }
  await inTurn(t, ways, 'is there if and only if it was acknowledged', async (t, way, index) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    const before = await held()
    for (let burst = 0; (await held()) === before; burst++) {
      const reports = Array.from({ length: 30 }, (_, number) => {
        return { client: way.clientOf(`fast${index}-${burst}-${number}`), lat: 1, lon: 2, seconds: NOW }
      })
      const outcomes = await Promise.all(reports.map((report) => reporter.report(report)))
      if (way.tooFast === 'waits') assert.ok(!outcomes.includes('refused'), outcomes.join())
      for (const [number, report] of reports.entries()) {
        if (outcomes[number] === 'kept') await arrived(herd, report)
        else await stays(herd, report.client, null)
      }
    }
    await reporter.close()
  })
}

async function intoFullTable(t: TestContext, ways: readonly Way[]): Promise<void> {
  const herd = await startPair(t, { limits: { clientsMax: ways.length } })
  const known = (way: Way, index: number, seconds: number): GatewayReport => {
    return { client: way.clientOf(`known${index}`), lat: 1, lon: 2, seconds }
  }
  await inTurn(t, ways, 'is kept while there is room', async (t, way, index) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    assert.equal(await reporter.report(known(way, index, NOW - 9)), 'kept')
    await arrived(herd, known(way, index, NOW - 9))
  })
  await inTurn(t, ways, 'is refused when there is none, and who is there moves on', async (t, way, index) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    const before = await herd.count('Alford', 'tableFull')
    const isTriedAgain = async (): Promise<boolean> => (await herd.count('Alford', 'tableFull')) > before + 1
    const oneMore = { ...known(way, index, NOW), client: way.clientOf(`one-more${index}`) }
    await isNotKept(way, reporter.report(oneMore), isTriedAgain)
    await reporter.close()
    const again = await way.connect(t, { herd, server: 'Alford' })
    assert.equal(await again.report(known(way, index, NOW)), 'kept')
    await arrived(herd, known(way, index, NOW))
    await stays(herd, oneMore.client, null)
  })
  for (const [index, way] of ways.entries()) await arrived(herd, known(way, index, NOW))
}

async function heldByNeighbor(t: TestContext, ways: readonly Way[]): Promise<void> {
  const herd = await startPair(t, { ack: 'peers:1', limits: { ackMsMax: 2000 } })
  const connectAll = (): Promise<Reporter[]> =>
    Promise.all(ways.map((way) => way.connect(t, { herd, server: 'Alford' })))
  const acknowledged = ways.map(() => new Set<string>())

  await t.test('is there after its server was killed, if it was acknowledged', async () => {
    const reporters = await connectAll()
    const reporting = ways.map(async (way, index) => {
      for (let number = 0; ; number++) {
        const report = { client: way.clientOf(`killed${index}-${number}`), lat: 1, lon: 2, seconds: NOW }
        if ((await reporters[index]?.report(report)) !== 'kept') return
        acknowledged[index]?.add(report.client)
      }
    })
    const counts = (): string => ways.map(({ name }, index) => `${name} ${acknowledged[index]?.size}`).join()
    await waitUntil(
      () => acknowledged.every(({ size }) => size > 10),
      () => `all were answered: ${counts()}`,
    )
    await herd.kill('Alford')
    await Promise.all(reporters.map((reporter) => reporter.close()))
    await Promise.all(reporting)
    for (const [index, { name }] of ways.entries()) {
      const table = await herd.table('Ball', [...(acknowledged[index] ?? [])])
      const lost = table.filter((line) => !line.startsWith('AT '))
      assert.deepEqual(lost, [], name)
    }
  })

  await herd.startServer('Alford')
  await herd.linked()
  await herd.kill('Ball')
  const reportOf = (way: Way, index: number): GatewayReport => {
    return { client: way.clientOf(`alone${index}`), lat: 1, lon: 2, seconds: NOW }
  }
  const reporters = await connectAll()
  // All at once: each waits for as long as the server does.
  const outcomes = new Map(
    ways.map((way, index) => [way, reporters[index]?.report(reportOf(way, index))] as const),
  )
  const isTriedAgain = async (): Promise<boolean> => (await herd.count('Alford', 'acksLate')) > ways.length
  await inTurn(t, ways, 'is not acknowledged while there is none', (_t, way) =>
    isNotKept(way, outcomes.get(way), isTriedAgain),
  )
  await herd.startServer('Ball')
  await herd.linked()
  await inTurn(t, ways, 'is acknowledged and there once the neighbor is back', async (t, way, index) => {
    const again = await way.connect(t, { herd, server: 'Alford' })
    const outcome = way.triesAgain ? outcomes.get(way) : again.report(reportOf(way, index))
    assert.equal(await outcome, 'kept')
    await arrived(herd, reportOf(way, index))
  })
}

/** Holds one way after the other to a law. */
async function inTurn(t: TestContext, ways: readonly Way[], what: string, law: Law): Promise<void> {
  for (const [index, way] of ways.entries()) await t.test(`${way.name}: ${what}`, (t) => law(t, way, index))
}

async function startPair(
  t: TestContext,
  settings: Readonly<Record<string, object | string>> = {},
): Promise<LiveHerd> {
  const herd = await LiveHerd.start(t, {
    ...{ servers: PAIR, links: chainOf(PAIR) },
    settings: { link: QUICK_LINK, logs: { level: 'events' }, ...settings },
  })
  await herd.linked()
  return herd
}

/** What a way says to a report that is wrong for good. */
function refusalOf({ canRefuse }: Way): Outcome {
  return canRefuse ? 'refused' : 'kept'
}

/** A report was not acknowledged; one that tries again by itself waits still when it has done so. */
async function isNotKept(
  { triesAgain }: Way,
  report: Promise<Outcome> | undefined,
  isTriedAgain: () => Promise<boolean>,
): Promise<void> {
  const became: (Outcome | undefined)[] = []
  const settled = Promise.resolve(report).then((outcome) => became.push(outcome))
  if (triesAgain) await waitUntil(isTriedAgain, 'it is tried again')
  else await settled
  assert.deepEqual(became, triesAgain ? [] : ['refused'])
}
