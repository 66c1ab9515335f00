/** An invariant does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: number
  /** The client that it is about, or `''`. */
  readonly client: string

  constructor(invariant: number, client: string, message: string) {
    super(`invariant ${invariant}: ${message}`)
    this.invariant = invariant
    this.client = client
  }
}
