import type { FixJson } from '../gateways/http/shapes.ts'

/** A client's clock counts as far as it is no more ahead of its server's. */
const AHEAD_NS_MAX = 60_000_000_000n
/** As many clients are remembered: what was told of others may be told again. */
export const REMEMBERED_MAX = 100_000

/**
 * Lets through what is news. A server that one comes to may lag behind the one before, and tells again what it does not know to have
 * been told: so nothing goes backwards, and nothing is told twice, as far as clients are remembered.
 */
export class Newest {
  readonly #told = new Map<string, { readonly fix: FixJson; readonly isExit: boolean }>()
  readonly #rememberedMax: number

  constructor(rememberedMax: number = REMEMBERED_MAX) {
    this.#rememberedMax = rememberedMax
  }

  /** Whether a fix is to be told; then it is taken for told. */
  isNews(fix: FixJson, isExit: boolean): boolean {
    const told = this.#told.get(fix.client)
    if (told !== undefined) {
      const order = compareFixes(fix, told.fix)
      if (order < 0 || (order === 0 && isExit === told.isExit && isSame(fix, told.fix))) return false
      this.#told.delete(fix.client)
    }
    this.#told.set(fix.client, { fix, isExit })
    if (this.#told.size > this.#rememberedMax) {
      const [oldest] = this.#told.keys()
      if (oldest !== undefined) this.#told.delete(oldest)
    }
    return true
  }
}

/**
 * The order of fixes of one client as the herd has it (effective time, client's time, server, skew, position).
 *
 * @returns negative, 0 or positive as `a` is older than, as old as, or newer than `b`.
 */
export function compareFixes(a: FixJson, b: FixJson): number {
  return (
    compare(effectiveNs(a), effectiveNs(b)) ||
    compare(BigInt(a.time_ns), BigInt(b.time_ns)) ||
    compare(a.server, b.server) ||
    compare(nanoseconds(a.received_at), nanoseconds(b.received_at)) ||
    compare(a.position, b.position)
  )
}

function effectiveNs({ time_ns, received_at }: FixJson): bigint {
  const time = BigInt(time_ns)
  const latest = nanoseconds(received_at) + AHEAD_NS_MAX
  return time < latest ? time : latest
}

/** RFC 3339 in UTC, in nanoseconds since 1970. */
function nanoseconds(time: string): bigint {
  const [whole = '', fraction = ''] = time.replace('Z', '').split('.')
  const ms = Date.parse(`${whole}Z`)
  if (Number.isNaN(ms)) return 0n
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9) || '0')
}

function isSame(a: FixJson, b: FixJson): boolean {
  // Its age is not the fix's.
  return JSON.stringify({ ...a, age_s: 0 }) === JSON.stringify({ ...b, age_s: 0 })
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
