import type { Links } from '../../replication/links.ts'
import type { System } from '../../system.ts'
import type { AddressBook } from '../address-book.ts'
import type { AckContext } from './ack-hold.ts'
import type { CommandContext, LineCommands, PlacesAsk } from './line-commands.ts'
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

/** Finds places for whoever asks from an address: always resolves, with the JSON text of a reply. */
export type FindPlaces = (ask: PlacesAsk, items: number, address: string) => Promise<string>

/** What all connections of a gateway share. */
export interface ConnectionContext extends CommandContext, AckContext {
  readonly commands: LineCommands
  readonly whosat: Whosat
  readonly limits: LineLimits & CommandContext['limits'] & AckContext['limits']
  readonly links: Pick<Links, 'classicAt' | 'receiveClassic' | 'readGreeting' | 'accept' | 'acceptTls'>
  readonly findPlaces: FindPlaces
  readonly addresses: AddressBook
  readonly system: System
}
