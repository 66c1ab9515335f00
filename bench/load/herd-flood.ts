import { connect } from 'node:net'
import { countOf, linesUnderWay, readStatuses, whenQuiet } from '../servers/herd-status.ts'
import { LOOPBACK } from '../support/ports.ts'
import { Flood } from './flood.ts'
import type { FloodSpeech } from './flood-connection.ts'
import type { FloodOrder, FloodServers, Settled } from './flood-servers.ts'
import { ReplyCounter } from './reply-counter.ts'
import { ReportLines } from './report-lines.ts'
import type { Target } from './targets.ts'

const SETTLE_MS_MAX = 60_000
const ANSWER_MS_MAX = 10_000
const [A, LF] = ['A'.charCodeAt(0), 0x0a]

/** A herd under a flood of IAMATs; what every server has applied it says itself. */
export class HerdFlood implements FloodServers {
  readonly flood: Flood
  readonly #targets: readonly Target[]
  readonly #clients: number
  #underWay = 0
  #before: readonly number[] = []

  constructor({ targets, connectionsPerServer, inFlight, clients, fail }: FloodOrder) {
    this.#targets = targets
    const connections = targets.length * connectionsPerServer
    const nowSeconds = Date.now() / 1000
    const lines = new ReportLines({ clients, connections, linesPerBatch: inFlight, nowSeconds })
    this.#clients = lines.clients
    const ports = targets.flatMap(({ port }) => Array.from({ length: connectionsPerServer }, () => port))
    const speeches = ports.map((port, number) => [port, speechOf(lines, number, inFlight)] as const)
    this.flood = new Flood(speeches, () => true, fail)
  }

  async begin(): Promise<void> {
    const statuses = await readStatuses(this.#targets)
    this.#underWay = linesUnderWay(statuses)
    this.#before = statuses.map(({ counters }) => countOf(counters, 'fixesNew'))
  }

  /** Throws when the servers are quiet and don't know the same. */
  async settle(): Promise<Settled> {
    const { atMs, statuses } = await whenQuiet(this.#targets, this.#underWay, SETTLE_MS_MAX)
    const tables = await Promise.all(this.#targets.map(({ port }) => readTable(port)))
    const [first = ''] = tables
    if (tables.some((table) => table !== first)) throw new Error('the servers are quiet, and do not agree')
    const known = first.split('\n').length - 2
    if (known > this.#clients) throw new Error(`${known} clients are known, of ${this.#clients}`)
    const applied = statuses.map(
      ({ counters }, index) => countOf(counters, 'fixesNew') - (this.#before[index] ?? 0),
    )
    return { atMs, applied }
  }

  close(): void {
    this.flood.close()
  }
}

function speechOf(lines: ReportLines, number: number, inFlight: number): FloodSpeech {
  const counter = new ReplyCounter(A)
  return {
    hello: '',
    answersPerBatch: inFlight,
    batch: () => lines.next(number),
    read: (chunk, length) => counter.push(chunk, length),
  }
}

/** The AT lines of all clients that a server knows, in the order of their IDs, and an empty line. */
async function readTable(port: number): Promise<string> {
  const socket = connect({ port, host: LOOPBACK, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  try {
    socket.write('WHOSAT IN +33-119 +36-117 *\n')
    const chunks: Buffer[] = []
    for await (const chunk of socket) {
      const bytes = chunk as Buffer
      chunks.push(bytes)
      if (isEnd(chunks)) break
    }
    const text = Buffer.concat(chunks).toString('latin1')
    if (!text.startsWith('AT ')) throw new Error(`asked for everybody, a server says ${text.slice(0, 200)}`)
    return text
  } finally {
    socket.destroy()
  }
}

/** Whether the last two bytes are line ends; a complaint has only one. */
function isEnd(chunks: readonly Buffer[]): boolean {
  const last = chunks.at(-1)
  const first = chunks[0]
  if (last === undefined || first === undefined || last.at(-1) !== LF) return false
  if (first[0] !== A) return true
  const before = last.length > 1 ? last.at(-2) : chunks.at(-2)?.at(-1)
  return before === LF
}
