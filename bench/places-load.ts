/**
 * Asks a server for the places near clients that are all over the world: a process of its own, on a core of its own.
 * Tells the server first what it must know (of the clients, or of the places). Prints what it counted in its window as
 * one line of JSON, after it has compared a sample of the answers with those found by looking at every place.
 */
import { parseArgs } from 'node:util'
import { anyClient } from './load/city.ts'
import { clientPosition, type Position, readPlacePositions } from './load/places-clients.ts'
import { type PlacesQuestion, placesDialectOf } from './load/places-dialects.ts'
import { type Expected, PlacesTruth } from './load/places-truth.ts'
import { measureQueries } from './load/query-window.ts'
import { tell } from './load/tell.ts'

const SILENCE_MS_MAX = 20_000
const NOWHERE: Position = { latitude: 0, longitude: 0 }

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    /** herd or redis */
    dialect: { type: 'string' },
    clients: { type: 'string', default: '10000' },
    /** any: in a random order, over and over; once: one after the other, each but once */
    order: { type: 'string', default: 'any' },
    rank: { type: 'string' },
    'radius-km': { type: 'string' },
    items: { type: 'string', default: '20' },
    /** nearest, inside or items */
    expected: { type: 'string' },
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
  const port = Number(values.port)
  const dialect = placesDialectOf(values.dialect)
  const places = readPlacePositions()
  const clients = Array.from({ length: Number(values.clients) }, (_, client) =>
    clientPosition(client, places),
  )
  const question = readQuestion()
  await tell(port, dialect.commands(places, clients), dialect.firstByte)
  const positionOf = (client: number): Position => clients[client] ?? NOWHERE
  const { figures, samples } = await measureQueries({
    port,
    clientOf: values.order === 'once' ? (number) => number : (number) => anyClient(number, clients.length),
    request: (client) => {
      if (client >= clients.length)
        throw new Error(`more than ${clients.length} questions: more clients are needed`)
      return dialect.request(client, positionOf(client), question)
    },
    endOf: (bytes, at) => dialect.endOf(bytes, at),
    connections: Number(values.connections),
    inFlight: Number(values['in-flight']),
    warmUpSeconds: Number(values['warm-up-seconds']),
    seconds: Number(values.seconds),
    serverPids: [Number(values['server-pid'])],
    silenceMsMax: SILENCE_MS_MAX,
  })
  const truth = new PlacesTruth(places)
  const expected = readExpected(values.expected)
  for (const { client, reply } of samples) {
    const at = positionOf(client)
    const utf8 = Buffer.from(reply, 'latin1').toString()
    const problem = truth.problemWith(
      at,
      question.radiusKm,
      question.items,
      dialect.positionsIn(utf8),
      expected,
    )
    if (problem !== undefined) {
      throw new Error(`wrong answer within ${question.radiusKm} km of ${JSON.stringify(at)}: ${problem}`)
    }
  }
  return { ...figures, answersChecked: samples.length }
}

function readQuestion(): PlacesQuestion {
  const { rank } = values
  if (rank !== undefined && rank !== 'distance' && rank !== 'prominence')
    throw new Error(`no rank is ${rank}`)
  return { radiusKm: Number(values['radius-km']), items: Number(values.items), rank }
}

function readExpected(text: string | undefined): Expected {
  if (text === 'nearest' || text === 'inside' || text === 'items') return text
  throw new Error(`--expected must be nearest, inside or items, not ${text}`)
}
