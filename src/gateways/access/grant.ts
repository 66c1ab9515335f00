/** What somebody may do. Once it is revoked, that is nothing. */
export interface Grant {
  /** Who it is, for people: never the token itself. */
  readonly name: string
  /** Whether it may report as every client. */
  readonly reportsAll: boolean
  /** Whether it may read every client. */
  readonly readsAll: boolean
  /** Whether it holds no more: its token was removed, or has become another; or tokens are asked for now. */
  readonly isRevoked: boolean
  mayReport(client: string): boolean
  mayRead(client: string): boolean
  /**
   * What lasts (a stream, a connection) is to end when this calls back: once, if ever.
   *
   * @returns takes the callback back: to be called when it has ended by itself.
   */
  whenRevoked(callback: () => void): () => void
}

/** Whoever needs no token may do everything. This one is never revoked: a gatekeeper gives out its own. */
export const EVERYTHING: Grant = {
  name: 'everybody',
  reportsAll: true,
  readsAll: true,
  isRevoked: false,
  mayReport: () => true,
  mayRead: () => true,
  whenRevoked: () => () => {},
}

/** Whoever isn't let in may do nothing. */
export const NOTHING: Grant = {
  ...{ name: 'nobody', reportsAll: false, readsAll: false, isRevoked: true },
  mayReport: () => false,
  mayRead: () => false,
  whenRevoked: () => () => {},
}

/** Says what somebody may, by the token that it shows and where it comes from. */
export interface Gatekeeper {
  /** @param token what it shows; `null`: nothing. @returns the grant, or why there is none. */
  admit(token: string | null, address: string): Grant | Refused
}

/** Nobody is admitted without a token, or with a wrong one, or from elsewhere than this machine. */
export interface Refused {
  /** What was wrong, and what would be right. */
  readonly reason: string
  /** Whether a (right) token would help. */
  readonly wantsToken: boolean
}

/** Whether somebody is admitted. */
export function isRefused(admitted: Grant | Refused): admitted is Refused {
  return 'reason' in admitted
}
