/** Stands in, in tests of the client, for a server of a herd that may do anything; what it takes, it takes as a herd would. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { FixJson, ProblemJson, ReportJson } from '../../src/gateways/http/shapes.ts'

/** What it does with what it is asked. */
export type Mood =
  | 'well'
  /** Answers 503 to all. */
  | 'unavailable'
  /** Answers 503 to `/readyz` alone. */
  | 'catching up'
  /** Answers never. */
  | 'hanging'
  /** Answers 200 with what is no JSON. */
  | 'garbage'
  /** Answers 200 with JSON of something else. */
  | 'other JSON'
  /** Does what it is asked to, and breaks the connection before it is answered. */
  | 'breaking'

/** One stand-in, on the loopback interface. */
export class HerdStandIn {
  mood: Mood = 'well'
  /** What it says of a report, if it doesn't take it. */
  judge: (report: ReportJson) => ProblemJson | null = () => null
  /** For requests as a whole; `null`: nothing is wrong. */
  refuse: (path: string, body: string) => { problem: ProblemJson; retryAfter?: number } | null = () => null
  /** Reports that it took, in their order. */
  readonly taken: ReportJson[] = []
  /** Sizes of the batches that came. */
  readonly batches: number[] = []
  /** Method and path of each request. */
  readonly asked: string[] = []
  readonly tokens: Set<string> = new Set()
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #streams = new Set<ServerResponse>()
  /** What every stream begins with. */
  streamHead = ''

  /** Starts one. @param port `0`: any. */
  static async start(t: Pick<TestContext, 'after'>, port = 0): Promise<HerdStandIn> {
    const server = createServer()
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const standIn = new HerdStandIn(server)
    t.after(() => standIn.stop())
    return standIn
  }

  private constructor(server: Server) {
    this.#server = server
    const address = server.address()
    this.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** How many watch. */
  get streams(): number {
    return this.#streams.size
  }

  /** Writes to all streams. */
  write(text: string | Buffer): void {
    for (const stream of this.#streams) stream.write(text)
  }

  /** Ends all streams, in order or as if the server had died. */
  endStreams(how: 'end' | 'destroy'): void {
    for (const stream of this.#streams) {
      if (how === 'end') stream.end()
      else stream.destroy()
    }
  }

  /** It is gone, with all its connections. */
  async stop(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    this.asked.push(`${request.method} ${path}`)
    this.tokens.add(request.headers.authorization ?? '')
    const chunks: Buffer[] = await request.toArray()
    const body = Buffer.concat(chunks).toString('utf8')
    switch (this.mood) {
      case 'unavailable':
        return send(response, 503, problem(503, 'away', 'it is away for a while'))
      case 'catching up':
        if (path === '/readyz') return send(response, 503, problem(503, 'catching-up', 'it is catching up'))
        break
      case 'hanging':
        return
      case 'garbage':
        response.end('<html>Welcome to the hotel’s network</html>')
        return
      case 'other JSON':
        return send(response, 200, { hello: 'world' })
      case 'breaking':
        this.#handle(path, body)
        response.destroy()
        return
      case 'well':
    }
    const refusal = path === '/readyz' ? null : this.refuse(path, body)
    if (refusal !== null) {
      if (refusal.retryAfter !== undefined) response.setHeader('retry-after', refusal.retryAfter)
      return send(response, refusal.problem.status, refusal.problem)
    }
    if (path.startsWith('/v1/stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      response.write(`retry: 1000\n\n${this.streamHead}`)
      this.#streams.add(response)
      response.once('close', () => this.#streams.delete(response))
      return
    }
    const answer = this.#handle(path, body)
    if (answer === null) return send(response, 404, problem(404, 'no-such-route', `there is no ${path}`))
    return send(response, 200, answer)
  }

  #handle(path: string, body: string): unknown {
    if (path === '/readyz') return { status: 'ready' }
    if (path === '/v1/fixes') return this.#report(JSON.parse(body))
    if (path.startsWith('/v1/clients/')) return fixOf(decodeURIComponent(path.slice('/v1/clients/'.length)))
    if (path.startsWith('/v1/near') || path.startsWith('/v1/within'))
      return { fixes: [fixOf('near')], more: true }
    return null
  }

  #report(reports: readonly ReportJson[]): unknown {
    this.batches.push(reports.length)
    return reports.map((report) => {
      const wrong = this.judge(report)
      if (wrong !== null) return { client: report.client, problem: wrong }
      this.taken.push(report)
      return { client: report.client, outcome: 'new', at: `AT Stand-in +0.000000000 ${report.client}` }
    })
  }
}

/** A problem as a server would write it. */
export function problem(status: number, code: string, detail: string): ProblemJson {
  return { type: `urn:herd:${code}`, title: code, status, detail }
}

/** A fix that is made up; each second is newer than the one before. */
export function fixOf(client: string, second = 0, more: Partial<FixJson> = {}): FixJson {
  const time = new Date(Date.UTC(2026, 10, 21, 12, 0, second)).toISOString().replace('Z', '000000Z')
  return {
    client,
    ...{ server: 'Alford', lat: 1, lon: 2, position: '+1+2', time, received_at: time },
    time_ns: `${BigInt(Date.parse(time)) * 1_000_000n}`,
    ...{ skew_s: 0, age_s: 0, ...more },
  }
}

/** A fix as an event of a stream. */
export function eventOf(type: 'fix' | 'exit', fix: FixJson): string {
  return `event: ${type}\ndata: ${JSON.stringify(fix)}\n\n`
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, {
    'content-type': status < 400 ? 'application/json' : 'application/problem+json',
  })
  response.end(JSON.stringify(json))
}
