/** What a command may touch of the world around it, so that tests can hand in their own. */
import type { Readable, Writable } from 'node:stream'

/** Where a command runs. */
export interface Terminal {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly input: Readable
  readonly output: Writable
  readonly errors: Writable
}

/** How a command went, as documented in the help. */
export const EXIT = {
  /** All went well. */
  ok: 0,
  /** It did not: an answer that begins with `?`, a server that is down or can't start, an invalid herd file. */
  failed: 1,
  /** The command can't be understood. */
  usage: 2,
  /** No connection, or no answer. */
  unreachable: 3,
  /** Ended at once by a second Ctrl-C. */
  interrupted: 130,
} as const

/** One of `EXIT`. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The command line names something that isn't there, or makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A server can't be reached, or went away before it had answered. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** Writes text or bytes and waits until they can be taken. */
export function print(stream: Writable, text: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    // An error (nobody reads any more) is the business of whoever made the stream.
    stream.write(text, () => resolve())
  })
}

/** Text from elsewhere, made safe to show: no control character reaches the terminal. */
export function printable(text: string): string {
  return text.replace(/(?!\t)\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

/** Columns of text, two spaces apart; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** `127.0.0.1:12000`, `[::1]:12000`. */
export function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** All addresses of a server: `127.0.0.1:12000 and 5055`. */
export function addressesText(server: {
  readonly host: string
  readonly port: number
  readonly alsoPorts: readonly number[]
}): string {
  return [addressText(server), ...server.alsoPorts].join(' and ')
}
