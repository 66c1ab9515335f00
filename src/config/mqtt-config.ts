/** The shape of `mqtt` and `mqttBridge` in a herd's configuration. What each setting means stands in `mqtt-settings.ts`. */

/** `mqtt`: what speaks MQTT on a server's port. */
export interface MqttSettings {
  readonly on: boolean
  readonly connectMsMax: number
  readonly messageBytesMax: number
  readonly subscriptionsPerConnectionMax: number
  readonly inflightMax: number
  readonly sessionsMax: number
  readonly queuedMax: number
  readonly retainedMax: number
  readonly retainedBytesMax: number
}

/** `mqttBridge` as it stands in a herd file. */
export interface MqttBridgeEntry {
  /** Without it there is no bridge. */
  readonly url?: string
  /** The servers that have one; none named: all. */
  readonly servers: readonly string[]
  readonly topics: readonly string[]
  readonly publish: boolean
  readonly prefix?: string
  readonly username?: string
  readonly passwordFile?: string
  readonly caFile?: string
  readonly inflightMax: number
}

/** `mqttBridge`. */
export interface MqttBridgeSettings extends Omit<MqttBridgeEntry, 'passwordFile' | 'caFile'> {
  /** Absolute. */
  readonly passwordFile: string | undefined
  /** Absolute. */
  readonly caFile: string | undefined
}
