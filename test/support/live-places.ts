/** Servers whose places come from a stand-in for Google, with a key that must show nowhere. */
import type { TestContext } from 'node:test'
import { CANARY_KEY } from './canary.ts'
import { GoogleStandIn } from './google-stand-in.ts'
import { LiveHerd } from './live-herd.ts'

/** The servers, Alford alone by default or a chain, and who answers them. */
export interface AskingHerd {
  readonly herd: LiveHerd
  readonly google: GoogleStandIn
}

/**
 * Starts both. `placesLimits` are those of the herd file's `places.limits`, `morePlaces` what else stands in its
 * `places`; tries are short and not repeated.
 */
export async function startAskingHerd(
  t: TestContext,
  { callsPerDayMax = 0, ...placesLimits }: { callsPerDayMax?: number; [name: string]: number } = {},
  settings: Readonly<Record<string, object>> = {},
  morePlaces: Readonly<Record<string, unknown>> = {},
  servers: readonly string[] = ['Alford'],
): Promise<AskingHerd> {
  const google = await GoogleStandIn.start({ key: CANARY_KEY })
  t.after(() => google.close())
  const limits = {
    totalMsMax: 10_000,
    tryMsMax: 10_000,
    retriesMax: 0,
    callsPerSecondMax: 1000,
    ...placesLimits,
  }
  const places = {
    providers: ['google-legacy'],
    rank: 'distance',
    google: { legacyBaseUrl: google.url, callsPerDayMax, callsPerMonthMax: 0 },
    limits: { callsPerSecondPerAddressMax: 0, ...limits },
    ...morePlaces,
  }
  const herd = await LiveHerd.start(t, {
    servers,
    links: servers.slice(1).map((name, index) => [servers[index] ?? '', name] as const),
    settings: { places, ...settings },
    env: { GOOGLE_PLACES_API_KEY: CANARY_KEY },
  })
  return { herd, google }
}
