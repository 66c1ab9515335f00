/** One phone's way to one server, by one protocol. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connectAsync, type MqttClient } from 'mqtt'
import { WebSocket } from 'ws'
import { herdTopic, iamatLine, osmAndQuery, ownTracksJson, reportJson, type Saying } from './messages.ts'
import type { Whereabouts } from './mover.ts'

/** How a phone reports. */
export type Protocol = 'line' | 'http' | 'websocket' | 'mqtt' | 'owntracks' | 'owntracks-mqtt' | 'osmand'

/** Where a server is, and what is shown to it. */
export interface ServerAddress {
  readonly name: string
  readonly host: string
  readonly port: number
  /** A client token; undefined: none. */
  readonly token?: string | undefined
}

/** A way to a server that reports can go. */
export interface Reporter {
  /** Resolves when the server has taken the report. @throws {NotTaken}; what the network says */
  report(saying: Saying, where: Whereabouts): Promise<void>
  close(): void
}

/** The server has answered, and not with what a report taken is answered with. */
export class NotTaken extends Error {
  override readonly name: string = 'NotTaken'
}

/** It has answered that this phone, or whoever shows this token, may not report. */
export class NotAllowed extends NotTaken {
  override readonly name = 'NotAllowed'
}

/** What lines and messages say of that; HTTP has numbers for it. */
const NOT_ALLOWED = /client token|may not report|not authorized|"status": ?40[13]\b/i
/** A phone waits no longer for a server. */
const ANSWER_MS_MAX = 5000
/** What is told of an answer that wasn't expected. */
const ANSWER_SHOWN = 120
const CLOSED = 'it closed the connection'

/** Makes a way to a server. @throws what the network says */
export const openReporter: Readonly<Record<Protocol, (server: ServerAddress) => Promise<Reporter>>> = {
  line: openLine,
  http: (server) => {
    return overHttp(server, '/v1/fixes', (saying, where) => json(reportJson(saying, where), bearer(server)))
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
      return json(ownTracksJson(saying, where), {
        ...{ 'x-limit-u': user, 'x-limit-d': device },
        ...(server.token !== undefined && { authorization: basic(user, server.token) }),
      })
    })
  },
  'owntracks-mqtt': (server) => {
    return overMqtt(server, (saying, where) => {
      return [`owntracks/${saying.client}`, JSON.stringify(ownTracksJson(saying, where))]
    })
  },
  osmand: async (server) => ({
    report: async (saying, where) => {
      const token = server.token === undefined ? '' : `&token=${encodeURIComponent(server.token)}`
      await asked(`${originOf(server)}/?${osmAndQuery(saying, where)}${token}`, {})
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

function json(body: object, headers: Readonly<Record<string, string>>): RequestInit {
  return {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  }
}

function bearer({ token }: ServerAddress): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** The app OwnTracks knows users and passwords. */
function basic(user: string, token: string): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`
}

async function asked(url: string, request: RequestInit): Promise<void> {
  const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch(causeOf)
  const text = await answer.text()
  // A page is for people: nobody has taken a report there.
  const isPage = answer.headers.get('content-type')?.startsWith('text/html') === true
  if (!answer.ok || isPage) throw refusal(`${answer.status} ${text}`, [401, 403].includes(answer.status))
}

function refusal(said: string, isNotAllowed: boolean = NOT_ALLOWED.test(said)): NotTaken {
  return new (isNotAllowed ? NotAllowed : NotTaken)(said.slice(0, ANSWER_SHOWN))
}

/** Why `fetch failed`. */
function causeOf(error: unknown): never {
  throw error instanceof Error && error.cause instanceof Error ? error.cause : error
}

/** IAMAT, one line at a time, over one connection. */
async function openLine({ host, port, token }: ServerAddress): Promise<Reporter> {
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
      answers.settle(/^(?:AT|TOKEN) /.test(line) ? null : refusal(line))
    }
  })
  closing(socket, answers)
  if (token !== undefined) await answers.next(() => socket.write(`TOKEN ${token}\n`))
  return {
    report: (saying, where) => answers.next(() => socket.write(`${iamatLine(saying, where)}\n`)),
    close: () => socket.destroy(),
  }
}

function closing(socket: Socket, answers: Answers): void {
  socket.on('error', (error) => answers.end(error))
  socket.on('close', () => answers.end(new Error(CLOSED)))
}

async function openWebSocket(server: ServerAddress): Promise<Reporter> {
  const url = `ws://${hostText(server.host)}:${server.port}/v1/socket`
  const headers = bearer(server)
  const socket = new WebSocket(url, { headers, handshakeTimeout: ANSWER_MS_MAX, perMessageDeflate: false })
  const answers = new Answers()
  const opened = Promise.withResolvers<void>()
  socket.on('open', () => opened.resolve())
  socket.on('unexpected-response', (_request, { statusCode }) => {
    opened.reject(refusal(`${statusCode} to a WebSocket`, statusCode === 401 || statusCode === 403))
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
    else if (/"op": ?"problem"/.test(said)) answers.settle(refusal(said))
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
  { host, port, token }: ServerAddress,
  messageOf: (saying: Saying, where: Whereabouts) => readonly [topic: string, payload: string],
): Promise<Reporter> {
  const options = { reconnectPeriod: 0, connectTimeout: ANSWER_MS_MAX, protocolVersion: 4 } as const
  // MQTT 3.1.1 has no password without a user; whose token it is the token says itself.
  const shown = token === undefined ? {} : { username: 'demo', password: token }
  const client = await connectMqtt(`mqtt://${hostText(host)}:${port}`, { ...options, ...shown })
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
    if (error instanceof Error && /connack|refused: /i.test(error.message)) throw refusal(error.message)
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
