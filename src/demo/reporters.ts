/** One phone's way to one server, by one protocol. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connectAsync, type MqttClient } from 'mqtt'
import { WebSocket } from 'ws'
import { herdTopic, iamatLine, osmAndQuery, ownTracksJson, reportJson, type Saying } from './messages.ts'
import type { Whereabouts } from './mover.ts'

/** How a phone reports. */
export type Protocol = 'line' | 'http' | 'websocket' | 'mqtt' | 'owntracks' | 'owntracks-mqtt' | 'osmand'

/** Where a server is. */
export interface ServerAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** A way to a server that reports can go. */
export interface Reporter {
  /** Resolves when the server has taken the report. @throws {NotTaken}; what the network says */
  report(saying: Saying, where: Whereabouts): Promise<void>
  close(): void
}

/** The server has answered, and not with what a report taken is answered with. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
}

/** A phone waits no longer for a server. */
const ANSWER_MS_MAX = 5000
/** What is told of an answer that wasn't expected. */
const ANSWER_SHOWN = 120
const CLOSED = 'it closed the connection'

/** Makes a way to a server. @throws what the network says */
export const openReporter: Readonly<Record<Protocol, (server: ServerAddress) => Promise<Reporter>>> = {
  line: openLine,
  http: (server) => {
    return overHttp(server, '/v1/fixes', (saying, where) => json(reportJson(saying, where)))
  },
  websocket: openWebSocket,
  mqtt: (server) => {
    return overMqtt(server, (saying, where) => {
      const { client: _, ...report } = reportJson(saying, where)
      return [herdTopic(saying.client), JSON.stringify(report)]
    })
  },
  owntracks: (server) => {
    return overHttp(server, '/pub', (saying, where) => {
      const [user = '', device = 'phone'] = saying.client.split('/')
      const { headers, ...request } = json(ownTracksJson(saying, where))
      return { ...request, headers: { ...headers, 'x-limit-u': user, 'x-limit-d': device } }
    })
  },
  'owntracks-mqtt': (server) => {
    return overMqtt(server, (saying, where) => {
      return [`owntracks/${saying.client}`, JSON.stringify(ownTracksJson(saying, where))]
    })
  },
  osmand: async (server) => ({
    report: async (saying, where) => {
      await asked(`${originOf(server)}/?${osmAndQuery(saying, where)}`, {})
    },
    close: () => {},
  }),
}

function overHttp(
  server: ServerAddress,
  path: string,
  requestOf: (saying: Saying, where: Whereabouts) => RequestInit,
): Promise<Reporter> {
  return Promise.resolve({
    report: (saying, where) => asked(`${originOf(server)}${path}`, requestOf(saying, where)),
    close: () => {},
  })
}

function json(body: object): { method: string; headers: Record<string, string>; body: string } {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

async function asked(url: string, request: RequestInit): Promise<void> {
  const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch(causeOf)
  const text = await answer.text()
  // A page is for people: nobody has taken a report there.
  const isPage = answer.headers.get('content-type')?.startsWith('text/html') === true
  if (!answer.ok || isPage) throw new NotTaken(`${answer.status} ${text.slice(0, ANSWER_SHOWN)}`)
}

/** Why `fetch failed`. */
function causeOf(error: unknown): never {
  throw error instanceof Error && error.cause instanceof Error ? error.cause : error
}

/** IAMAT, one line at a time, over one connection. */
async function openLine(server: ServerAddress): Promise<Reporter> {
  const { host, port } = server
  const socket = connectTcp({ host, port, noDelay: true, timeout: ANSWER_MS_MAX })
  socket.on('timeout', () => {
    if (socket.connecting) socket.destroy(new Error(`no connection within ${ANSWER_MS_MAX} ms`))
  })
  await once(socket, 'connect')
  const answers = new Answers()
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      answers.settle(line.startsWith('AT ') ? null : new NotTaken(line.slice(0, ANSWER_SHOWN)))
    }
  })
  closing(socket, answers)
  return {
    report: (saying, where) => answers.next(() => socket.write(`${iamatLine(saying, where)}\n`)),
    close: () => socket.destroy(),
  }
}

