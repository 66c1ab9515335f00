import type { HerdConfig } from './config.ts'
import { EVERYTHING, type Gatekeeper } from './gateways/access/grant.ts'
import { Calls, type CallsContext } from './gateways/calls/calls.ts'
import { HttpGateway } from './gateways/http/http-gateway.ts'
import type { Takers } from './gateways/line/connection-context.ts'
import { MqttGateway } from './gateways/mqtt/mqtt-gateway.ts'
import { WatchHub } from './gateways/watch/watch-hub.ts'
import { packageVersion } from './package-version.ts'
import type { Links } from './replication/links.ts'

/** What the gateways need of their server. */
export interface ServerGatewaysContext extends CallsContext {
  readonly links: Links
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
  const mqtt = config.mqtt.on
    ? await MqttGateway.open({
        ...{ ...context, calls, hub, gatekeeper },
        limits: { ...config.limits, ...config.mqtt },
      })
    : null
  return {
    takers: {
      http: http === null ? null : (socket, _connection, bytes) => http.take(socket, bytes),
      mqtt: mqtt === null ? null : (socket, _connection, bytes) => mqtt.take(socket, bytes),
      tls: (socket, connection, bytes) => links.acceptTls(socket, connection, bytes),
    },
    wake: () => hub.wake(),
    stop: async () => {
      await Promise.all([http?.stop(), mqtt?.stop()])
    },
  }
}
