/**
 * Tells a server of the clients of a city: a process of its own, on a core of its own. Prints how many reports
 * were taken and how long that took as one line of JSON.
 */
import { parseArgs } from 'node:util'
import { dialectOf } from './load/dialects.ts'
import { type Feed, FillFeed, GrowFeed, UpdateFeed } from './load/feeds.ts'
import { FleetConnection, type FleetPlan } from './load/fleet-connection.ts'
import { ReportTemplate } from './load/report-template.ts'
import { watchForSilence } from './load/silence.ts'
import { LOOPBACK } from './support/ports.ts'

/** A table may take long to grow, and that is what some want to know. */
const SILENCE_MS_MAX = 30_000
const READ_BYTES = 256 * 1024

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    dialect: { type: 'string' },
    /** fill, update or grow */
    feed: { type: 'string' },
    /** The first client that is new; of no meaning for update. */
    first: { type: 'string', default: '0' },
    /** The clients are those before it. */
    end: { type: 'string' },
    /** How long updates are sent. */
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '10' },
    'in-flight': { type: 'string', default: '512' },
  },
})

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<{ reports: number; seconds: number }> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const dialect = dialectOf(values.dialect)
  // A second back: no report lies ahead of the server's clock, and each is newer than those of an earlier load.
  const startSeconds = Math.floor(Date.now() / 1000) - 1
  const plan: FleetPlan = {
    host: LOOPBACK,
    port: Number(values.port),
    dialect,
    reports: new ReportTemplate(dialect.template, startSeconds),
    feed: makeFeed(),
    reportsPerBatch: Number(values['in-flight']),
    clock: { tick: 0 },
    readBuffer: Buffer.alloc(READ_BYTES),
  }
  const startMs = performance.now()
  const silence = watchForSilence(() => plan.clock.tick, SILENCE_MS_MAX, fail)
  const connections = Array.from({ length: Number(values.connections) }, () => new FleetConnection(plan))
  try {
    await Promise.race([Promise.all(connections.map(({ done }) => done)), failed])
    return { reports: plan.clock.tick, seconds: (performance.now() - startMs) / 1000 }
  } finally {
    clearInterval(silence)
    for (const connection of connections) connection.close()
  }
}

function makeFeed(): Feed {
  const first = Number(values.first)
  const end = Number(values.end)
  if (values.feed === 'fill') return new FillFeed(first, end)
  if (values.feed === 'grow') return new GrowFeed(first, end)
  if (values.feed !== 'update') throw new Error(`no feed is called ${values.feed}`)
  const overAtMs = performance.now() + Number(values.seconds) * 1000
  return new UpdateFeed(end, () => performance.now() >= overAtMs)
}
