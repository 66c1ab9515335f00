import type { Turn } from './phone.ts'

/** Something worth a line. */
export interface DemoLine {
  readonly level: 'info' | 'warning'
  readonly text: string
}

/** So many reports in a row fail before a server is said to be gone. */
const GONE_FAILURES = 3
/** How many reports of each are waited for before the first summary. */
const SUMMARY_TURNS = 3

/** What there is to say of a demo: what goes, which protocol is not spoken, which server is gone or back. Pure. */
export class DemoNews {
  readonly #clients: number
  readonly #protocols = new Map<string, number>()
  readonly #servers = new Set<string>()
  /** Protocols that were not taken somewhere. */
  readonly #refused = new Set<string>()
  /** Failures in a row, by server. */
  readonly #failures = new Map<string, number>()
  #lines: DemoLine[] = []
  #reports = 0
  #isSummed = false
  #isForbidden = false

  /** @param clients in the demo. */
  constructor(clients: number) {
    this.#clients = clients
  }

  /** What became of a report. */
  note(turn: Turn): void {
    if (turn.outcome === 'reported') {
      this.#reports++
      this.#protocols.set(turn.protocol, (this.#protocols.get(turn.protocol) ?? 0) + 1)
      this.#servers.add(turn.server)
      if ((this.#failures.get(turn.server) ?? 0) >= GONE_FAILURES) this.#say('info', `${turn.server} is back`)
      this.#failures.delete(turn.server)
    } else if (turn.outcome === 'failed') {
      if (turn.isNotAllowed) this.#notAllowed(turn.reason)
      else if (turn.isRefused) this.#notTaken(turn.protocol, turn.reason)
      else this.#noAnswer(turn.server, turn.reason)
    }
  }

  /** What is to be said now. */
  take(): DemoLine[] {
    if (!this.#isSummed && this.#reports >= this.#clients * SUMMARY_TURNS) {
      this.#isSummed = true
      const protocols = [...this.#protocols].map(([name, reports]) => `${reports} by ${name}`)
      const servers = this.#servers.size === 1 ? '1 server' : `${this.#servers.size} servers`
      this.#say('info', `${this.#reports} reports taken by ${servers}: ${protocols.join(', ')}`)
    }
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  #notTaken(protocol: string, reason: string): void {
    if (this.#refused.has(protocol)) return
    this.#refused.add(protocol)
    this.#say('warning', `${protocol} is not taken here, and those phones use line commands: ${reason}`)
  }

  #notAllowed(reason: string): void {
    if (this.#isForbidden) return
    this.#isForbidden = true
    this.#say(
      'warning',
      `phones may not report: ${reason}; a token that may (herd token create demo --report '*') is given by HERD_TOKEN or --token`,
    )
  }

  #noAnswer(server: string, reason: string): void {
    const failures = (this.#failures.get(server) ?? 0) + 1
    this.#failures.set(server, failures)
    if (failures === GONE_FAILURES)
      this.#say('warning', `${server} is gone, and its phones go on with others: ${reason}`)
  }

  #say(level: DemoLine['level'], text: string): void {
    this.#lines.push({ level, text })
  }
}
