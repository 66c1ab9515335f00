import type { ClientCertificate } from '../gateways/client-tls.ts'
import type { LinkCertificates } from '../replication/link-security.ts'
import type { MqttBridgeSecrets, PlacesSecrets } from '../secret.ts'

/** What whoever started a server should see: one line each. */
export interface ServerEvent {
  readonly level: 'info' | 'warning' | 'error'
  readonly event: string
  readonly text: string
}

/** A server that answers. */
export interface RunningServer {
  readonly name: string
  /** `alsoPorts` are as good as `port`. */
  readonly address: { readonly host: string; readonly port: number; readonly alsoPorts: readonly number[] }
  /** Resolves when it has left its herd because an operator said so: then it is to be stopped, and not started again. */
  readonly left: Promise<void>
  /** Ends it in order: no new connections, replies out, links closed, log written. */
  stop(): Promise<void>
}

/** What a server is given besides its configuration. */
export interface ServerOptions {
  /** This server's certificates, where links are proved by them. */
  readonly certificates?: LinkCertificates | undefined
  /** What clients that encrypt are shown. */
  readonly clientCertificate?: ClientCertificate | undefined
  /** What opens the broker of `mqttBridge`. */
  readonly mqttBridgeSecrets?: MqttBridgeSecrets | undefined
  /** What opens paid or closed sources of places. */
  readonly placesSecrets?: PlacesSecrets | undefined
  readonly report: (event: ServerEvent) => void
}
