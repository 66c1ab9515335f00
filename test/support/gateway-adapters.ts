/** Every way to report to a herd, each behind one face: what a gateway's protocol looks like is known here and nowhere in the laws. */
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { HerdClient } from '../../src/client/index.ts'
import type { LiveHerd } from './live-herd.ts'
import { LiveMqtt } from './live-mqtt.ts'

/** A client says where it is. */
export interface GatewayReport {
  readonly client: string
  /** Degrees. */
  readonly lat: number
  /** Degrees. */
  readonly lon: number
  /** Since 1970, a whole number. */
  readonly seconds: number
}

/** `kept`: the report was acknowledged. `refused`: it was not and won't be, by an answer or by the end of the connection. */
export type Outcome = 'kept' | 'refused'

/** Somebody who reports. */
export interface Reporter {
  /** Reports; several at a time may be on their way. It never rejects. */
  readonly report: (report: GatewayReport) => Promise<Outcome>
  /** Ends it; what is on its way is refused. */
  readonly close: () => Promise<void>
}

/** Where a reporter connects to, and what it shows. */
export interface Door {
  readonly herd: LiveHerd
  readonly server: string
  readonly token?: string | undefined
}

/** A way to report. */
export interface Way {
  readonly name: string
  /**
   * Whether it says that a report makes no sense or isn't allowed. MQTT 3.1.1 has no word for it: such a report is acknowledged and
   * dropped, or it would come again for ever.
   */
  readonly canRefuse: boolean
  /** What becomes of who reports too fast: it is read more slowly or tries again, or it is refused. */
  readonly tooFast: 'waits' | 'refused'
  /** Whether it tries again by itself what may go better later: then it never hears of a refusal. */
  readonly triesAgain: boolean
  /** The ID of a client that this way may call by this name. */
  readonly clientOf: (name: string) => string
  /** Whether its protocol can say this ID. */
  readonly canSay: (client: string) => boolean
  /** Connects. Who isn't let in is a reporter whose reports are refused. */
  readonly connect: (t: TestContext, door: Door) => Promise<Reporter>
}

const USUAL = {
  canRefuse: true,
  tooFast: 'refused',
  triesAgain: false,
  clientOf: (name: string): string => name,
  canSay: (): boolean => true,
} as const

/** What is named like a user's device. */
const DEVICES = {
  clientOf: (name: string): string => `${name}/phone`,
  canSay: (client: string): boolean => /^[^/+#]+\/[^/+#]+$/u.test(client),
}

const NOBODY: Reporter = {
  report: () => Promise.resolve('refused'),
  close: () => Promise.resolve(),
}

function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  return work.then(
    () => 'kept',
    () => 'refused',
  )
}

function degrees(value: number): string {
  // A line has no exponents; what is no number stays none.
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(9)}`
}

const line: Way = {
  ...USUAL,
  name: 'IAMAT',
  tooFast: 'waits',
  connect: async (_t, { herd, server, token }) => {
    const client = await herd.connect(server)
    // A wrong one is answered, and the connection lives on without.
    if (token !== undefined) await client.ask(`TOKEN ${token}`)
    let before: Promise<unknown> = Promise.resolve()
    const reply = async (sent: Promise<void>, earlier: Promise<unknown>): Promise<Outcome> => {
      await Promise.all([sent, earlier])
      try {
        return (await client.line()).startsWith('AT ') ? 'kept' : 'refused'
      } catch (error) {
        if (client.isEnded) return 'refused'
        throw error
      }
    }
    return {
      report: ({ client: id, lat, lon, seconds }) => {
        const sent = client.send(`IAMAT ${id} ${degrees(lat)}${degrees(lon)} ${seconds}\n`)
        // Replies come in the order of the commands.
        const outcome = reply(sent, before)
        before = outcome
        return outcome
      },
      close: () => Promise.resolve(void client.socket.destroy()),
    }
  },
}

/** A report as one request. */
interface RequestOf {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly token?: string | undefined
}

/** A way of requests, each with the token as a bearer's unless the request has a place of its own for it. */
function requests(
  name: string,
  requestOf: (report: GatewayReport, token: string | undefined) => RequestOf,
  isKept: (response: Response, body: string) => boolean,
  more: Partial<Way> = {},
): Way {
  const send = async (base: string, request: RequestOf, signal: AbortSignal): Promise<Outcome> => {
    const { path, method = 'POST', headers = {}, body, token } = request
    try {
      const response = await fetch(base + path, {
        method,
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        ...(body !== undefined && { body }),
        signal,
      })
      return isKept(response, await response.text()) ? 'kept' : 'refused'
    } catch {
      // Nobody is there to answer.
      return 'refused'
    }
  }
  return {
    ...{ ...USUAL, name, ...more },
    connect: (_t, { herd, server, token }) => {
      const closing = new AbortController()
      const base = `http://${herd.host(server)}:${herd.port(server)}`
      return Promise.resolve({
        report: (report) => send(base, requestOf(report, token), closing.signal),
        close: () => Promise.resolve(closing.abort()),
      })
    },
  }
}

