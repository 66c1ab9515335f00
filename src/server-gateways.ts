import type { Socket } from 'node:net'
import type { HerdConfig } from './config.ts'
import { TokenGatekeeper } from './gateways/access/gatekeeper.ts'
import type { Gatekeeper } from './gateways/access/grant.ts'
import { Calls, type CallsContext } from './gateways/calls/calls.ts'
import { type ClientCertificate, ClientTls } from './gateways/client-tls.ts'
import { HttpGateway } from './gateways/http/http-gateway.ts'
import type { TakeConnection, Takers } from './gateways/line/connection-context.ts'
import { MqttGateway } from './gateways/mqtt/mqtt-gateway.ts'
import { WatchHub } from './gateways/watch/watch-hub.ts'
import { packageVersion } from './package-version.ts'
import type { Links } from './replication/links.ts'
import type { ServerStatus } from './replication/status.ts'
import type { ServerEvent } from './server.ts'
import type { HerdHealth } from './server-health.ts'
import { TokenFileWatch, tokensFileOf } from './token-file.ts'

/** What the gateways need of their server. */
export interface ServerGatewaysContext extends CallsContext {
  readonly links: Links
  /** What the server says of itself. */
  readonly status: () => ServerStatus
  /** How the servers of the herd are. */
  readonly health: HerdHealth
  /** What clients that encrypt are shown. */
  readonly certificate: ClientCertificate | undefined
  readonly report: (event: ServerEvent) => void
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
        ...{ calls, hub, gatekeeper, log, counters, system, version: packageVersion() },
        limits: { ...config.limits, ...config.http },
        allowedOrigins: config.http.allowedOrigins,
        map: config.map,
        allowedHosts: [...config.http.allowedHosts, ...config.servers.map(({ host }) => host)],
        status,
        view: () => context.health.view(),
      })
    : null
  const takeLink: TakeConnection = (socket, connection, bytes) => links.acceptTls(socket, connection, bytes)
  const { certificate } = context
  const tls =
    certificate === undefined
      ? null
      : new ClientTls({ ...context, limits: config.limits, certificate, takeLink })
  const mqtt = config.mqtt.on
    ? await MqttGateway.open({
        ...{ ...context, calls, hub, gatekeeper },
        limits: { ...config.limits, ...config.mqtt },
      })
    : null
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
      await Promise.all([http?.stop(), mqtt?.stop()])
    },
  }
}

function watchTokens(
  config: HerdConfig,
  gatekeeper: TokenGatekeeper,
  { log, report, system }: ServerGatewaysContext,
): TokenFileWatch {
  return new TokenFileWatch(
    tokensFileOf(config),
    (tokens) => {
      gatekeeper.use(tokens)
      if (tokens.length > 0) log.event('info', 'client tokens', { tokens: tokens.length })
    },
    (text) => {
      log.event('error', 'client tokens', { text })
      report({ level: 'error', event: 'tokens', text })
    },
    system.after,
  )
}
