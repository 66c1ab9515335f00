/** Journals whose process ends anywhere, on disks that fail and lose what was not synced, against a list. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import type { DiskOperation, VirtualDisk } from '../../test/support/virtual-disk.ts'
import { makeDisk, openJournal, seeded } from '../../test/support/virtual-journal.ts'
import type { JournalFiles } from './journal-files.ts'

const LIVES = 5
const STEPS = 12
/** Room for some of the batches, so that it is often full. */
const DISK_BYTES = 3000

/** A batch that somebody tried to append. */
interface Attempt {
  readonly text: string
  /**
   * `kept` must come back; `open` may or not, and is kept once it has; `doubtful` may or not each time, since a sync
   * failed and the system may show what the disk doesn't have.
   */
  state: 'kept' | 'open' | 'doubtful'
}

/** One journal through several lives of its process. */
class Story {
  readonly #random: () => number
  readonly #faults: boolean
  readonly #disk: VirtualDisk
  #attempts: Attempt[] = []
  #written = 0

  constructor(seed: number, faults: boolean) {
    this.#random = seeded(seed)
    this.#faults = faults
    this.#disk = makeDisk(this.#random)
    if (faults) this.#disk.bytesMax = DISK_BYTES
  }

  async tell(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      await this.#live()
      this.#disk.fault = () => null
      await this.#open()
      this.#disk.kill()
    }
  }

  /** A life that ends in the middle of some operation, or in peace. */
  async #live(): Promise<void> {
    let operationsLeft = this.#upTo(60)
    let isOver = false
    const died = new Promise<void>((resolve) => {
      this.#disk.fault = (operation) => {
        if (isOver || operationsLeft-- > 0) return this.#faultOf(operation)
        isOver = true
        if (this.#random() < 0.5) this.#disk.kill()
        else this.#disk.losePower()
        resolve()
        return null
      }
    })
    await Promise.race([died, this.#work()])
    isOver = true
    this.#disk.kill()
  }

  #faultOf(operation: DiskOperation): string | null {
    const canFail =
      operation !== 'lock' && operation !== 'list' && operation !== 'read' && operation !== 'open'
    if (!this.#faults || !canFail || operation === 'size' || this.#random() > 0.05) return null
    if (operation === 'sync' || operation === 'syncFolder') {
      for (const attempt of this.#attempts) if (attempt.state === 'open') attempt.state = 'doubtful'
    }
    return 'EIO'
  }

  async #work(): Promise<void> {
    const journal = await this.#open()
    for (let step = 0; step < STEPS; step++) {
      try {
        if (this.#random() < 0.2) await this.#compact(journal)
        else await this.#append(journal)
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error, `only the disk's errors, not: ${String(error)}`)
      }
    }
    if (this.#random() < 0.5) await journal.close()
  }

  async #append(journal: JournalFiles): Promise<void> {
    const text = `${this.#written++} `.padEnd(this.#upTo(200), '.')
    const attempt: Attempt = { text, state: 'open' }
    this.#attempts.push(attempt)
    await journal.append(Buffer.from(text))
    attempt.state = 'kept'
  }

  /** As a server does it: a new segment gets everything, here one batch, then what is older is dropped. */
  async #compact(journal: JournalFiles): Promise<void> {
    const begun = await journal.beginSegment()
    const before = this.#attempts.length
    await this.#append(journal)
    for (const attempt of this.#attempts.slice(0, before)) attempt.state = 'doubtful'
    await journal.dropBefore(begun)
    this.#attempts.splice(0, before)
  }

  /** Opens the journal and holds what it gives against what it may. */
  async #open(): Promise<JournalFiles> {
    const { journal, batches } = await openJournal(this.#disk)
    if (!this.#faults) assert.deepEqual(journal.report.damaged, [], 'a crash alone damages nothing')
    const left: Attempt[] = []
    let at = 0
    for (const attempt of this.#attempts) {
      const came = batches[at] === attempt.text
      assert.ok(came || attempt.state !== 'kept', `"${attempt.text}" was kept and is lost`)
      if (came) {
        at++
        if (attempt.state === 'open') attempt.state = 'kept'
      }
      if (came || attempt.state === 'doubtful') left.push(attempt)
    }
    assert.equal(at, batches.length, `"${batches[at]}" is not what was appended, or not in its place`)
    this.#attempts = left
    return journal
  }

  #upTo(most: number): number {
    return 1 + Math.floor(this.#random() * most)
  }
}

test('what was kept is there after any crash, and nothing that was not appended', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), (seed) => new Story(seed, false).tell()),
    runs(300),
  )
})

test('so it is on a disk that is full and fails besides', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), (seed) => new Story(seed, true).tell()),
    runs(300),
  )
})
