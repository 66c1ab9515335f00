import { type NaiveFix, naiveCompare, readAt } from '../support/naive-table.ts'

/** A fix, once for all servers. */
export interface KnownFix {
  readonly line: string
  readonly client: string
  readonly naive: NaiveFix
}

/** All that ever happened, as nobody in the herd can know it: which change of which run was which fix. */
export class History {
  readonly #fixes = new Map<string, KnownFix>()
  readonly #runs = new Map<string, KnownFix[][]>()

  /** The fix that an AT line with its attributes carries; the same object for the same line. */
  fix(line: string): KnownFix {
    let fix = this.#fixes.get(line)
    if (fix === undefined) {
      const naive = readAt(line)
      fix = { line, client: naive.client, naive }
      this.#fixes.set(line, fix)
    }
    return fix
  }

  /** Notes that a run has accepted a fix as its change `seq`. More than one is noted if a run's ID was used again. */
  accepted(run: string, seq: number, fix: KnownFix): void {
    let changes = this.#runs.get(run)
    if (changes === undefined) {
      changes = []
      this.#runs.set(run, changes)
    }
    const known = changes[seq]
    if (known === undefined) changes[seq] = [fix]
    else known.push(fix)
  }

  /** What a run has accepted as its change `seq`. */
  changes(run: string, seq: number): readonly KnownFix[] {
    return this.#runs.get(run)?.[seq] ?? []
  }
}

/** Negative, 0 or positive as `a` is older than, the same as or newer than `b`. */
export function compareKnown(a: KnownFix, b: KnownFix): number {
  return a === b ? 0 : naiveCompare(a.naive, b.naive)
}
