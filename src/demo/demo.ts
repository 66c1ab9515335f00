import { castOf, type Kind } from './cast.ts'
import { Phone, type Turn } from './phone.ts'
import { SeededRandom } from './random.ts'
import { openReporter, type Protocol, type ServerAddress } from './reporters.ts'

/** What a demo is made of. */
export interface DemoOptions {
  readonly servers: readonly ServerAddress[]
  readonly clients: number
  /** Reports a second of each client. */
  readonly rate: number
  readonly seed: number
  /** Told of each report, and of each that failed. */
  readonly onTurn: (turn: Turn) => void
}

/** A demo that runs. */
export interface RunningDemo {
  stop(): void
}

/** So many clients at most have a connection of their own; the others share what `fetch` keeps open. */
export const DEMO_CONNECTIONS_MAX = 2000
/** How often is looked for phones whose turn it is. */
const LOOK_MS = 50
const PROTOCOLS: readonly Protocol[] = ['http', 'line', 'websocket', 'mqtt', 'osmand']

/** Lets simulated phones report to the servers of a herd, each by its protocol and to its server, until it is stopped. */
export function runDemo({ servers, clients, rate, seed, onTurn }: DemoOptions): RunningDemo {
  const startedMs = performance.now()
  const periodMs = 1000 / rate
  const random = new SeededRandom(seed)
  const kinds = new Map<Kind, number>()
  const phones = castOf(clients, seed).map((actor, index) => {
    const ofKind = kinds.get(actor.kind) ?? 0
    kinds.set(actor.kind, ofKind + 1)
    const phone = new Phone({
      ...{ actor, servers, open: openReporter },
      // Each kind goes through all protocols, and each protocol through all servers.
      protocol: protocolFor(actor.kind, ofKind, index),
      first: ofKind + Math.floor(index / PROTOCOLS.length),
      wallMs: () => Date.now(),
      nowMs: () => performance.now(),
      random: () => random.next(),
    })
    return { phone, dueMs: periodMs * random.next() }
  })
  const look = (): void => {
    const elapsedMs = performance.now() - startedMs
    for (const turn of phones) {
      if (elapsedMs < turn.dueMs) continue
      // Turns that were missed are gone.
      turn.dueMs += periodMs * (1 + Math.floor((elapsedMs - turn.dueMs) / periodMs))
      if (turn.phone.isIdle) void turn.phone.report(elapsedMs / 1000).then(onTurn)
    }
  }
  const timer = setInterval(look, LOOK_MS)
  return {
    stop: () => {
      clearInterval(timer)
      for (const { phone } of phones) phone.close()
    },
  }
}

function protocolFor(kind: Kind, ofKind: number, index: number): Protocol {
  if (kind === 'family') return ofKind % 2 === 0 ? 'owntracks' : 'owntracks-mqtt'
  if (index >= DEMO_CONNECTIONS_MAX) return ofKind % 2 === 0 ? 'http' : 'osmand'
  return PROTOCOLS[(ofKind + KIND_FIRST[kind]) % PROTOCOLS.length] ?? 'line'
}

/** By which protocol the first of each kind reports. */
const KIND_FIRST: Readonly<Record<Kind, number>> = {
  ...{ walker: 0, cyclist: 2, bus: 3, train: 0, plane: 0, ship: 0, family: 0 },
}
