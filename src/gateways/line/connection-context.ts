import type { Socket } from 'node:net'
import type { Links } from '../../replication/links.ts'
import type { System } from '../../system.ts'
import type { Gatekeeper } from '../access/grant.ts'
import type { AddressBook } from '../address-book.ts'
import type { FindPlaces } from '../places-ask.ts'
import type { AckContext } from './ack-hold.ts'
import type { CommandContext, LineCommands } from './line-commands.ts'
import type { LineWatchContext } from './line-watches.ts'
import type { ReplyLimits } from './reply-writer.ts'
import type { TurnLimits } from './turn.ts'
import type { Whosat } from './whosat.ts'

/** Bounds of one connection. */
export interface LineLimits extends ReplyLimits, TurnLimits {
  readonly lineBytesMax: number
  /** The first line must come within this time. */
  readonly firstLineMsMax: number
  /** A connection that is being closed for a fault is read, and not heeded, for this long at most. */
  readonly lingerMsMax: number
}

/** Takes over a connection: paused, nobody else's from here on. @param bytes what was read of it already. */
export type TakeConnection = (socket: Socket, connection: number, bytes: Buffer) => void

/** The gateways that connections are given to which don't begin with a line command; `null`: there is none. */
export interface Takers {
  readonly http: TakeConnection | null
  readonly mqtt: TakeConnection | null
  /** A link, or a client that encrypts. */
  readonly tls: TakeConnection
}

/** What all connections of line commands share. */
export interface ConnectionContext extends CommandContext, AckContext, Omit<LineWatchContext, 'limits'> {
  readonly commands: LineCommands
  readonly whosat: Whosat
  readonly limits: LineLimits & CommandContext['limits'] & AckContext['limits'] & LineWatchContext['limits']
  readonly gatekeeper: Gatekeeper
  readonly links: Pick<Links, 'classicAt' | 'receiveClassic' | 'readGreeting' | 'accept'>
  readonly takers: Takers
  readonly findPlaces: FindPlaces
  readonly addresses: AddressBook
  readonly system: System
}