const isOk = ({ status }: Response): boolean => status === 200
const JSON_BODY = { 'content-type': 'application/json' }
const FORM_BODY = { 'content-type': 'application/x-www-form-urlencoded' }

const httpJson = requests(
  'HTTP with JSON',
  ({ client, lat, lon, seconds }, token) => ({
    ...{ path: '/v1/fixes', headers: JSON_BODY, token },
    body: JSON.stringify({ client, lat, lon, time: seconds }),
  }),
  isOk,
)

const httpGeojson = requests(
  'HTTP with GeoJSON',
  ({ client, lat, lon, seconds }, token) => ({
    ...{ path: '/v1/fixes', headers: { 'content-type': 'application/geo+json' }, token },
    body: JSON.stringify({
      ...{ type: 'Feature', id: client, properties: { time: `${seconds}` } },
      geometry: { type: 'Point', coordinates: [lon, lat] },
    }),
  }),
  // Each of a list has a result of its own.
  (response, body) => isOk(response) && JSON.parse(body)[0].outcome !== undefined,
)

/** What comes back about an OwnTracks location: one that makes no sense is left out with 200, and a header field says so. */
const isTaken = (response: Response): boolean => isOk(response) && !response.headers.has('herd-left-out')

function basic(user: string, token: string | undefined): Readonly<Record<string, string>> {
  if (token === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}` }
}

function ownTracksBody({ lat, lon, seconds }: GatewayReport): string {
  return JSON.stringify({ _type: 'location', tid: 'xx', lat, lon, tst: seconds })
}

const ownTracksPath = requests(
  'OwnTracks over HTTP, named by the path',
  (report, token) => {
    const [user = '', device = ''] = report.client.split('/')
    const path = `/owntracks/${encodeURIComponent(user)}/${encodeURIComponent(device)}`
    return { path, headers: basic('whoever', token), body: ownTracksBody(report) }
  },
  isTaken,
  DEVICES,
)

const ownTracksHeaders = requests(
  'OwnTracks over HTTP, named by header fields',
  (report, token) => {
    // Fields are bytes, and what is written there is UTF-8.
    const [user = '', device = ''] = report.client
      .split('/')
      .map((name) => Buffer.from(name).toString('latin1'))
    const headers = { 'x-limit-u': user, 'x-limit-d': device, ...basic('whoever', token) }
    return { path: '/pub', headers, body: ownTracksBody(report) }
  },
  isTaken,
  {
    ...DEVICES,
    // A field holds no control characters.
    canSay: (client) => DEVICES.canSay(client) && !/\p{Cc}/u.test(client),
  },
)

function osmAndFields({ client, lat, lon, seconds }: GatewayReport, token: string | undefined): string {
  return new URLSearchParams({
    ...{ id: client, lat: `${lat}`, lon: `${lon}`, timestamp: `${seconds}` },
    ...(token !== undefined && { token }),
  }).toString()
}

const osmAndQuery = requests(
  'OsmAnd with a query',
  (report, token) => ({ method: 'GET', path: `/osmand?${osmAndFields(report, token)}` }),
  isOk,
)

const osmAndForm = requests(
  'Traccar Client with a form',
  (report, token) => ({ path: '/', headers: FORM_BODY, body: osmAndFields(report, token) }),
  isOk,
)

const traccarJson = requests(
  'Traccar Client with JSON',
  ({ client, lat, lon, seconds }, token) => ({
    path: token === undefined ? '/' : `/?${new URLSearchParams({ token }).toString()}`,
    headers: JSON_BODY,
    body: JSON.stringify({
      device_id: client,
      location: { timestamp: seconds, coords: { latitude: lat, longitude: lon } },
    }),
  }),
  isOk,
)

const socket: Way = {
  ...USUAL,
  name: 'WebSocket',
  connect: async (t, { herd, server, token }) => {
    const raw = new WebSocket(`ws://${herd.host(server)}:${herd.port(server)}/v1/socket`)
    t.after(() => raw.terminate())
    const waiting = new Map<string, (outcome: Outcome) => void>()
    raw.on('error', () => {})
    raw.on('message', (data: Buffer) => {
      const { op, id } = JSON.parse(data.toString('utf8'))
      waiting.get(id)?.(op === 'reported' ? 'kept' : 'refused')
      waiting.delete(id)
    })
    raw.on('close', () => {
      for (const settle of waiting.values()) settle('refused')
    })
    await once(raw, 'open')
    if (token !== undefined) raw.send(JSON.stringify({ op: 'token', token }))
    let reports = 0
    return {
      report: ({ client, lat, lon, seconds }) => {
        if (raw.readyState !== raw.OPEN) return Promise.resolve('refused')
        const id = `${++reports}`
        const report = { client, lat, lon, time: `${seconds}` }
        return new Promise((resolve) => {
          waiting.set(id, resolve)
          raw.send(JSON.stringify({ op: 'report', id, report }))
        })
      },
      close: () => Promise.resolve(raw.terminate()),
    }
  },
}

