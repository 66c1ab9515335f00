import type { HerdConfig } from './config.ts'
import { EVERYTHING, type Gatekeeper } from './gateways/access/grant.ts'
import { Calls, type CallsContext } from './gateways/calls/calls.ts'
import { HttpGateway } from './gateways/http/http-gateway.ts'
import type { Takers } from './gateways/line/connection-context.ts'
import { WatchHub } from './gateways/watch/watch-hub.ts'
import { packageVersion } from './package-version.ts'
import type { Links } from './replication/links.ts'
import type { ServerStatus } from './replication/status.ts'

/** What the gateways need of their server. */
export interface ServerGatewaysContext extends CallsContext {
  readonly links: Links
  /** What the server says of itself. */
  readonly status: () => ServerStatus
}

/** All gateways besides that of line commands. */
export interface ServerGateways {
  /** Who takes which connections. */
  readonly takers: Takers
  /** There may be something to tell those who watch. */
  wake(): void
  /** Closes all their connections, each once what was asked is answered. */
  stop(): Promise<void>
}

/** Makes the gateways that the herd file has. */
export async function openGateways(
  config: HerdConfig,
  context: ServerGatewaysContext,
): Promise<ServerGateways> {
  const { links, log, counters, system, status } = context
  const calls = new Calls(context)
  const hub = new WatchHub({ ...context, limits: config.limits })
  const gatekeeper: Gatekeeper = { admit: () => EVERYTHING }
  const http = config.http.on
    ? await HttpGateway.open({
        ...{ calls, hub, gatekeeper, log, counters, system, version: packageVersion() },
        limits: { ...config.limits, ...config.http },
        allowedOrigins: config.http.allowedOrigins,
        allowedHosts: [...config.http.allowedHosts, ...config.servers.map(({ host }) => host)],
        status,
      })
    : null
  return {
    takers: {
      http: http === null ? null : (socket, connection, bytes) => http.take(socket, connection, bytes),
      mqtt: null,
      tls: (socket, connection, bytes) => links.acceptTls(socket, connection, bytes),
    },
    wake: () => hub.wake(),
    stop: async () => {
      await http?.stop()
    },
  }
}
