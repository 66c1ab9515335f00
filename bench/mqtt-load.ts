/**
 * Phones of OwnTracks that publish to a broker, and one subscriber of all of them: a process of its own, on a core of its own. Prints
 * what it counted in its window as one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { locationMessages, type MqttPlan, Publisher, Subscriber } from './load/mqtt-connection.ts'
import { watchForSilence } from './load/silence.ts'
import { Window } from './load/window.ts'
import { readCpu, utilization } from './support/cpu-time.ts'
import { LOOPBACK } from './support/ports.ts'

const SILENCE_MS_MAX = 3000

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    qos: { type: 'string', default: '0' },
    connections: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '16' },
    clients: { type: 'string', default: '100000' },
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
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const count = Number(values.connections)
  const qos = values.qos === '1' ? 1 : 0
  const plan: MqttPlan = {
    host: LOOPBACK,
    port: Number(values.port),
    qos,
    inFlight: Number(values['in-flight']),
    clients: Number(values.clients),
    connections: count,
    template: locationMessages(qos),
    window: new Window(count),
    fail,
  }
  const silence = watchForSilence(() => plan.window.batchesSinceStart, SILENCE_MS_MAX, fail)
  const subscriber = new Subscriber(plan)
  const publishers: Publisher[] = []
  try {
    await Promise.race([subscriber.ready, failed])
    for (let number = 0; number < count; number += 1) publishers.push(new Publisher(number, plan))
    return await Promise.race([measure(plan, subscriber), failed])
  } finally {
    clearInterval(silence)
    subscriber.close()
    for (const publisher of publishers) publisher.close()
  }
}

async function measure({ window, clients }: MqttPlan, subscriber: Subscriber): Promise<object> {
  const serverPid = Number(values['server-pid'])
  await sleep(Number(values['warm-up-seconds']) * 1000)
  const serverBefore = readCpu(serverPid)
  const loadBefore = readCpu(process.pid)
  const deliveredBefore = subscriber.delivered
  const startMs = performance.now()
  window.open = true
  await sleep(Number(values.seconds) * 1000)
  window.open = false
  const seconds = (performance.now() - startMs) / 1000
  const silent = window.batches.filter((batches) => batches === 0).length
  if (silent > 0) throw new Error(`nothing was taken on ${silent} of ${window.batches.length} connections`)
  return {
    clients,
    messages: window.messages,
    delivered: subscriber.delivered - deliveredBefore,
    seconds,
    requestBytes: window.requestBytes,
    replyBytes: window.replyBytes,
    repliesChecked: 0,
    batchP50Us: window.latencies.quantileUs(0.5),
    batchP99Us: window.latencies.quantileUs(0.99),
    batchMaxUs: window.latencies.maxUs,
    serverCpu: utilization(serverBefore, readCpu(serverPid)),
    loadCpu: utilization(loadBefore, readCpu(process.pid)),
  }
}
