import type { Quantiles } from './arrivals.ts'

/** How long single reports took to be answered, by the server's name, if it got any; one object for each window. */
export type ProbeResult = readonly Readonly<Record<string, Quantiles>>[]
