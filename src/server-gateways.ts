import type { HerdConfig } from './config.ts'
import { EVERYTHING, type Gatekeeper } from './gateways/access/grant.ts'
import { Calls, type CallsContext } from './gateways/calls/calls.ts'
import { HttpGateway } from './gateways/http/http-gateway.ts'
import type { Takers } from './gateways/line/connection-context.ts'
import { WatchHub } from './gateways/watch/watch-hub.ts'
import { packageVersion } from './package-version.ts'
import type { Links } from './replication/links.ts'
import type { HerdHealth } from './server-health.ts'

/** What the gateways need of their server. */
export interface ServerGatewaysContext extends CallsContext {
  readonly links: Links
  /** How the servers of the herd are. */
  readonly health: HerdHealth
}

/** All gateways besides that of line commands. */
export interface ServerGateways {
  /** Who takes which connections. */
  readonly takers: Takers
  /** How many are told of fixes as they come. */
  readonly watchers: number
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
  const { links, log } = context
  const calls = new Calls(context)
  const hub = new WatchHub({ ...context, limits: config.limits })
  const gatekeeper: Gatekeeper = { admit: () => EVERYTHING }
  const http = config.http.on
    ? await HttpGateway.open({
        ...{ calls, hub, gatekeeper, log, version: packageVersion() },
        limits: config.http,
        allowedOrigins: config.http.allowedOrigins,
      })
    : null
  return {
    takers: {
      http: http === null ? null : (socket, _connection, bytes) => http.take(socket, bytes),
      mqtt: null,
      tls: (socket, connection, bytes) => links.acceptTls(socket, connection, bytes),
    },
    get watchers(): number {
      return hub.watchers
    },
    wake: () => hub.wake(),
    stop: async () => {
      await http?.stop()
    },
  }
}
