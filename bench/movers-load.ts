/**
 * Clients that each report once a second, all over one connection, until it is told to end (SIGTERM): a fleet for whoever watches.
 * Prints how many it has sent as one line of JSON.
 */
import { connect } from 'node:net'
import { parseArgs } from 'node:util'
import { DIALECTS } from './load/dialects.ts'
import { Pace } from './load/pace.ts'
import { ReplyCounter } from './load/reply-counter.ts'
import { ReportTemplate } from './load/report-template.ts'
import { LOOPBACK } from './support/ports.ts'

const PERIOD_MS = 1000
const EVERY_MS = 10
/** More would wait for a server that doesn't answer. */
const UNANSWERED_MAX = 100_000

const { values } = parseArgs({
  options: { port: { type: 'string' }, clients: { type: 'string', default: '10000' } },
})
const clients = Number(values.clients)
const reports = new ReportTemplate(DIALECTS.herd.template, Math.floor(Date.now() / 1000))
const pace = new Pace(clients, PERIOD_MS)
const counter = new ReplyCounter(DIALECTS.herd.firstByte)
const startMs = performance.now()
/** Ticks of a report's clock in a millisecond. */
const TICKS_IN_MS = 10_000
let sent = 0
let answered = 0

const socket = connect({ port: Number(values.port), host: LOOPBACK, noDelay: true })
socket.on('data', (chunk: Buffer) => {
  answered += counter.push(chunk, chunk.length)
})
socket.once('error', fail)
const timer = setInterval(() => {
  try {
    sendDue()
  } catch (error) {
    fail(error)
  }
}, EVERY_MS)
process.once('SIGTERM', () => {
  clearInterval(timer)
  process.stdout.write(`${JSON.stringify({ sent, answered })}\n`)
  socket.destroy()
})

function sendDue(): void {
  if (sent - answered > UNANSWERED_MAX) throw new Error(`${sent - answered} reports are not answered`)
  const elapsedMs = performance.now() - startMs
  const batch: Buffer[] = []
  for (let member = pace.next(elapsedMs); member !== -1; member = pace.next(elapsedMs)) {
    const bytes = Buffer.allocUnsafe(reports.bytes)
    reports.write(bytes, 0, member, Math.floor(sent / clients), Math.floor(elapsedMs * TICKS_IN_MS))
    batch.push(bytes)
    sent += 1
  }
  if (batch.length > 0) socket.write(Buffer.concat(batch))
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
