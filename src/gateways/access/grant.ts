/** What somebody may do. */
export interface Grant {
  /** Who it is, for people: never the token itself. */
  readonly name: string
  /** Whether it may read every client. */
  readonly readsAll: boolean
  mayReport(client: string): boolean
  mayRead(client: string): boolean
}

/** Whoever needs no token may do everything. */
export const EVERYTHING: Grant = {
  name: 'everybody',
  readsAll: true,
  mayReport: () => true,
  mayRead: () => true,
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
}

/** Whether somebody is admitted. */
export function isRefused(admitted: Grant | Refused): admitted is Refused {
  return 'reason' in admitted
}