function closing(socket: Socket, answers: Answers): void {
  socket.on('error', (error) => answers.end(error))
  socket.on('close', () => answers.end(new Error(CLOSED)))
}

async function openWebSocket({ host, port }: ServerAddress): Promise<Reporter> {
  const url = `ws://${hostText(host)}:${port}/v1/socket`
  const socket = new WebSocket(url, { handshakeTimeout: ANSWER_MS_MAX, perMessageDeflate: false })
  const answers = new Answers()
  const opened = Promise.withResolvers<void>()
  socket.on('open', () => opened.resolve())
  socket.on('unexpected-response', (_request, { statusCode }) => {
    opened.reject(new NotTaken(`${statusCode} to a WebSocket`))
    socket.terminate()
  })
  const end = (error: Error): void => {
    opened.reject(error)
    answers.end(error)
  }
  socket.on('error', end)
  socket.on('close', () => end(new Error(CLOSED)))
  socket.on('message', (data: Buffer) => {
    const said = data.toString('utf8')
    if (/"op": ?"reported"/.test(said)) answers.settle(null)
    else if (/"op": ?"problem"/.test(said)) answers.settle(new NotTaken(said.slice(0, ANSWER_SHOWN)))
  })
  await opened.promise
  return {
    report: (saying, where) => {
      const message = { op: 'report', id: '1', report: reportJson(saying, where) }
      return answers.next(() => socket.send(JSON.stringify(message)))
    },
    close: () => socket.terminate(),
  }
}

async function overMqtt(
  { host, port }: ServerAddress,
  messageOf: (saying: Saying, where: Whereabouts) => readonly [topic: string, payload: string],
): Promise<Reporter> {
  const options = { reconnectPeriod: 0, connectTimeout: ANSWER_MS_MAX, protocolVersion: 4 } as const
  const client = await connectMqtt(`mqtt://${hostText(host)}:${port}`, options)
  const closed = Promise.withResolvers<never>()
  // Nobody may be waiting.
  closed.promise.catch(() => {})
  client.on('error', (error) => closed.reject(error))
  client.on('close', () => closed.reject(new Error(CLOSED)))
  return {
    report: async (saying, where) => {
      const [topic, payload] = messageOf(saying, where)
      const timeout = rejectedAfter(ANSWER_MS_MAX)
      await Promise.race([client.publishAsync(topic, payload, { qos: 1 }), closed.promise, timeout.promise])
      timeout.cancel()
    },
    close: () => client.end(true),
  }
}

async function connectMqtt(url: string, options: Parameters<typeof connectAsync>[1]): Promise<MqttClient> {
  try {
    return await connectAsync(url, options, false)
  } catch (error) {
    // It is there, and says nothing that MQTT is.
    if (error instanceof Error && /connack|refused: /i.test(error.message)) throw new NotTaken(error.message)
    throw error
  }
}

/** Answers in the order of what they answer. */
class Answers {
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #error: Error | null = null

  async next(ask: () => void): Promise<void> {
    if (this.#error !== null) throw this.#error
    const answer = Promise.withResolvers<void>()
    this.#waiting.push(answer)
    ask()
    const timeout = rejectedAfter(ANSWER_MS_MAX)
    try {
      await Promise.race([answer.promise, timeout.promise])
    } finally {
      timeout.cancel()
    }
  }

  settle(error: Error | null): void {
    const first = this.#waiting.shift()
    if (error === null) first?.resolve()
    else first?.reject(error)
  }

  end(error: Error): void {
    this.#error ??= error
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }
}

function rejectedAfter(ms: number): { readonly promise: Promise<never>; cancel(): void } {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  promise.catch(() => {})
  return { promise, cancel: () => clearTimeout(timer) }
}

function originOf({ host, port }: ServerAddress): string {
  return `http://${hostText(host)}:${port}`
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
