import type { DialectName } from '../load/dialects.ts'
import { parseFigures } from '../load/figures.ts'
import type { RunningServer } from '../servers/running-server.ts'
import type { BenchContext } from './contender.ts'
import { runLoad } from './load-process.ts'

/** Which reports a server is sent; clients are numbers, see `load/city.ts`. */
export type FleetOrder =
  /** The clients from `first` to before `end`, once. */
  | { readonly feed: 'fill'; readonly first: number; readonly end: number }
  /** The clients before `end` in turn, for a time. */
  | { readonly feed: 'update'; readonly end: number; readonly seconds: number }
  /** New ones from `first` to before `end`, and as many moves of known ones. */
  | { readonly feed: 'grow'; readonly first: number; readonly end: number; readonly inFlight: number }

/** No server is so slow that it takes fewer reports in a second. */
const REPORTS_PER_SECOND_MIN = 20_000

/** Sends a server reports over ten connections until all are answered. */
export async function tellFleet(
  { port }: RunningServer,
  dialect: DialectName,
  order: FleetOrder,
  context: BenchContext,
): Promise<{ readonly reports: number; readonly seconds: number }> {
  const { inFlight, ...rest } = { inFlight: undefined, ...order }
  const reports = order.feed === 'update' ? 0 : 2 * (order.end - order.first)
  const seconds = order.feed === 'update' ? order.seconds : reports / REPORTS_PER_SECOND_MIN
  const options = { port, dialect, ...rest, 'in-flight': inFlight }
  return parseFigures(await runLoad('fleet-load.ts', options, seconds * 1000, context), [
    'reports',
    'seconds',
  ])
}
