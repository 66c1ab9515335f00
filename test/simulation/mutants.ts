import { type Fix, type LiveTable, NOT_NEWER } from '../../src/locations/index.ts'
import { compareNumbers } from '../../src/locations/order.ts'
import type { Owed } from '../../src/replication/owed.ts'
import type { Replica } from '../../src/replication/replica.ts'
import { NO_STAMP, runOf, seqOf } from '../../src/replication/stamps.ts'
import { movesToTail } from './move-to-tail.ts'
import type { SimServer } from './server.ts'

/** Which link is changed. */
export interface MutantLink {
  readonly neighbor: string
  readonly server: SimServer
}

/** A variant known to be wrong: a small patch around the real code, which knows nothing of it. */
export interface Mutant {
  readonly name: string
  /** What it does. */
  readonly about: string
  /** It must be caught within so many seeds, from 1 on, with 25 servers at most. */
  readonly withinSeeds: number
  readonly runId?: () => string
  readonly replica?: (replica: Replica) => void
  readonly disk?: (owed: Owed, replica: Replica) => void
  readonly link?: (owed: Owed, link: MutantLink) => void
}

/** All of them; docs/simulation.md has the table. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'claims-per-origin',
    about: 'the stamp of a received AT line is taken for a claim of all changes before it',
    withinSeeds: 5,
    replica: (replica) => {
      const receive = replica.receive.bind(replica)
      replica.receive = (fix, stamp, from) => {
        const record = receive(fix, stamp, from)
        if (stamp !== NO_STAMP) replica.vector.raise(runOf(stamp), seqOf(stamp))
        return record
      }
    },
  },
  {
    name: 'one-side-syncs',
    about: 'of two ends of a new link only one tells the other what it lacks',
    withinSeeds: 5,
    link: (owed, { server, neighbor }) => {
      if (server.name > neighbor) owed.queue.markAllBelow(0)
    },
  },
  {
    name: 'no-diff',
    about: 'a new link tells only what is new from then on',
    withinSeeds: 5,
    link: (owed) => owed.queue.markAllBelow(0),
  },
  {
    name: 'no-tie-break',
    about: 'of two fixes with equal times the first to come stays',
    withinSeeds: 5,
    replica: ({ table }) => {
      const apply = table.apply.bind(table)
      table.apply = (fix) => {
        const known = held(table, fix)
        if (known !== -1 && compareNumbers(fix, table.read(known)) === 0) return NOT_NEWER
        return apply(fix)
      }
    },
  },
  {
    name: 'applies-equal',
    about: '`>=` for `>`: an equal fix is taken for news and passed on',
    withinSeeds: 5,
    replica: ({ table, names }) => {
      const apply = table.apply.bind(table)
      table.apply = (fix) => {
        const known = held(table, fix)
        const record = apply(fix)
        if (record !== NOT_NEWER || compareNumbers(fix, table.read(known)) !== 0) return record
        const { skewText, positionText, serverName } = table.read(known)
        const text = fix.buffer.subarray(fix.start, fix.end).toString('latin1')
        const isEqual =
          text.startsWith(`${Buffer.from(skewText).toString('latin1')} `) &&
          text.includes(` ${Buffer.from(positionText).toString('latin1')} `) &&
          Buffer.compare(serverName, names.name(fix.server)) === 0
        return isEqual ? known : record
      }
    },
  },
  {
    name: 'claims-early',
    about: 'a claim goes out before the queue is sent past its marker',
    withinSeeds: 5,
    link: (owed) => {
      const marker = markerOf(owed)
      Object.defineProperty(owed, 'isClaimDue', { get: () => marker.at !== null && owed.maySend })
    },
  },
  {
    name: 'claims-in-sweep',
    about: 'a claim goes out while the other end is still told what it lacks',
    withinSeeds: 20,
    link: (owed) => {
      const marker = markerOf(owed)
      Object.defineProperty(owed, 'isClaimDue', {
        get: () => marker.at !== null && owed.maySend && owed.queue.taken >= marker.at,
      })
    },
  },
  {
    name: 'echo-by-origin',
    about: 'a fix is not told to the server whose name it bears, wherever it came from',
    withinSeeds: 10,
    link: (owed, { server, neighbor }) => {
      const { replica } = server
      const isOfNeighbor = (record: number): boolean =>
        replica.runs.get(runOf(replica.stampOf(record)))?.server === neighbor
      const { queue } = owed
      const isWanted = owed.isWanted.bind(owed)
      const mark = queue.mark.bind(queue)
      queue.mark = (record) => {
        if (!isOfNeighbor(record)) mark(record)
      }
      owed.isWanted = (record, isCovered) => isWanted(record, isCovered) && !isOfNeighbor(record)
    },
  },
  {
    name: 'reused-run',
    about: 'a server that has lost its memory counts again from 1, as the same run',
    withinSeeds: 10,
    runId: () => '01',
  },
  {
    name: 'moves-to-tail',
    about: 'a client that is marked again goes to the end of the queue, and so may starve',
    withinSeeds: 40,
    link: (owed) => movesToTail(owed.queue),
  },
  {
    name: 'merges-lossy',
    about: 'the claims of a link are merged though something of what it told had no room',
    withinSeeds: 40,
    link: (owed) => Object.defineProperty(owed, 'isLossy', { get: () => false, set: () => {} }),
  },
  {
    name: 'merges-vectors',
    about: 'what a neighbor says to hold when it greets is merged before it has told it',
    withinSeeds: 5,
    replica: (replica) => {
      const claimHeard = replica.claimHeard.bind(replica)
      replica.vectorHeard = (owed, run, seq) => claimHeard(owed, run, seq)
    },
  },
  {
    name: 'sent-is-held',
    about: 'what was sent to a neighbor counts as held there',
    withinSeeds: 10,
    replica: (replica) => {
      replica.holders = () =>
        replica.links.filter(({ to, length }) => to === 'neighbor' && length === 0).length
    },
  },
  {
    name: 'disk-claims-early',
    about: 'what is written to the disk counts as held there before it is synced',
    withinSeeds: 20,
    disk: (owed, replica) => {
      const takeClaim = owed.takeClaim.bind(owed)
      owed.takeClaim = (append) => {
        takeClaim((vector, said) => {
          append(vector, said)
          vector.forEachBeyond(owed.peer, (run, seq) => owed.peer.raise(run, seq))
          replica.claimsHeard()
        })
      }
    },
  },
]

/** The record of a fix's client, or −1. */
function held(table: LiveTable, fix: Fix): number {
  return table.get(fix.buffer, fix.clientStart, fix.clientEnd)
}

/** Follows the marker that a link keeps to itself: at which mark of its queue it is, or `null`. */
function markerOf(owed: Owed): { at: number | null } {
  const marker: { at: number | null } = { at: null }
  const setMarker = owed.setMarker.bind(owed)
  const takeClaim = owed.takeClaim.bind(owed)
  owed.setMarker = (vector) => {
    if (marker.at === null && owed.hasClaim(vector)) marker.at = owed.queue.made
    setMarker(vector)
  }
  owed.takeClaim = (append) => {
    marker.at = null
    takeClaim(append)
  }
  return marker
}
