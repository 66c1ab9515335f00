import { parseFigures } from '../load/figures.ts'
import { parseLoadResult } from '../load/result.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { startMosquitto, whyNoMosquitto } from '../servers/mosquitto-server.ts'
import { measureAndStop, type RunningServer } from '../servers/running-server.ts'
import { summarize } from '../support/statistics.ts'
import { formatShare } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Candidate, Sample } from './contender.ts'
import { runLoad } from './load-process.ts'
import { formatShapeRounds, listRatios, type RatioPair } from './rates.ts'
import { type Measurable, measureRounds, type Rounds } from './rounds.ts'

const SHAPE = { connections: 50, inFlight: 16 } as const
const QUALITIES = [0, 1] as const

/** One broker, with both qualities of service. */
interface MqttSample {
  readonly qualities: readonly QualitySample[]
}

interface QualitySample extends Sample {
  /** Messages that came to the subscriber, of one that was published. */
  readonly delivered: number
}

const herd = broker('herd', 'herd', whyNoHerd, (context) =>
  startHerd('herd', { logLevel: 'events' }, context),
)
const mosquitto = broker('mosquitto', 'Mosquitto', whyNoMosquitto, startMosquitto)
const CONTENDERS = [herd, mosquitto]
const RATIOS: readonly RatioPair[] = [[herd, mosquitto]]

/** Locations that phones publish, with one subscriber of all of them, beside Mosquitto. */
export const mqtt: Benchmark = { name: 'mqtt', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = ({ qualities }: MqttSample): string =>
    qualities.map(({ messagesPerSecond }) => `${Math.round(messagesPerSecond)}/s`).join(', ')
  const rounds = await measureRounds('mqtt', CONTENDERS, context.rounds, context, tell)
  const results = QUALITIES.map((qos) => ({ qos, rounds: roundsOf(rounds, qos) }))
  const tables = results.map(({ qos, rounds: ofQuality }) =>
    [
      `OwnTracks locations over MQTT, QoS ${qos}, one subscriber, ${formatShapeRounds({ shape: SHAPE, rounds: ofQuality }, RATIOS)}`,
      ...[...ofQuality].map(
        ([{ title }, samples]) =>
          `${title}: ${formatShare(summarize(samples.map(({ delivered }) => delivered))?.median)} of them came to the subscriber`,
      ),
    ].join('\n\n'),
  )
  return {
    text: [...tables, ...rounds.notes].join('\n\n'),
    data: {
      qualities: results.map(({ qos, rounds: ofQuality }) => ({
        qos,
        ...SHAPE,
        contenders: [...ofQuality].map(([{ name, title }, samples]) => ({ name, title, rounds: samples })),
        ratios: listRatios(ofQuality, RATIOS),
      })),
      notes: rounds.notes,
    },
  }
}

function broker(
  name: string,
  title: string,
  missing: () => string | undefined,
  start: (context: BenchContext) => Promise<RunningServer>,
): Measurable<MqttSample> {
  return {
    name,
    title,
    missing,
    measure: async (context) => {
      const qualities: QualitySample[] = []
      // A fresh one for each: what a client has published once would be old news.
      for (const qos of QUALITIES) {
        qualities.push(
          await measureAndStop(await start(context), (running) => measure(running, qos, context)),
        )
      }
      return { qualities }
    },
  }
}

async function measure(
  { server, port }: RunningServer,
  qos: number,
  context: BenchContext,
): Promise<QualitySample> {
  const { seconds, warmUpSeconds } = context
  const options = {
    port,
    qos,
    connections: SHAPE.connections,
    'in-flight': SHAPE.inFlight,
    'warm-up-seconds': warmUpSeconds,
    seconds,
    'server-pid': server.pid,
  }
  const stdout = await runLoad('mqtt-load.ts', options, (warmUpSeconds + seconds) * 1000, context)
  const result = parseLoadResult(stdout)
  const { delivered } = parseFigures(stdout, ['delivered'])
  return {
    messagesPerSecond: result.messages / result.seconds,
    batchP50Us: result.batchP50Us,
    batchP99Us: result.batchP99Us,
    serverCpu: result.serverCpu,
    loadCpu: result.loadCpu,
    delivered: delivered / result.messages,
    details: result,
  }
}

function roundsOf(
  { samples }: Rounds<MqttSample>,
  qos: (typeof QUALITIES)[number],
): ReadonlyMap<Candidate, readonly QualitySample[]> {
  return new Map(
    [...samples].map(([candidate, rounds]) => [
      candidate,
      rounds.flatMap(({ qualities }) => qualities[qos] ?? []),
    ]),
  )
}
