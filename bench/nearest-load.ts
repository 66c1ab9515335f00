/**
 * Asks a server that knows a whole city who is nearest to random clients: a process of its own, on a core of its
 * own. Prints what it counted in its window as one line of JSON, after it has compared a sample of the answers with
 * those found by looking at everyone.
 */
import { parseArgs } from 'node:util'
import { anyClient, clientId } from './load/city.ts'
import { NearestTruth } from './load/nearest-truth.ts'
import { queryDialectOf } from './load/query-dialects.ts'
import { measureQueries } from './load/query-window.ts'

/** A scan of a crowded circle may take a second, and forty wait for it. */
const SILENCE_MS_MAX = 20_000

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    /** herd or redis */
    dialect: { type: 'string' },
    /** All of them must be where they were first. */
    clients: { type: 'string' },
    'radius-km': { type: 'string' },
    items: { type: 'string', default: '20' },
    connections: { type: 'string', default: '10' },
    'in-flight': { type: 'string', default: '4' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    'server-pid': { type: 'string' },
  },
})

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<object> {
  const dialect = queryDialectOf(values.dialect)
  const [clients, radiusKm, items] = [values.clients, values['radius-km'], values.items].map(Number)
  if (clients === undefined || radiusKm === undefined || items === undefined)
    throw new Error('too few options')
  const { figures, samples } = await measureQueries({
    port: Number(values.port),
    clientOf: (question) => anyClient(question, clients),
    request: (client) => dialect.request(clientId(client), radiusKm, items),
    endOf: (bytes, at) => dialect.endOf(bytes, at),
    connections: Number(values.connections),
    inFlight: Number(values['in-flight']),
    warmUpSeconds: Number(values['warm-up-seconds']),
    seconds: Number(values.seconds),
    serverPids: [Number(values['server-pid'])],
    silenceMsMax: SILENCE_MS_MAX,
  })
  const truth = new NearestTruth(clients)
  for (const { client, reply } of samples) {
    const id = clientId(client)
    const problem = truth.problemWith(client, radiusKm, items, dialect.idsIn(reply, id))
    if (problem !== undefined) throw new Error(`wrong answer within ${radiusKm} km of ${id}: ${problem}`)
  }
  return { ...figures, answersChecked: samples.length }
}
