/** How the time of one WHATSAT is shared by the remote providers that may be asked for it, one after the other. Pure. */
import type { PlacesLimits } from './limits.ts'

/**
 * How long the next remote provider may take, in milliseconds: all that is left but a reserve for each that may
 * come after it. The reserve is one try, or an equal part of the whole where that is less. So each of them has at
 * least that, the last has all that the others left, and together they never have more than the whole.
 *
 * @param leftMs of `totalMsMax`. @param remotes that may be asked, all told. @param after how many come after this one.
 */
export function timeShareMs(
  { totalMsMax, tryMsMax }: Pick<PlacesLimits, 'totalMsMax' | 'tryMsMax'>,
  leftMs: number,
  remotes: number,
  after: number,
): number {
  return Math.max(0, leftMs - after * Math.min(tryMsMax, totalMsMax / remotes))
}
