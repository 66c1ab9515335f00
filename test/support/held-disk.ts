/**
 * Stands between the source and `fs.write`, so that a disk is slow, short or full as a test says. What it lets
 * through goes to the real one.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { TestContext } from 'node:test'

type WriteCallback = (error: Error | null, written: number) => void
type Write = (
  file: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: null,
  callback: WriteCallback,
) => void

/** What a disk does with a write: do it, keep it waiting, do a part of it, or fail. */
export type DiskMood = 'works' | 'holds' | 'short' | 'full'

/** The disk that all of the process writes to while the test runs. */
export class HeldDisk {
  mood: DiskMood = 'works'
  /** Writes begun and not yet done. */
  underway = 0
  readonly #held: (() => void)[] = []

  constructor(t: TestContext) {
    const real = fs.write as unknown as Write
    const write: Write = (file, buffer, offset, length, position, callback) => {
      this.underway++
      const done: WriteCallback = (error, written) => {
        this.underway--
        callback(error, written)
      }
      const through = (bytes: number): void => real(file, buffer, offset, bytes, position, done)
      if (this.mood === 'holds') this.#held.push(() => through(length))
      else if (this.mood === 'full') setImmediate(done, new Error('ENOSPC: no space left on device'), 0)
      else through(this.mood === 'short' ? Math.ceil(length / 3) : length)
    }
    t.mock.method(fs, 'write', write as unknown as typeof fs.write)
    syncBuiltinESMExports()
    t.after(() => {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    })
  }

  /** Does what was kept waiting, and works from now on. */
  release(): void {
    this.mood = 'works'
    for (const write of this.#held.splice(0)) write()
  }
}
