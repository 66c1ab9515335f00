import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import type { HerdConfig } from '../config.ts'
import { TokenGatekeeper } from '../gateways/access/gatekeeper.ts'
import type { Gatekeeper } from '../gateways/access/grant.ts'
import type { TokenEntry } from '../gateways/access/tokens.ts'
import { Calls, type CallsContext } from '../gateways/calls/calls.ts'
import { type ClientCertificate, ClientTls } from '../gateways/client-tls.ts'
import { HttpGateway } from '../gateways/http/http-gateway.ts'
import type { TakeConnection, Takers } from '../gateways/line/connection-context.ts'
import type { MqttBridge, MqttBridgeContext } from '../gateways/mqtt/mqtt-bridge.ts'
import { MqttGateway } from '../gateways/mqtt/mqtt-gateway.ts'
import { WatchHub } from '../gateways/watch/watch-hub.ts'
import { PACKAGE_VERSION } from '../package-version.ts'
import type { Links } from '../replication/links.ts'
import type { ServerStatus } from '../replication/status.ts'
import type { MqttBridgeSecrets } from '../secret.ts'
import { TokenFileWatch, tokensFileOf } from '../token-file.ts'
import type { HerdHealth } from './health.ts'
import type { ServerEvent } from './options.ts'

/** What the gateways need of their server. */
export interface ServerGatewaysContext extends CallsContext {
  readonly links: Links
  /** What the server says of itself. */
  readonly status: () => ServerStatus
  /** How the servers of the herd are. */
  readonly health: HerdHealth
  /** What clients that encrypt are shown. */
  readonly certificate: ClientCertificate | undefined
  /** Whether other machines can reach this server. */
  readonly isExposed: boolean
  readonly report: (event: ServerEvent) => void
  /** This server's. */
  readonly name: string
  readonly mqttBridgeSecrets: MqttBridgeSecrets | undefined
  /** Serves what comes out of a connection that is encrypted. */
  readonly serve: (socket: Socket, connection: number) => void
}

/** All gateways besides that of line commands. */
export interface ServerGateways {
  readonly gatekeeper: Gatekeeper
  readonly hub: WatchHub
  /** Who takes which connections. */
  readonly takers: Takers
  /** There may be something to tell those who watch. */
  wake(): void
  /** Closes all their connections, each once what was asked is answered. */
  stop(): Promise<void>
}

/**
 * Makes the gateways that the herd file has.
 *
 * @throws {TokensInvalid} when there are client tokens that can't be read: without them, everybody would be let in.
 */
export async function openGateways(
  config: HerdConfig,
  context: ServerGatewaysContext,
): Promise<ServerGateways> {
  const { links, log, counters, system, status } = context
  const calls = new Calls(context)
  const hub = new WatchHub({ ...context, limits: config.limits })
  const gatekeeper = new TokenGatekeeper({ open: config.clients.open, counters })
  const tokens = watchTokens(config, gatekeeper, context)
  await tokens.start()
  const http = config.http.on
    ? await HttpGateway.open({
        ...{ calls, hub, gatekeeper, log, counters, system, version: PACKAGE_VERSION },
        limits: { ...config.limits, ...config.http },
        allowedOrigins: config.http.allowedOrigins,
        allowedHosts: [...config.http.allowedHosts, ...hostNames(config)],
        status,
        view: () => context.health.view(),
        map: config.map,
      })
    : null
  const mqtt = config.mqtt.on
    ? await MqttGateway.open({
        ...{ ...context, calls, hub, gatekeeper },
        limits: { ...config.limits, ...config.mqtt },
      })
    : null
  const bridge = await openBridge(config, { ...context, calls, hub })
  const takeLink: TakeConnection = (socket, connection, bytes) => links.acceptTls(socket, connection, bytes)
  const { certificate } = context
  const tls =
    certificate === undefined
      ? null
      : new ClientTls({ ...context, limits: config.limits, certificate, takeLink })
  return {
    gatekeeper,
    hub,
    takers: {
      http: http === null ? null : (socket, connection, bytes) => http.take(socket, connection, bytes),
      mqtt: mqtt === null ? null : (socket, _connection, bytes) => mqtt.take(socket, bytes),
      tls: tls === null ? takeLink : (socket, connection, bytes) => tls.take(socket, connection, bytes),
    },
    wake: () => hub.wake(),
    stop: async () => {
      tokens.stop()
      tls?.stop()
      await Promise.all([http?.stop(), mqtt?.stop(), bridge?.stop()])
    },
  }
}

/** Connects to the broker that the herd file names, if it is this server that does. */
async function openBridge(
  { mqttBridge, servers, name: herd }: HerdConfig,
  context: ServerGatewaysContext & MqttBridgeContext,
): Promise<MqttBridge | null> {
  const { name, mqttBridgeSecrets: secrets } = context
  const { url, servers: named, prefix = '' } = mqttBridge
  const ours = servers.filter(({ classic }) => !classic).map((server) => server.name)
  const bridging = new Set(named.length > 0 ? named : ours)
  if (url === undefined || !bridging.has(name)) return null
  const isOurs = (server: string): boolean => server === name || !bridging.has(server)
  const { username, topics, publish, inflightMax } = mqttBridge
  // Its package takes a while to load, and few need it.
  const { MqttBridge } = await import('../gateways/mqtt/mqtt-bridge.ts')
  return new MqttBridge(
    {
      ...{ url, topics, publish, prefix, username, inflightMax, isOurs, clientId: `herd-${herd}-${name}` },
      ...{ password: secrets?.password, ca: secrets?.ca },
    },
    context,
  )
}

function watchTokens(
  config: HerdConfig,
  gatekeeper: TokenGatekeeper,
  { log, report, system, isExposed }: ServerGatewaysContext,
): TokenFileWatch {
  let door = ''
  const use = (tokens: readonly TokenEntry[]): void => {
    gatekeeper.use(tokens)
    // On loopback there is nothing to tell until there are tokens.
    if (tokens.length > 0 || door !== '') log.event('info', 'client tokens', { tokens: tokens.length })
    const text = doorText(tokens.length > 0, config.clients.open)
    // Who is admitted has changed, or is told for the first time.
    if (text !== door && (isExposed || tokens.length > 0 || door !== ''))
      report({ level: tokens.length === 0 && isExposed ? 'warning' : 'info', event: 'clients', text })
    door = text
  }
  const trouble = (text: string): void => {
    log.event('error', 'client tokens', { text })
    report({ level: 'error', event: 'tokens', text })
  }
  return new TokenFileWatch(tokensFileOf(config), use, trouble, system.after)
}

/** Who is admitted. */
function doorText(hasTokens: boolean, isOpen: boolean): string {
  if (hasTokens) return 'every client must show a client token'
  if (isOpen) return 'there are no client tokens: whoever reaches this server may report as any client'
  return 'there are no client tokens: only clients on this machine are answered (herd token create, or clients.open: true, admits others)'
}

/** By which the servers of the herd are called: as the herd file has them, and as this machine calls itself. */
function hostNames({ servers }: HerdConfig): string[] {
  return [...servers.map(({ host }) => host), hostname(), `${hostname()}.local`]
}
