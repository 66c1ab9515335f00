/** Journals on a virtual disk. */
import { JournalFiles, type JournalLimits } from '../../src/storage/index.ts'
import { scheduleAtOnce, VirtualDisk } from './virtual-disk.ts'

export const FOLDER = 'journal'
export const LIMITS: JournalLimits = { batchBytesMax: 4096, readBytes: 64 }

/** A journal, and what it said when it was opened. */
export interface OpenedJournal {
  readonly journal: JournalFiles
  readonly batches: string[]
  /** The segment that each batch lay in. */
  readonly segments: number[]
  readonly troubles: string[]
}

/** A disk whose operations take no time, and whose crashes leave all that they may leave (1) or nothing (0). */
export function makeDisk(random: () => number = () => 0): VirtualDisk {
  return new VirtualDisk({ schedule: scheduleAtOnce, random })
}

/** Numbers from [0, 1) that a seed gives, the same each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Opens the journal of a disk. */
export async function openJournal(disk: VirtualDisk, limits: JournalLimits = LIMITS): Promise<OpenedJournal> {
  const batches: string[] = []
  const segments: number[] = []
  const troubles: string[] = []
  const journal = await JournalFiles.open({
    disk,
    folder: FOLDER,
    limits,
    onBatch: (payload, segment) => {
      batches.push(payload.toString('latin1'))
      segments.push(segment)
    },
    onTrouble: (text) => troubles.push(text),
  })
  return { journal, batches, segments, troubles }
}

/** Appends texts, one after the other. */
export async function appendAll(journal: JournalFiles, ...batches: readonly string[]): Promise<void> {
  for (const batch of batches) await journal.append(Buffer.from(batch, 'latin1'))
}
