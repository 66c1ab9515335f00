import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type CounterName, counterMeanings } from '../../counters.ts'
import type { ServerStatus } from '../../replication/status.ts'
import type { HttpContext } from './http-context.ts'
import { setCounter, snake } from './metric-names.ts'
import { addPlacesMetrics, placesLatency } from './places-metrics.ts'

const PREFIX = 'herd_'
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const DELAY_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5]
/** How often the event loop is looked at. */
const DELAY_SAMPLE_MS = 100
/** These say how it is, not how often something was. */
const GAUGES: ReadonlySet<string> = new Set<CounterName>(['journalFailing'])
/** No route has been found: all such requests are one. */
const NO_ROUTE = 'none'

/** What Prometheus is told. Nothing of it names a client. */
export class Metrics {
  readonly #context: HttpContext
  readonly #registry = new Registry()
  readonly #requestSeconds: Histogram<'method' | 'route' | 'status'>
  readonly #delaySeconds: Histogram
  #status: ServerStatus | null = null

  /** @param streams how many streams are open. */
  constructor(context: HttpContext, streams: () => number) {
    this.#context = context
    const registers = [this.#registry]
    this.#requestSeconds = new Histogram({
      name: `${PREFIX}http_request_seconds`,
      help: 'Time from a request to its answer; streams are not among them.',
      labelNames: ['method', 'route', 'status'],
      buckets: REQUEST_SECONDS,
      registers,
    })
    this.#delaySeconds = new Histogram({
      name: `${PREFIX}event_loop_delay_seconds`,
      help: 'How much later than it should a timer goes off.',
      buckets: DELAY_SECONDS,
      registers,
    })
    this.#addCounters()
    this.#addGauges(streams)
    addPlacesMetrics(this.#registry, PREFIX, () => this.#status?.places)
  }

  /** Measures every request of an app. */
  addTo(app: FastifyInstance): void {
    const { system } = this.#context
    app.addHook('onResponse', async (request, reply) => {
      this.#requestSeconds.observe(
        {
          method: request.method,
          route: request.is404 ? NO_ROUTE : (request.routeOptions.url ?? NO_ROUTE),
          status: reply.statusCode,
        },
        reply.elapsedTime / 1000,
      )
    })
    let dueMs = system.nowMs() + DELAY_SAMPLE_MS
    const sample = (): void => {
      const nowMs = system.nowMs()
      this.#delaySeconds.observe(Math.max(0, nowMs - dueMs) / 1000)
      dueMs = nowMs + DELAY_SAMPLE_MS
      cancel = system.after(DELAY_SAMPLE_MS, sample)
    }
    let cancel = system.after(DELAY_SAMPLE_MS, sample)
    app.addHook('onClose', async () => cancel())
  }

  /** The type of `text`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics, in the text format of Prometheus. */
  async text(): Promise<string> {
    const status = this.#context.status()
    this.#status = status
    return (await this.#registry.metrics()) + placesLatency(PREFIX, status.places?.providers ?? [])
  }

  #addCounters(): void {
    const counts: Readonly<Record<string, number>> = this.#context.counters
    for (const [name, meaning] of Object.entries(counterMeanings)) {
      const help = meaning.replaceAll('`', '')
      const count = (): number => counts[name] ?? 0
      const registers = [this.#registry]
      if (GAUGES.has(name)) {
        const metric: Gauge = new Gauge({
          name: PREFIX + snake(name),
          ...{ help, registers, collect: () => metric.set(count()) },
        })
      } else {
        const metric: Counter = new Counter({
          name: `${PREFIX}${snake(name)}_total`,
          ...{ help, registers, collect: () => setCounter(metric, {}, count()) },
        })
      }
    }
  }

  #addGauges(streams: () => number): void {
    const { hub } = this.#context
    const memory = (): NodeJS.MemoryUsage => process.memoryUsage()
    this.#gauge('clients', 'Clients in the table.', () => this.#now.clients)
    this.#gauge('connections', 'Connections open, links among them.', () => this.#now.connections)
    this.#gauge('watchers', 'Those who watch, through all gateways.', () => hub.watchers)
    this.#gauge('http_streams', 'Streams and WebSockets open.', streams)
    this.#gauge('links_open', 'Links open.', () => this.#now.links.filter(({ open }) => open).length)
    this.#gauge('ready', '1 when this server knows what its herd knows.', () =>
      this.#now.readiness === 'ready' ? 1 : 0,
    )
    this.#gauge('up_seconds', 'Time since the start.', () => this.#now.upSeconds)
    this.#gauge('resident_memory_bytes', 'Memory of the process.', () => memory().rss)
    this.#gauge('heap_used_bytes', 'Memory of JavaScript in use.', () => memory().heapUsed)
    this.#addLinkGauges()
    const registers = [this.#registry]
    const cpu: Counter = new Counter({
      name: `${PREFIX}cpu_seconds_total`,
      help: 'Time of processors spent.',
      registers,
      collect: () => {
        const { user, system } = process.cpuUsage()
        setCounter(cpu, {}, (user + system) / 1e6)
      },
    })
    const table: Gauge<'part'> = new Gauge({
      name: `${PREFIX}table_bytes`,
      help: 'Memory of the table, by part.',
      labelNames: ['part'],
      registers,
      collect: () => {
        for (const [name, bytes] of Object.entries(this.#now.counters)) {
          if (name.startsWith(TABLE_BYTES)) table.set({ part: snake(name.slice(TABLE_BYTES.length)) }, bytes)
        }
      },
    })
    const info: Gauge<'server' | 'herd' | 'version'> = new Gauge({
      name: `${PREFIX}info`,
      help: 'Always 1.',
      labelNames: ['server', 'herd', 'version'],
      registers,
      collect: () =>
        info.set({ server: this.#now.server, herd: this.#now.herd, version: this.#context.version }, 1),
    })
  }

  #addLinkGauges(): void {
    const each = (
      name: string,
      help: string,
      value: (link: ServerStatus['links'][number]) => number | null,
    ): void => {
      const gauge: Gauge<'neighbor'> = new Gauge({
        name: `${PREFIX}link_${name}`,
        help,
        labelNames: ['neighbor'],
        registers: [this.#registry],
        collect: () => {
          gauge.reset()
          for (const link of this.#now.links) {
            const found = value(link)
            if (found !== null) gauge.set({ neighbor: link.neighbor }, found)
          }
        },
      })
    }
    each('open', '1 while the link is open.', ({ open }) => (open ? 1 : 0))
    each('queue', 'Fixes owed to the neighbor.', ({ queued }) => queued)
    each('round_trip_seconds', 'To the neighbor and back.', ({ roundTripMs }) => inSeconds(roundTripMs))
    each('clock_offset_seconds', 'The neighbor’s clock minus ours.', ({ clockOffsetMs }) =>
      inSeconds(clockOffsetMs),
    )
  }

  #gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      ...{ help, registers: [this.#registry], collect: () => gauge.set(value()) },
    })
  }

  /** What the server said of itself when it was asked for metrics. */
  get #now(): ServerStatus {
    return this.#status ?? this.#context.status()
  }
}

const TABLE_BYTES = 'tableBytes.'

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000
}
