/** What a server's process tells the `herd up` that started it, over their channel. */
import type { ServerEvent } from '../server/options.ts'

/** One message. */
export type ServerMessage =
  | {
      readonly type: 'listening'
      readonly host: string
      readonly port: number
      readonly alsoPorts: readonly number[]
    }
  /** It can't start; `code` is the system's word for it where there is one. */
  | { readonly type: 'failed'; readonly code: string; readonly text: string }
  /** It has left the herd and ends: it isn't to be started again. */
  | { readonly type: 'left' }
  | { readonly type: 'event'; readonly event: ServerEvent }

const TYPES: readonly ServerMessage['type'][] = ['listening', 'failed', 'left', 'event']

/** Sends a message to the parent. When that has gone, nobody is left to tell. */
export function tellParent(message: ServerMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

/** Returns a message as it came over the channel, or undefined when it is something else. */
export function serverMessage(message: unknown): ServerMessage | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined
  // The other end runs this same file, so the type says the rest.
  const known = TYPES.some((type) => message.type === type)
  return known ? (message as ServerMessage) : undefined
}
