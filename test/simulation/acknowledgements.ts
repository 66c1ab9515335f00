import type { SimDisk } from './disk.ts'
import type { KnownFix } from './history.ts'
import type { Life } from './wire.ts'

/** What was acknowledged: that these lives of servers hold it, and this disk, if any. */
interface Acknowledgement {
  readonly fix: KnownFix
  readonly holders: readonly Life[]
  readonly disk: SimDisk | null
}

/** What clients were told is held, as long as something that was said to hold it may be expected back. */
export class Acknowledgements {
  #all: Acknowledgement[] = []
  /** How many there ever were. */
  count = 0

  add(acknowledgement: Acknowledgement): void {
    this.#all.push(acknowledgement)
    this.count++
  }

  /** Those of which a holder goes on, or whose disk is in a server that is up: the herd must have them now. */
  expected(isUp: (disk: SimDisk) => boolean): readonly KnownFix[] {
    this.#all = this.#all.filter(({ holders, disk }) => disk?.isLost === false || !holders.every(isOver))
    const isExpected = ({ holders, disk }: Acknowledgement): boolean =>
      !holders.every(isOver) || (disk !== null && !disk.isLost && isUp(disk))
    return this.#all.filter(isExpected).map(({ fix }) => fix)
  }

  /** Those that were said to be on this disk. */
  on(disk: SimDisk): readonly KnownFix[] {
    return this.#all.filter((known) => known.disk === disk).map(({ fix }) => fix)
  }
}

function isOver(life: Life): boolean {
  return life.isOver
}
