/** Servers in memory that keep a journal on a virtual disk, through several lives. */
import { Acks } from '../../src/replication/acks.ts'
import type { ReplicaLimits } from '../../src/replication/replica.ts'
import {
  type Disk,
  type DiskFile,
  JournalFiles,
  JournalLink,
  type JournalLinkLimits,
  loadJournal,
} from '../../src/storage/index.ts'
import { MemoryPipe, MemoryServer, memoryClock } from './memory-herd.ts'
import type { VirtualDisk } from './virtual-disk.ts'

export const JOURNAL = 'journal'

/** How a life differs from the usual one. */
export interface LifeOptions {
  readonly limits?: Partial<JournalLinkLimits>
  readonly replica?: Partial<ReplicaLimits>
}

const USUAL: JournalLinkLimits = {
  everyMs: 1000,
  batchBytesMax: 4096,
  compactBytesMin: 1 << 20,
  retryMs: 5000,
}

/** Lets everything happen that needs no time. */
export function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** One life of a server: from reading its journal until it stops or its process ends. Its time stands still until moved. */
export class JournaledServer {
  readonly server: MemoryServer
  readonly acks: Acks
  readonly troubles: string[] = []
  /** What was found when the journal was opened. */
  readonly report: JournalFiles['report']
  readonly files: JournalFiles
  readonly #journal: JournalLink
  #nowMs = 0
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = []
  readonly #life: { isOver: boolean }

  static async open(
    disk: VirtualDisk,
    name: string,
    number: number,
    options: LifeOptions = {},
  ): Promise<JournaledServer> {
    const server = new MemoryServer(name, options.replica, number)
    const troubles: string[] = []
    const life = { isOver: false }
    const loaded = await loadJournal(server.session, (onBatch) =>
      JournalFiles.open({
        disk: diskOfLife(disk, life),
        folder: JOURNAL,
        limits: { batchBytesMax: 1 << 22, readBytes: 1024 },
        onBatch,
        onTrouble: (text) => troubles.push(text),
      }),
    )
    return new JournaledServer(server, life, loaded, troubles, { ...USUAL, ...options.limits })
  }

  private constructor(
    server: MemoryServer,
    life: { isOver: boolean },
    loaded: Awaited<ReturnType<typeof loadJournal>>,
    troubles: string[],
    limits: JournalLinkLimits,
  ) {
    const { replica, counters } = server
    this.server = server
    this.#life = life
    this.files = loaded.files
    this.report = loaded.files.report
    this.troubles = troubles
    this.acks = new Acks(replica, () => this.#journal.wake())
    this.#journal = new JournalLink(
      {
        ...{ replica, counters, limits },
        after: (ms, callback) => this.#after(ms, callback),
        soon: (callback) => queueMicrotask(callback),
        isWaitedFor: () => this.acks.isForDisk,
        trouble: (text) => this.troubles.push(text),
      },
      loaded,
    )
    replica.listen({ owed: () => this.#journal.wake(), claimed: () => this.acks.advance() })
  }

  /** Lets time pass, and everything happen that is due. */
  async elapse(ms: number): Promise<void> {
    this.#nowMs += ms
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { callback } of due) if (!this.#life.isOver) callback()
    await rest()
  }

  /** Waits, without time passing, until the disk holds what was reported last. */
  async synced(): Promise<void> {
    const { ownStamp } = this.server.replica
    let isDone = this.acks.isReached({ disk: true, peers: 0 }, ownStamp)
    if (!isDone) {
      const end = this.acks.wait({ disk: true, peers: 0 }, ownStamp, () => {
        isDone = true
      })
      for (let rests = 0; rests < 100 && !isDone; rests++) await rest()
      end()
    }
    if (!isDone) throw new Error('the disk doesn’t hold it')
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    return this.#journal.stop()
  }

  /** The process is gone, and asks nothing of the disk any more; what it has asked already is the disk's business. */
  die(): void {
    this.#life.isOver = true
  }

  #after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }
}

/** The disk as one life of a process sees it: afterwards nothing that is asked happens. */
function diskOfLife(disk: Disk, life: { readonly isOver: boolean }): Disk {
  const ask = <T>(operation: () => Promise<T>): Promise<T> => {
    return life.isOver ? new Promise(() => undefined) : operation()
  }
  const file = (real: DiskFile): DiskFile => ({
    size: () => ask(() => real.size()),
    read: (target, position) => ask(() => real.read(target, position)),
    write: (pieces, position) => ask(() => real.write(pieces, position)),
    truncate: (bytes) => ask(() => real.truncate(bytes)),
    sync: () => ask(() => real.sync()),
    close: () => ask(() => real.close()),
  })
  return {
    lock: (folder) => ask(() => disk.lock(folder)),
    list: (folder) => ask(() => disk.list(folder)),
    create: async (folder, name) => file(await ask(() => disk.create(folder, name))),
    open: async (folder, name) => file(await ask(() => disk.open(folder, name))),
    remove: (folder, name) => ask(() => disk.remove(folder, name)),
    syncFolder: (folder) => ask(() => disk.syncFolder(folder)),
  }
}

/** A link between two servers; what is said on it moves when the test says so. */
export class MemoryLink {
  readonly #pipes: readonly [MemoryPipe, MemoryPipe]

  constructor(a: MemoryServer, b: MemoryServer) {
    this.#pipes = [new MemoryPipe(a, b), new MemoryPipe(b, a)]
    const [there, back] = this.#pipes
    there.back = back
    back.back = there
  }

  /** Lets each side say a batch, and the other hear so many bytes. */
  move(bytes: number): void {
    memoryClock.ms++
    for (const pipe of this.#pipes) {
      pipe.send(4096)
      pipe.arrive(bytes)
    }
  }

  /** Moves everything until nothing more is said. */
  settle(): void {
    while (this.#pipes.some((pipe) => !pipe.isDone)) this.move(Number.MAX_SAFE_INTEGER)
  }

  close(): void {
    for (const pipe of this.#pipes) pipe.session.close()
  }
}
