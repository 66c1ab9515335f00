/**
 * The shape of a herd's configuration. What each setting means, its range and its default stand in
 * `settings.ts`, which the compiler holds equal to these names.
 */
import type { AckLevel } from '../protocol/index.ts'
import type { MqttBridgeEntry, MqttBridgeSettings, MqttSettings } from './mqtt-config.ts'
import type { PlacesEntry, PlacesSettings } from './places-config.ts'

/** Everything a herd's servers need to know, checked and resolved. Secrets and keys are never in it. */
export interface HerdConfig {
  /** The herd's name. */
  readonly name: string
  /** The herd file that this came from, absolute. */
  readonly file: string
  /** In the order of the herd file; at least one. */
  readonly servers: readonly ServerSettings[]
  /** Absolute. */
  readonly stateFolder: string
  /** Absolute; undefined: the secret is in the state folder. */
  readonly secretFile: string | undefined
  readonly logs: LogSettings
  readonly places: PlacesSettings
  readonly link: LinkSettings
  readonly limits: LimitSettings
  readonly journal: JournalSettings
  readonly http: HttpSettings
  readonly map: MapSettings
  readonly clients: ClientSettings
  readonly mqtt: MqttSettings
  readonly mqttBridge: MqttBridgeSettings
  /** Where a report must be held before it is answered, unless a client asks for something else. */
  readonly ack: AckLevel
  /** A fix is forgotten when its effective time is longer ago than this; infinity: never. */
  readonly forgetAfterSeconds: number
  /** What is accepted, but should be known: one sentence each. */
  readonly warnings: readonly string[]
}

/** One member of the herd. */
export interface ServerSettings {
  readonly name: string
  /** A host name or an address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** Ports at the same host that are as good as `port`. */
  readonly alsoPorts: readonly number[]
  /** A server of the old kind: it isn't started by us and speaks bare AT lines. */
  readonly classic: boolean
  /** The names of the servers that it has a link with, in the order of the herd file. */
  readonly neighbors: readonly string[]
}

/** How much is logged: every line in and out, or only what happens to connections and links. */
export type LogLevel = 'traffic' | 'events'

/** `logs`: where each server's log goes and how big it may grow. */
export interface LogSettings {
  /** Absolute. */
  readonly folder: string
  readonly level: LogLevel
  readonly fileBytesMax: number
  readonly filesMax: number
  readonly bufferBytesMax: number
}

/** `clients`: who may report and read. */
export interface ClientSettings {
  /** Absolute; undefined: in the state folder. */
  readonly tokensFile: string | undefined
  /** Whether other machines are admitted while there are no tokens. */
  readonly open: boolean
  /** Absolute, like the other: what clients that encrypt are shown; undefined: none may. */
  readonly certificateFile: string | undefined
  readonly keyFile: string | undefined
}

/** `map`: the live map. */
export interface MapSettings {
  /** Absolute path of an archive of street tiles. */
  readonly pmtiles: string | undefined
}

/** `http`: the API, the map, streams and whatever else speaks HTTP. */
export interface HttpSettings {
  readonly on: boolean
  /** Origins besides a server's own whose pages may ask it. */
  readonly allowedOrigins: readonly string[]
  readonly bodyBytesMax: number
  readonly headMsMax: number
  readonly requestMsMax: number
  readonly idleMsMax: number
  readonly heartbeatMs: number
  readonly pendingMax: number
  readonly messageBytesMax: number
  readonly watchesPerSocketMax: number
  /** Names by which servers may be called, besides addresses, `localhost` and the hosts of the herd file; `*`: all. */
  readonly allowedHosts: readonly string[]
}

/** `journal`: what each server keeps on its disk, so that a restart doesn't forget. */
export interface JournalSettings {
  readonly keep: boolean
  /** Absolute. Each server has a folder of its own in it. */
  readonly folder: string
  readonly everyMs: number
  readonly batchBytesMax: number
  readonly compactBytesMin: number
  readonly retryMs: number
}

/** `link`: the pace of the links between servers, and how they are encrypted. */
export interface LinkSettings extends LinkEntry {
  /** Absolute, like the other two; `{server}` in it stands for the server's name. */
  readonly caFile: string | undefined
  readonly certificateFile: string | undefined
  readonly keyFile: string | undefined
}

/** `link` as it stands in a herd file. */
export interface LinkEntry {
  /** `psk`: by the herd's secret. `certificates`: by certificates too. `none`: not at all, on loopback only. */
  readonly encryption: 'psk' | 'certificates' | 'none'
  readonly caFile?: string | undefined
  readonly certificateFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly heartbeatMs: number
  readonly silenceMsMax: number
  readonly progressMsMax: number
  readonly handshakeMsMax: number
  readonly handshakeLineBytesMax: number
  readonly redialMsMin: number
  readonly redialMsMax: number
  readonly batchBytesMax: number
  readonly batchMs: number
  readonly claimMs: number
  readonly auditMs: number
  readonly joinedMax: number
  readonly joinedGoneMs: number
  readonly clockOffsetMsMax: number
}

/** `limits`: what one client, one address and all of them together may cost a server. */
export interface LimitSettings {
  readonly lineBytesMax: number
  readonly firstLineMsMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly pendingWhatsatsMax: number
  readonly replyBytesMax: number
  readonly slowReaderMsMax: number
  readonly lingerMsMax: number
  readonly clientsMax: number
  readonly tableBytesMax: number
  readonly serverNamesMax: number
  readonly runsMax: number
  readonly ackMsMax: number
  readonly whosatItemsMax: number
  readonly whosatBytesMax: number
  /** 0: no limit. */
  readonly fixesPerSecondPerAddressMax: number
  readonly watchesPerConnectionMax: number
  readonly watchersMax: number
  readonly watchRememberedMax: number
}

/** A herd file as it stands, with the defaults filled in and nothing resolved yet. */
export interface HerdFile {
  readonly herd: string
  readonly servers: Readonly<Record<string, ServerEntry>>
  readonly links: readonly (readonly [string, string])[]
  readonly stateFolder: string
  readonly secretFile?: string
  readonly logs: Omit<LogSettings, 'folder'> & { readonly folder?: string }
  readonly places: PlacesEntry
  readonly link: LinkEntry
  readonly limits: LimitSettings
  readonly journal: Omit<JournalSettings, 'folder'> & { readonly folder?: string }
  readonly http: HttpSettings
  readonly map: MapSettings
  readonly clients: { readonly open: boolean } & Partial<ClientSettings>
  readonly mqtt: MqttSettings
  readonly mqttBridge: MqttBridgeEntry
  readonly ack: string
  readonly forgetAfter: string
}

/** One server as it stands in a herd file, under its name. */
export interface ServerEntry {
  readonly host: string
  readonly port: number
  readonly alsoPorts: readonly number[]
  readonly classic: boolean
}
