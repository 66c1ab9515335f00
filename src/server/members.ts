import type { HerdConfig } from '../config.ts'
import type { Links } from '../replication/links.ts'
import type { Members } from '../replication/members.ts'
import type { HerdStatus, MemberStatus } from '../replication/status.ts'

/** Every server that was heard of, and whether there is a way to it. */
export function memberStatuses(members: Members): MemberStatus[] {
  const reached = members.reachable()
  return members.rows.map((row) => ({ ...row, reachable: reached.has(row.name) }))
}

/** What a server says of its herd, so that another can be added, or one removed. */
export function herdStatus(config: HerdConfig, server: string, members: Members, links: Links): HerdStatus {
  const { link, limits, forgetAfterSeconds } = config
  return {
    herd: config.name,
    server,
    forgetAfterSeconds: Number.isFinite(forgetAfterSeconds) ? forgetAfterSeconds : null,
    encryption: link.encryption,
    settings: {
      link: {
        ...{ heartbeatMs: link.heartbeatMs, silenceMsMax: link.silenceMsMax },
        ...{ progressMsMax: link.progressMsMax, handshakeMsMax: link.handshakeMsMax },
        ...{ handshakeLineBytesMax: link.handshakeLineBytesMax },
        ...{ redialMsMin: link.redialMsMin, redialMsMax: link.redialMsMax },
      },
      limits: {
        ...{ lineBytesMax: limits.lineBytesMax, clientsMax: limits.clientsMax },
        ...{ tableBytesMax: limits.tableBytesMax, serverNamesMax: limits.serverNamesMax },
        ...{ runsMax: limits.runsMax },
      },
    },
    joined: links.joined,
    joinedMax: link.joinedMax,
    members: memberStatuses(members),
  }
}

/** Says once that a server knows what its herd knows. @param say told how many clients that are, and how long it took. */
export function noticeReady(links: Links, nowMs: () => number, say: (tookMs: number) => void): () => void {
  const beganMs = nowMs()
  let isSaid = false
  return () => {
    if (isSaid || links.readiness !== 'ready') return
    isSaid = true
    say(nowMs() - beganMs)
  }
}

/** `ready: 1,234 clients, caught up in 0.4 s`. */
export function readyText(clients: number, tookMs: number, neighbors: number): string {
  const count = `ready: ${clients.toLocaleString('en')} ${clients === 1 ? 'client' : 'clients'}`
  return neighbors === 0 ? count : `${count}, caught up in ${(tookMs / 1000).toFixed(1)} s`
}
