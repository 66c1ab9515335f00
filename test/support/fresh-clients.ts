/** Very many clients that nobody has heard of, in one go. */
import { iamatLine } from './fix-ledger.ts'
import { LineWire, type WireTarget } from './line-wire.ts'

const LINES_AT_A_TIME = 500

/**
 * Reports once for each of the clients `<prefix>0` …, each with its number as the serial, as fast as the server takes
 * it, over one connection. Resolves when all are acknowledged.
 */
export async function reportFreshClients(
  target: WireTarget,
  prefix: string,
  count: number,
  msMax: number,
): Promise<void> {
  const done = Promise.withResolvers<void>()
  let acknowledged = 0
  const wire = await LineWire.open(target, (line) => {
    if (!line.startsWith('AT ')) done.reject(new Error(`a report was answered ${line.slice(0, 200)}`))
    if (++acknowledged === count) done.resolve()
  })
  const fail = (why: string): void => done.reject(new Error(`${why} after ${acknowledged} acknowledgements`))
  const timer = setTimeout(() => fail(`not done within ${msMax} ms`), msMax)
  void wire.closed.then(() => fail('the connection ended'))
  try {
    for (let first = 0; first < count && !wire.isClosed; first += LINES_AT_A_TIME) {
      const serials = Array.from(
        { length: Math.min(LINES_AT_A_TIME, count - first) },
        (_, index) => first + index,
      )
      await wire.send(serials.map((serial) => iamatLine(`${prefix}${serial}`, serial)).join(''))
    }
    await done.promise
  } finally {
    clearTimeout(timer)
    wire.destroy()
  }
}
