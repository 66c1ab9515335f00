import { setImmediate } from 'node:timers/promises'

/**
 * Runs what comes in turns, and lets everybody else go first between two.
 *
 * @throws what the turns throw, and the reason of `signal` when that ends them.
 */
export async function inTurns<T>(turns: Generator<undefined, T>, signal: AbortSignal): Promise<T> {
  for (let turn = turns.next(); ; turn = turns.next()) {
    if (turn.done === true) return turn.value
    await setImmediate()
    // Thrown where it stopped, so that it gives back what it holds.
    if (signal.aborted) turns.throw(signal.reason)
  }
}
