/**
 * Looks for the highest rate that goes well, between nothing and `highest`, by halving.
 *
 * @param attempt what a rate that goes well has shown; `undefined` if it doesn't.
 * @returns what the highest rate that went well has shown; `undefined` if none did.
 */
export async function findHighestRate<Found>(
  highest: number,
  steps: number,
  attempt: (rate: number) => Promise<Found | undefined>,
): Promise<Found | undefined> {
  let [low, high] = [0, highest]
  let best: Found | undefined
  for (let step = 0; step < steps; step += 1) {
    const rate = (low + high) / 2
    const found = await attempt(rate)
    if (found === undefined) high = rate
    else {
      low = rate
      best = found
    }
  }
  return best
}
