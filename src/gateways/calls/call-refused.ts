/**
 * Why a call was refused. `invalid`: it makes no sense, now or later. `not-allowed`: who asks may not. `no-token`: a (right) client token must be shown. `unknown-client`: the herd has
 * not heard of it. `too-many`: the answer would be too large. `rate`: later. `clock-off`, `table-full`: this server can't take it.
 * `late`: it was taken, but is not held as widely as it must be.
 */
export type RefusalCode =
  | 'invalid'
  | 'not-allowed'
  | 'no-token'
  | 'unknown-client'
  | 'too-many'
  | 'rate'
  | 'clock-off'
  | 'table-full'
  | 'late'

/** A call was refused; the message says what was wrong, and what would be right. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused'
  readonly code: RefusalCode
  /** After how many milliseconds it may go better; `null`: nobody knows. */
  readonly waitMs: number | null

  constructor(code: RefusalCode, message: string, waitMs: number | null = null) {
    super(message)
    this.code = code
    this.waitMs = waitMs
  }
}