const herdClient: Way = {
  ...USUAL,
  name: 'herd/client',
  tooFast: 'waits',
  triesAgain: true,
  connect: (t, { herd, server, token }) => {
    const client = new HerdClient({
      servers: [`http://${herd.host(server)}:${herd.port(server)}`],
      ...(token !== undefined && { token }),
      backoff: { firstMs: 50, mostMs: 500 },
    })
    const close = async (): Promise<void> => void (await client.close({ withinMs: 0 }))
    t.after(close)
    return Promise.resolve({
      report: ({ client: id, lat, lon, seconds }) =>
        outcomeOf(client.report({ client: id, lat, lon, time: `${seconds}` })),
      close,
    })
  },
}

/** A way over MQTT at QoS 1. */
function mqtt(
  name: string,
  messageOf: (report: GatewayReport) => readonly [topic: string, body: object],
  more: Partial<Way>,
): Way {
  return {
    ...{ ...USUAL, name, canRefuse: false, tooFast: 'waits', ...more },
    connect: async (t, { herd, server, token }) => {
      const options = token === undefined ? {} : { username: 'whoever', password: token }
      const live = await LiveMqtt.connect(t, herd.port(server), options).catch(() => null)
      if (live === null) return NOBODY
      const { client } = live
      const closed = new Promise<Outcome>((resolve) => client.once('close', () => resolve('refused')))
      return {
        report: (report) => {
          const [topic, body] = messageOf(report)
          const published = client.publishAsync(topic, JSON.stringify(body), { qos: 1 })
          return Promise.race([closed, outcomeOf(published)])
        },
        close: () => client.endAsync(true),
      }
    },
  }
}

const SIGNS: Readonly<Record<string, string>> = { '/': '%2F', '+': '%2B', '#': '%23', '%': '%25' }

const mqttHerd = mqtt(
  'MQTT, herd/<client>/fix',
  ({ client, lat, lon, seconds }) => [
    `herd/${client.replaceAll(/[/+#%]/g, (sign) => SIGNS[sign] ?? sign)}/fix`,
    { lat, lon, time: `${seconds}` },
  ],
  // MQTT 3.1.1 §4.7.3: no topic holds this character.
  { canSay: (client) => !client.includes('\0') },
)

const mqttOwnTracks = mqtt(
  'MQTT, owntracks/<user>/<device>',
  (report) => [`owntracks/${report.client}`, JSON.parse(ownTracksBody(report))],
  { ...DEVICES, canSay: (client) => DEVICES.canSay(client) && !client.includes('\0') },
)

/** All of them. */
export const WAYS: readonly Way[] = [
  ...[line, httpJson, httpGeojson, socket, herdClient, mqttHerd, mqttOwnTracks],
  ...[ownTracksPath, ownTracksHeaders, osmAndQuery, osmAndForm, traccarJson],
]
