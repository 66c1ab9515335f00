/** The calls of a whole herd are bounded, whatever happens to its servers and links. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CANARY_KEY } from '../support/canary.ts'
import { GoogleStandIn } from '../support/google-stand-in.ts'
import { LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'
import { LiveProxy } from '../support/live-proxy.ts'
import { OverpassStandIn } from '../support/overpass-stand-in.ts'

const SERVERS = ['Alford', 'Ball', 'Welsh'] as const
const BUDGET = 60
const DAY_MS = 86_400_000
/** Longer than a test takes. */
const TEST_MS = 60_000

type ServerName = (typeof SERVERS)[number]

/** A herd in a chain, whose first link a test can cut, and who answers it. */
class BudgetedHerd {
  readonly herd: LiveHerd
  readonly google: GoogleStandIn
  readonly wires: readonly LiveProxy[]
  #asks = 0

  static async start(t: TestContext): Promise<BudgetedHerd> {
    await notAtMidnight()
    const google = await GoogleStandIn.start({ key: CANARY_KEY })
    t.after(() => google.close())
    const wires = [await LiveProxy.start(t), await LiveProxy.start(t)] as const
    const limits = { retriesMax: 0, callsPerSecondMax: 0, callsPerSecondPerAddressMax: 0 }
    const budget = { callsPerDayMax: BUDGET, callsPerMonthMax: 0 }
    const places = {
      providers: ['google-legacy'],
      google: { legacyBaseUrl: google.url, ...budget },
      limits,
    }
    const herd = await LiveHerd.start(t, {
      servers: SERVERS,
      links: [
        ['Alford', 'Ball'],
        ['Ball', 'Welsh'],
      ],
      routes: [
        { from: 'Alford', to: 'Ball', proxy: wires[0] },
        { from: 'Ball', to: 'Alford', proxy: wires[1] },
      ],
      settings: { places, link: { redialMsMin: 20, redialMsMax: 100 } },
      env: { GOOGLE_PLACES_API_KEY: CANARY_KEY },
    })
    const budgeted = new BudgetedHerd(herd, google, wires)
    await herd.linked()
    return budgeted
  }

  private constructor(herd: LiveHerd, google: GoogleStandIn, wires: readonly LiveProxy[]) {
    this.herd = herd
    this.google = google
    this.wires = wires
  }

  get calls(): number {
    return this.google.requests.length
  }

  /** Asks a server something that nobody has asked; how many of these asks went out as calls. */
  async ask(server: ServerName, asks: number): Promise<number> {
    const before = this.calls
    const client = await this.herd.connect(server)
    for (let ask = 0; ask < asks; ask++) {
      // Another place, so that nothing comes from the cache.
      const [latitude, longitude] = [10 + (this.#asks % 60), 100 + Math.floor(this.#asks / 60)]
      this.#asks++
      await client.ask(`IAMAT ${server}${this.#asks} +${latitude}.0+${longitude}.0 ${timeNow()}`)
      const { body } = await client.whatsat(`${server}${this.#asks}`)
      assert.ok(['OK', 'OVER_QUERY_LIMIT'].includes(body.status), body.status)
      assert.ok(this.calls <= BUDGET, `${this.calls} calls`)
    }
    return this.calls - before
  }
}

async function notAtMidnight(): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS)
  if (leftMs < TEST_MS) await sleep(leftMs + 1_000)
}

test('one server gets all asks, one is killed, links are cut: never more calls than the budget', async (t) => {
  const budgeted = await BudgetedHerd.start(t)
  const { herd, wires } = budgeted
  let all = await budgeted.ask('Alford', 5)
  assert.equal(all, 5)

  // More than its share of 20: the others hand over what they don't need.
  await waitUntil(async () => {
    all += await budgeted.ask('Alford', 5)
    return all >= 30
  }, 'Alford is handed more than its share')

  for (const wire of wires) wire.cut()
  await waitUntil(async () => {
    const { links } = await herd.status('Alford')
    return links.every(({ open }) => !open)
  }, 'Alford is alone')
  all += await budgeted.ask('Alford', 40)
  all += await budgeted.ask('Ball', 4)
  all += await budgeted.ask('Welsh', 4)
  await herd.restart('Welsh')
  all += await budgeted.ask('Welsh', 4)
  await herd.restart('Alford')
  assert.equal(await budgeted.ask('Alford', 10), 0, 'its rights were spent before it was killed')

  for (const wire of wires) wire.heal()
  await herd.linked()
  for (const server of SERVERS) all += await budgeted.ask(server, 70)
  assert.equal(all, budgeted.calls)
  // Each of the two that were killed may have lost a block, which is one call here.
  await waitUntil(async () => {
    for (const server of SERVERS) all += await budgeted.ask(server, 10)
    return all >= BUDGET - 2
  }, `all but two calls of ${BUDGET} are made`)
})

test('a restart in order loses nothing, and gives nothing', async (t) => {
  const budgeted = await BudgetedHerd.start(t)
  const { herd } = budgeted
  for (const wire of budgeted.wires) wire.cut()
  assert.equal(await budgeted.ask('Welsh', 7), 7)
  await herd.kill('Welsh', 'SIGTERM')
  const file = join(herd.folder, '.herd', 'places-budget', `${herd.name}.Welsh.json`)
  assert.match(await readFile(file, 'utf8'), /"google \d{4}-\d{2}-\d{2} Welsh [0-9a-f]+ 20 7 /)
  await herd.kill('Ball')
  await herd.startServer('Welsh')
  assert.equal(await budgeted.ask('Welsh', 30), 13)
})

test('each ring in which Overpass is asked is a call of the budget, by the name that the herd file gives', async (t) => {
  await notAtMidnight()
  const overpass = await OverpassStandIn.start(() => [])
  t.after(() => overpass.close())
  const userAgent = 'Example Couriers (ops@example.org)'
  const places = {
    providers: ['overpass', 'embedded'],
    userAgent,
    overpass: { baseUrl: overpass.url, callsPerDayMax: 3 },
  }
  const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { places } })
  const client = await herd.connect('Alford')
  await client.ask('IAMAT kiwi +34.068930-118.445127 1479413884.392014450')
  const { body } = await client.whatsat('kiwi', 50, 1)
  assert.equal(body.status, 'OK')
  assert.match(String(body.info_messages), /^overpass was not asked: .* used up \(callsPerDayMax\)/)
  assert.deepEqual(
    overpass.requests.map(({ headers }) => headers['user-agent']),
    [userAgent, userAgent, userAgent],
  )
  const { providers, budgets } = (await herd.status('Alford')).places ?? {}
  assert.deepEqual([providers?.[0]?.calls, providers?.[0]?.errors, providers?.[0]?.breaker], [3, 0, 'closed'])
  assert.deepEqual([budgets?.[0]?.provider, budgets?.[0]?.usedHere], ['overpass', 3])
})
