/**
 * Reports to some servers, one at a time each, and how long the answers take: a process of its own. SIGUSR2 begins the
 * next window; SIGTERM ends the last one, and the quantiles of each window and server are printed as one line of JSON.
 */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { quantilesOf } from './load/arrivals.ts'
import { DIALECTS } from './load/dialects.ts'
import type { ProbeResult } from './load/probe-result.ts'
import { ReplyCounter } from './load/reply-counter.ts'
import { ReportTemplate } from './load/report-template.ts'
import { parseTargets, type Target } from './load/targets.ts'
import { LOOPBACK } from './support/ports.ts'

const { values } = parseArgs({
  options: {
    /** name:port,… */
    targets: { type: 'string', default: '' },
    /** Clients from this number on report: one for each server. */
    'first-client': { type: 'string', default: '0' },
    'every-ms': { type: 'string', default: '5' },
  },
})
const everyMs = Number(values['every-ms'])
const targets = parseTargets(values.targets)
/** Of each window: milliseconds by server. */
const windows: number[][][] = [targets.map(() => [])]
let isOver = false
process.on('SIGUSR2', () => windows.push(targets.map(() => [])))
process.on('SIGTERM', () => {
  isOver = true
})

try {
  await Promise.all(targets.map(probe))
  const result: ProbeResult = windows.map((window) =>
    Object.fromEntries(
      targets.flatMap(({ name }, index) => {
        const ms = window[index] ?? []
        return ms.length === 0 ? [] : [[name, quantilesOf(ms)] as const]
      }),
    ),
  )
  process.stdout.write(`${JSON.stringify(result)}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function probe({ port }: Target, server: number): Promise<void> {
  const reports = new ReportTemplate(DIALECTS.herd.template, Math.floor(Date.now() / 1000) - 1)
  const counter = new ReplyCounter(DIALECTS.herd.firstByte)
  const bytes = Buffer.alloc(reports.bytes)
  const socket = connect({ port, host: LOOPBACK, noDelay: true })
  let answered: () => void = () => {}
  socket.on('data', (chunk: Buffer) => {
    if (counter.push(chunk, chunk.length) > 0) answered()
  })
  const closed = new Promise<never>((_, reject) =>
    socket.once('close', () => reject(new Error('a server closed'))),
  )
  for (let tick = 0; !isOver; tick += 1) {
    const { promise, resolve } = Promise.withResolvers<void>()
    answered = resolve
    reports.write(bytes, 0, Number(values['first-client']) + server, tick, tick)
    // The window in which it began: what takes long because of something belongs to that.
    const window = windows.at(-1)
    const startMs = performance.now()
    socket.write(bytes)
    await Promise.race([promise, closed])
    window?.[server]?.push(performance.now() - startMs)
    await sleep(everyMs)
  }
  socket.removeAllListeners('close')
  socket.destroy()
}
