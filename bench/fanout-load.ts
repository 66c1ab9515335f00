/**
 * Many who watch one server, and one who reports to it: a process of its own, on a core of its own, so that there is one clock.
 * Prints what it counted as one line of JSON: memory for each watcher, and at each rate how long it took to tell them all.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FanDelays } from './load/fan-delays.ts'
import { FixReporters } from './load/fix-reporter.ts'
import { Pace } from './load/pace.ts'
import { watchForSilence } from './load/silence.ts'
import { Watcher, type WatchKind, type WatchPlan } from './load/watchers.ts'
import { readCpu, utilization } from './support/cpu-time.ts'
import { readSettledMemory } from './support/memory.ts'
import { LOOPBACK } from './support/ports.ts'

/** Longer than memory takes to settle, in which nobody says anything. */
const SILENCE_MS_MAX = 45_000
const READ_BYTES = 256 * 1024
/** Watchers that come at a time: less than what a server lets wait. */
const CONNECTING_MAX = 100
/** Of the first watchers and fixes that the code of the server is warmed with, so that it isn't counted as theirs. */
const FIRST_WATCHERS = 20
const FIRST_RATE = 50
const FIRST_SECONDS = 1
/** Of the fixes that warm up the telling of all. */
const WARM_RATE = 10
/** Connections that report in turn, so that none waits for the answer to another. */
const REPORTERS = 10
const BEAT_MS = 5000
const SETTLE_MS_MAX = 15_000

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    /** sse or socket */
    kind: { type: 'string', default: 'sse' },
    watchers: { type: 'string', default: '1000' },
    /** Fixes a second, one after the other. */
    rates: { type: 'string', default: '1,10,100' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    'server-pid': { type: 'string' },
  },
})
const serverPid = Number(values['server-pid'])

let number = 0
let delays = new FanDelays(0, 0)

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<object> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const kind: WatchKind = values.kind === 'socket' ? 'socket' : 'sse'
  const plan: WatchPlan = {
    host: LOOPBACK,
    port: Number(values.port),
    kind,
    readBuffer: Buffer.alloc(READ_BYTES),
    onFix: (fix) => delays.arrived(fix, performance.now()),
    fail,
  }
  const watchers: Watcher[] = []
  const reporter = new FixReporters(plan, REPORTERS)
  const beat = setInterval(() => {
    for (const watcher of watchers) watcher.beat()
  }, BEAT_MS)
  const silence = watchForSilence(() => reporter.answered + watchers.length, SILENCE_MS_MAX, fail)
  try {
    return await Promise.race([watchAndMeasure(plan, watchers, reporter), failed])
  } finally {
    clearInterval(silence)
    clearInterval(beat)
    reporter.close()
    for (const watcher of watchers) watcher.close()
  }
}

async function watchAndMeasure(
  plan: WatchPlan,
  watchers: Watcher[],
  reporter: FixReporters,
): Promise<object> {
  await come(plan, watchers, FIRST_WATCHERS)
  await measure(watchers.length, reporter, FIRST_RATE, FIRST_SECONDS)
  const residentBefore = await memoryOfServer()
  const count = Number(values.watchers)
  await come(plan, watchers, count)
  const residentAfter = await memoryOfServer()
  const rates = values.rates.split(',').map(Number)
  await measure(count, reporter, WARM_RATE, Number(values['warm-up-seconds']))
  const results: object[] = []
  for (const rate of rates) results.push(await measure(count, reporter, rate, Number(values.seconds)))
  const residentBusy = await memoryOfServer()
  return {
    watchers: count,
    counted: count - FIRST_WATCHERS,
    residentBefore,
    residentAfter,
    residentBusy,
    rates: results,
  }
}

async function come(plan: WatchPlan, watchers: Watcher[], count: number): Promise<void> {
  while (watchers.length < count) {
    const wave = Array.from(
      { length: Math.min(CONNECTING_MAX, count - watchers.length) },
      () => new Watcher(plan),
    )
    watchers.push(...wave)
    await Promise.all(wave.map(({ ready }) => ready))
  }
  // WebSockets ask to watch once they are open: what is asked on another connection now comes later.
  await sleep(200)
}

/** Reports at a rate, and waits until all were told of all. */
async function measure(
  watchers: number,
  reporter: FixReporters,
  rate: number,
  seconds: number,
): Promise<object> {
  const mine = new FanDelays(watchers, number)
  delays = mine
  const serverBefore = readCpu(serverPid)
  const loadBefore = readCpu(process.pid)
  const pace = new Pace(1, 1000 / rate)
  const startMs = performance.now()
  // At least a few, however low the rate.
  const fixes = Math.max(3, Math.round(rate * seconds))
  for (let fix = 0; fix < fixes; fix += 1) {
    const waitMs = startMs + pace.dueMs - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    pace.next(Number.POSITIVE_INFINITY)
    mine.sent(performance.now())
    reporter.report(number)
    number += 1
  }
  const giveUpAtMs = performance.now() + SETTLE_MS_MAX
  while (!mine.isComplete && performance.now() < giveUpAtMs) await sleep(5)
  const serverCpu = utilization(serverBefore, readCpu(serverPid))
  const loadCpu = utilization(loadBefore, readCpu(process.pid))
  // More than the server can do in a second: what was told by now is what there is.
  return { rate, ...mine.figures, told: mine.told / (fixes * watchers), serverCpu, loadCpu }
}

/** After its garbage was collected. */
async function memoryOfServer(): Promise<number> {
  process.kill(serverPid, 'SIGUSR2')
  return (await readSettledMemory(serverPid)).residentBytes
}
