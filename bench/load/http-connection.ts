import { connect, type Socket } from 'node:net'
import { HttpReplies } from './http-replies.ts'
import { FIELDS, ReportTemplate } from './report-template.ts'
import type { Window } from './window.ts'

/** Of so many answers one is looked into. */
const CHECK_EVERY = 256

const BODY = `{"client":"${FIELDS.client}","lat":${FIELDS.latitude},"lon":${FIELDS.longitude},"time":"${FIELDS.time}"}`

/** A request that reports where a client is, as clients write them that keep their connection. */
export const FIX_REQUEST: string = [
  'POST /v1/fixes HTTP/1.1',
  'host: 127.0.0.1',
  'content-type: application/json',
  `content-length: ${BODY.length}`,
  '',
  BODY,
].join('\r\n')

/** What all connections of one load have in common. */
export interface HttpPlan {
  readonly host: string
  readonly port: number
  readonly clients: number
  readonly connections: number
  readonly reports: ReportTemplate
  readonly window: Window
  /** Told of the first thing that goes wrong, and of whatever follows from it. */
  readonly fail: (error: unknown) => void
}

/** The reports of a load that begins now. */
export function fixRequests(): ReportTemplate {
  return new ReportTemplate(FIX_REQUEST, Math.floor(Date.now() / 1000) - 3600)
}

/** Reports by POST, waits for the answer, and reports again, until it is closed. */
export class HttpConnection {
  readonly #number: number
  readonly #plan: HttpPlan
  readonly #socket: Socket
  readonly #replies = new HttpReplies()
  readonly #request: Buffer
  #sent = 0
  #client = 0
  #sentAtMs = 0

  constructor(number: number, plan: HttpPlan) {
    this.#number = number
    this.#plan = plan
    this.#request = Buffer.alloc(plan.reports.bytes)
    this.#socket = connect({ host: plan.host, port: plan.port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.once('connect', () => this.#send())
    this.#socket.once('error', plan.fail)
    this.#socket.once('close', this.#lost)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }

  /** Every connection has its own clients, so that the reports of each go out in the order of their times. */
  #send(): void {
    const { reports, clients, connections } = this.#plan
    const each = Math.ceil(clients / connections)
    this.#client = this.#number * each + (this.#sent % each)
    reports.write(this.#request, 0, this.#client, Math.floor(this.#sent / each), this.#sent)
    this.#sent += 1
    this.#sentAtMs = performance.now()
    this.#socket.write(this.#request)
  }

  #receive(chunk: Buffer): void {
    try {
      const body = this.#replies.push(chunk)
      if (body === undefined) return
      const { window } = this.#plan
      window.note(this.#number, 1, this.#request.length, performance.now() - this.#sentAtMs)
      if (this.#sent % CHECK_EVERY === 1) this.#check(body)
      this.#send()
    } catch (error) {
      this.#plan.fail(error)
    }
  }

  #check(body: Buffer): void {
    const text = body.toString()
    const id = /"client":"([^"]+)"/.exec(this.#request.toString('latin1'))?.[1]
    if (id === undefined || !text.startsWith(`{"client":"${id}","outcome":"new"`)) {
      throw new Error(`wrong answer: ${text}`)
    }
    this.#plan.window.repliesChecked += 1
  }

  readonly #lost = (): void => {
    this.#plan.fail(new Error('the server closed a connection'))
  }
}
