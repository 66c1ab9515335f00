/** An output of a link, looked at. */
export interface ReadBatch {
  readonly text: string
  /** AT lines, their bytes in all, and the bytes of the longest, line ends included. */
  readonly count: number
  readonly bytes: number
  readonly longest: number
  /** Other lines. */
  readonly words: number
}

/** Takes an output apart. */
export function readBatch(batch: Buffer): ReadBatch {
  const text = batch.toString('latin1')
  const lines = text.split('\n').slice(0, -1)
  const lengths = lines.filter((line) => line.startsWith('AT ')).map((line) => line.length + 1)
  return {
    ...{ text, count: lengths.length, words: lines.length - lengths.length },
    bytes: lengths.reduce((sum, length) => sum + length, 0),
    longest: Math.max(0, ...lengths),
  }
}
