/** One of the connections between two servers that both may have dialed. */
export interface Candidate {
  /** Who dialed it. */
  readonly dialer: string
  /** The neighbor's run: another one means that the neighbor has started anew. */
  readonly peerRun: string
}

/**
 * Says whether a new connection takes the place of the open one. Both sides decide the same: of two crossing
 * connections the one stays that was dialed by the server whose name sorts first; a second connection of the same
 * dialer, or one of a neighbor that has started anew, shows that the first is dead.
 */
export function replaces(candidate: Candidate, open: Candidate): boolean {
  if (candidate.peerRun !== open.peerRun || candidate.dialer === open.dialer) return true
  return candidate.dialer < open.dialer
}
