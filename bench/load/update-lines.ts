import { LineFramer } from '../../src/protocol/index.ts'

const [A, CR, ZERO] = ['A'.charCodeAt(0), 0x0d, 0x30]
const LINE_BYTES_MAX = 64 * 1024
/** The digits of a report's time that say which it is, and the zeros behind them. */
const TICK_DIGITS = 7
const ZEROS = 2

/**
 * Finds the AT lines in what one connection gets, whatever stands between them, and calls back with the number of each
 * update: the seven digits behind the point of its time, as `ReportTemplate` writes its tick.
 */
export class UpdateLines {
  readonly #framer = new LineFramer(LINE_BYTES_MAX)
  readonly #onUpdate: (number: number) => void
  readonly #onOther: (line: string) => void

  /** @param onOther told every line that is no AT line. */
  constructor(onUpdate: (number: number) => void, onOther: (line: string) => void = () => {}) {
    this.#onUpdate = onUpdate
    this.#onOther = onOther
  }

  push(chunk: Buffer): void {
    const framer = this.#framer
    framer.push(chunk)
    while (framer.next() === 'line') {
      const { buffer, start } = framer
      const end = buffer[framer.end - 1] === CR ? framer.end - 1 : framer.end
      if (buffer[start] === A) this.#onUpdate(readTick(buffer, end - ZEROS))
      else this.#onOther(buffer.toString('latin1', start, end))
    }
  }
}

function readTick(buffer: Buffer, end: number): number {
  let tick = 0
  for (let at = end - TICK_DIGITS; at < end; at += 1) tick = tick * 10 + (buffer[at] ?? ZERO) - ZERO
  return tick
}
