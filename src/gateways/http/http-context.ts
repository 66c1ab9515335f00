import type { Counters } from '../../counters.ts'
import type { Log } from '../../logs/server-log.ts'
import type { HerdView } from '../../replication/herd-view.ts'
import type { ServerStatus } from '../../replication/status.ts'
import type { System } from '../../system.ts'
import type { Gatekeeper } from '../access/grant.ts'
import type { Calls } from '../calls/calls.ts'
import type { WatchHub } from '../watch/watch-hub.ts'
import type { MapContext } from './map-routes.ts'

/** Bounds of HTTP. */
export interface HttpLimits {
  readonly bodyBytesMax: number
  /** A request's head must have come within this time, milliseconds. */
  readonly headMsMax: number
  /** And all of it within this. */
  readonly requestMsMax: number
  /** A connection without a request is closed after this time. */
  readonly idleMsMax: number
  /** A stream shows so often that it lives. */
  readonly heartbeatMs: number
  /** Requests of one connection that wait for their answers. */
  readonly pendingMax: number
  /** Size of one message of a WebSocket. */
  readonly messageBytesMax: number
  /** What one WebSocket may watch at a time. */
  readonly watchesPerSocketMax: number
  /** A reader that takes nothing of what waits for it for this time is dropped. */
  readonly slowReaderMsMax: number
  /** Time for the last answers to leave when the server stops. */
  readonly lingerMsMax: number
}

/** What HTTP needs of its server. */
export interface HttpContext {
  readonly calls: Calls
  readonly hub: WatchHub
  readonly gatekeeper: Gatekeeper
  readonly log: Log
  readonly counters: Counters
  readonly system: System
  /** Of Herd. */
  readonly version: string
  readonly limits: HttpLimits
  /** Origins besides its own whose pages may ask, such as `https://map.example.org`; `*`: all. */
  readonly allowedOrigins: readonly string[]
  /** Names by which it may be called, besides addresses and `localhost`; `*`: all. */
  readonly allowedHosts: readonly string[]
  /** What the server says of itself. */
  readonly status: () => ServerStatus
  /** The herd as this server sees it. */
  readonly view: () => HerdView
  readonly map: MapContext
}
