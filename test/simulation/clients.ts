import type { Random } from './random.ts'
import type { Report } from './server.ts'
import type { World } from './world.ts'

const HOUR_MS = 3_600_000
/** Reports that may be told once more, to another server. */
const KEPT_REPORTS = 20

/** Clients that report to random servers: some of them often, sometimes late, twice, from the future, at the same time. */
export class Clients {
  readonly #world: World
  readonly #random: Random
  readonly #aheadMs: number[]
  #last: Report[] = []
  #isOver = false

  constructor(world: World, random: Random) {
    this.#world = world
    this.#random = random
    this.#aheadMs = Array.from({ length: world.plan.clients }, () => {
      return random.chance(0.1) ? random.between(-HOUR_MS, HOUR_MS) : random.between(-50, 50)
    })
  }

  /** Lets them report, until `stop`. */
  start(): void {
    const { agenda, plan } = this.#world
    agenda.after(this.#random.waitMs(plan.reportsPerSecond), () => {
      if (this.#isOver) return
      this.#report()
      this.start()
    })
  }

  stop(): void {
    this.#isOver = true
  }

  #report(): void {
    const random = this.#random
    const { plan, servers, classics } = this.#world
    const report = random.chance(0.12) && this.#last.length > 0 ? random.pick(this.#last) : this.#newReport()
    const up = [...servers.values()].filter((server) => server.isUp)
    if (up.length === 0) return
    if (classics.size > 0 && random.chance(0.1)) {
      const classic = random.pick([...classics.values()])
      const { client, positionText, timeMicros } = report
      const timeText = (timeMicros / 1e6).toFixed(6)
      if (classic.isUp) classic.take(`AT ${classic.name} +0.5 ${client} ${positionText} ${timeText}`, '')
      return
    }
    const server = random.pick(up)
    const peers = random.chance(plan.waitsPart) ? Math.min(1 + random.below(2), server.neighbors.size) : 0
    const disk = plan.disk !== null && this.#world.disks.chance(plan.disk.waitsPart)
    server.report({ ...report, peers, disk })
    this.#last.push(report)
    if (this.#last.length > KEPT_REPORTS) this.#last.shift()
  }

  #newReport(): Report {
    const random = this.#random
    const { agenda, epochMicros, plan } = this.#world
    const client = random.below(random.chance(0.7) ? plan.hotClients : plan.clients)
    const kind = random.next()
    let ms = agenda.nowMs + (this.#aheadMs[client] as number)
    if (kind < 0.08) ms -= random.between(0, HOUR_MS)
    else if (kind < 0.14) ms += random.between(0, HOUR_MS)
    let timeMicros = Math.round(epochMicros + ms * 1000)
    // Many clients tell whole seconds only: then several of their fixes have the same time.
    if (random.chance(0.4)) timeMicros -= timeMicros % 1_000_000
    const speed = random.below(3)
    return {
      client: `client${client}`,
      timeMicros,
      positionText: `+${random.below(90)}.${random.below(10)}-${random.below(180)}`,
      attributesText: plan.hasAttributes && speed > 0 ? ` {"speed":${speed}}` : '',
      ...{ peers: 0, disk: false },
    }
  }
}
