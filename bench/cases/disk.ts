import { connect } from 'node:net'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { LOOPBACK } from '../support/ports.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Contender, Shape } from './contender.ts'
import { measureWithNodeLoad } from './node-load.ts'
import { formatShapeRounds, type RatioPair } from './rates.ts'
import { redisOnDisk } from './redis.ts'
import { measureShapeRounds, toShapeData } from './shape-rounds.ts'
import { syncs } from './syncs.ts'

const SHAPES: readonly Shape[] = [
  { connections: 50, inFlight: 1 },
  { connections: 50, inFlight: 16 },
]
/** Asks that the reports of a connection are answered when they are on the disk. */
const PRELUDE = 'ACK disk'
const ANSWER_MS_MAX = 5000

const herd: Contender = {
  name: 'herd-disk',
  title: 'herd, answered when on disk',
  missing: whyNoHerd,
  measure: async (shape, context) =>
    measureAndStop(await startHerd('herd-disk', { logLevel: 'events' }, context), (running) =>
      measureWithNodeLoad(running, shape, context, PRELUDE),
    ),
}
const CONTENDERS = [herd, redisOnDisk, syncs]
const RATIOS: readonly RatioPair[] = [
  [herd, redisOnDisk],
  [herd, syncs],
]

/** Reports that are on the disk before they are answered, beside Redis that does the same on the same disk. */
export const disk: Benchmark = { name: 'disk', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const refusal =
    herd.missing() === undefined && context.wants('disk', herd) ? await whyNotOnDisk(context) : undefined
  const contenders = CONTENDERS.filter((contender) => contender !== herd || refusal === undefined)
  const { results, notes } = await measureShapeRounds('disk', SHAPES, contenders, context)
  const all = refusal === undefined ? notes : [...notes, `${herd.title}: not measured, ${refusal}`]
  const tables = results.map((one) => `Reports on disk, ${formatShapeRounds(one, RATIOS, 'disk')}`)
  return { text: [...tables, ...all].join('\n\n'), data: toShapeData(results, RATIOS, all) }
}

/** Why this version can not be asked for it, or `undefined`: asked of a server. */
async function whyNotOnDisk(context: BenchContext): Promise<string | undefined> {
  const running = await startHerd('herd-disk', { logLevel: 'events' }, context)
  return measureAndStop(running, async ({ port }) => {
    const socket = connect({ port, host: LOOPBACK, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    socket.write(`${PRELUDE}\n`)
    let answer = ''
    for await (const chunk of socket) {
      answer += String(chunk)
      if (answer.includes('\n')) break
    }
    return answer.startsWith('? ') ? `this version answers "${PRELUDE}" by "${answer.trim()}"` : undefined
  })
}
