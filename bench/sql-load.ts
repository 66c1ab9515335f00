/**
 * Asks PostGIS for the nearest places by the same statement as Herd does, prepared, one after the other over one
 * connection of a client in this process. Prints what it counted in its window as one line of JSON.
 */
import { createHistogram } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { nearestSql } from '../src/places/providers/postgis-sql.ts'
import { clientPosition, readPlacePositions } from './load/places-clients.ts'
import { latencyFigures } from './load/query-window.ts'
import { LOOPBACK } from './support/ports.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    user: { type: 'string' },
    database: { type: 'string' },
    clients: { type: 'string', default: '10000' },
    'radius-km': { type: 'string' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
  },
})

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** The password stands in PGPASSWORD. */
async function run(): Promise<object> {
  const { user, database } = values
  if (user === undefined || database === undefined) throw new Error('user and database are needed')
  const client = new Client({ host: LOOPBACK, port: Number(values.port), user, database })
  await client.connect()
  try {
    return await measure(client)
  } finally {
    await client.end()
  }
}

async function measure(client: Client): Promise<object> {
  const places = readPlacePositions()
  const count = Number(values.clients)
  const clients = Array.from({ length: count }, (_, number) => clientPosition(number, places))
  const metres = Number(values['radius-km']) * 1000
  const text = nearestSql('place')
  const latencies = createHistogram()
  const startMs = performance.now()
  const openMs = startMs + Number(values['warm-up-seconds']) * 1000
  const endMs = openMs + Number(values.seconds) * 1000
  let queries = 0
  let found = 0
  for (const { latitude, longitude } of clients) {
    const sentMs = performance.now()
    if (sentMs > endMs) break
    const { rows } = await client.query({
      name: 'nearest',
      text,
      values: [latitude, longitude, metres, null, null],
    })
    if (sentMs < openMs) continue
    latencies.record(Math.max(1, Math.round((performance.now() - sentMs) * 1e6)))
    queries += 1
    found += rows.length
  }
  if (performance.now() < endMs) throw new Error(`more than ${count} questions: more clients are needed`)
  if (found === 0) throw new Error('the database found no places')
  return { queries, seconds: (endMs - openMs) / 1000, ...latencyFigures(latencies) }
}
