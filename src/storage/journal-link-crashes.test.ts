/** Servers that keep a journal and end anywhere, on disks that fail, beside a neighbor that doesn't: what is promised holds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JOURNAL, JournaledServer, MemoryLink } from '../../test/support/memory-journal.ts'
import { fc, runs } from '../../test/support/properties.ts'
import type { DiskOperation, VirtualDisk } from '../../test/support/virtual-disk.ts'
import { makeDisk, seeded } from '../../test/support/virtual-journal.ts'
import { runOf, seqOf } from '../replication/stamps.ts'

const LIVES = 4
const STEPS = 25
const CLIENTS = 6
const DISK_BYTES = 4000
const LIMITS = { batchBytesMax: 150, compactBytesMin: 1024, everyMs: 10, retryMs: 50 }
const DISK = { disk: true, peers: 0 }

/** What goes wrong besides processes that end. */
interface Trouble {
  readonly faults: boolean
  readonly damage: boolean
}

/** One server's journal through several lives of its process. */
class Story {
  readonly #random: () => number
  readonly #trouble: Trouble
  readonly #disk: VirtualDisk
  #time = 0
  /** The newest report of each client whose place on the disk was acknowledged. */
  readonly #kept = new Map<string, number>()
  /** What each change that was ever seen made of its client, by run and number. */
  readonly #changes = new Map<string, readonly [client: string, time: number]>()
  readonly #neighbor: JournaledServer

  constructor(seed: number, trouble: Trouble, neighbor: JournaledServer) {
    this.#random = seeded(seed)
    this.#trouble = trouble
    this.#neighbor = neighbor
    this.#disk = makeDisk(this.#random)
    if (trouble.faults) this.#disk.bytesMax = DISK_BYTES
  }

  async tell(): Promise<void> {
    for (let life = 1; life <= LIVES; life++) {
      const server = await JournaledServer.open(this.#disk, 'Alford', life, { limits: LIMITS })
      this.#checkRead(server)
      await this.#live(server)
      this.#disk.fault = () => null
      this.#disk.kill()
      if (this.#trouble.damage) this.#damage()
    }
    this.#disk.bytesMax = Number.POSITIVE_INFINITY
    await this.#end()
  }

  /** A last life, in peace: nothing is lost by stopping, and the neighbor brings what was lost before. */
  async #end(): Promise<void> {
    const server = await JournaledServer.open(this.#disk, 'Alford', LIVES + 1, { limits: LIMITS })
    this.#checkRead(server)
    const link = new MemoryLink(server.server, this.#neighbor.server)
    link.settle()
    link.close()
    // A damaged segment is written anew before its journal is believed again.
    await server.elapse(1000)
    const { lines } = server.server
    assert.deepEqual(lines, this.#neighbor.server.lines)
    await server.stop()
    const again = await JournaledServer.open(this.#disk, 'Alford', LIVES + 2, { limits: LIMITS })
    assert.deepEqual(again.server.lines, lines)
    // What no run answers for any more, the new one does.
    const claims = vectorOf(again)
    claims.delete(`Alford ${LIVES + 2}`)
    assert.deepEqual(claims, vectorOf(server))
  }

  /** A life that ends in the middle of some operation of the disk, in its order, or between. */
  async #live(server: JournaledServer): Promise<void> {
    let operationsLeft = this.#upTo(150)
    let isOver = false
    this.#disk.fault = (operation) => {
      if (isOver || operationsLeft-- > 0) return this.#faultOf(operation)
      isOver = true
      server.die()
      if (this.#random() < 0.5) this.#disk.kill()
      else this.#disk.losePower()
      return null
    }
    let link: MemoryLink | null = null
    for (let step = 0; step < STEPS && !isOver; step++) {
      const dice = this.#random()
      if (dice < 0.35) this.#report(server)
      else if (dice < 0.5) this.#report(this.#neighbor)
      else if (dice < 0.6) await server.elapse(this.#upTo(60))
      else if (dice < 0.7) await new Promise<void>((resolve) => queueMicrotask(resolve))
      else if (dice < 0.75) {
        link?.close()
        link = null
      } else {
        link ??= new MemoryLink(server.server, this.#neighbor.server)
        link.move(this.#upTo(500))
      }
      for (const each of [server, this.#neighbor]) this.#note(each)
    }
    link?.close()
    if (!isOver && this.#random() < 0.5) await Promise.race([server.stop(), server.elapse(0)])
    isOver = true
    server.die()
    this.#check(server)
    this.#check(this.#neighbor)
  }

  /** Somebody reports and, at the server with the journal, waits for the disk as long as it lives. */
  #report({ server, acks }: JournaledServer): void {
    const client = `c${Math.floor(this.#random() * CLIENTS)}`
    const time = ++this.#time
    server.takeAt(`AT ${server.name} +0.000000000 ${client} +1+1 ${time}`)
    if (server === this.#neighbor.server) return
    acks.wait(DISK, server.replica.ownStamp, () => {
      this.#kept.set(client, Math.max(time, this.#kept.get(client) ?? 0))
    })
  }

  /** Remembers what the changes that a table holds now have made. */
  #note({ server }: JournaledServer): void {
    const { table, runs: known } = server.replica
    for (let record = 0; record < table.recordsEnd; record++) {
      const stamp = server.replica.stampOf(record)
      const run = known.get(runOf(stamp))
      if (run === null) continue
      const { client, time } = table.read(record)
      const change = [Buffer.from(client).toString(), time.seconds] as const
      this.#changes.set(`${run.server} ${run.id} ${seqOf(stamp)}`, change)
    }
  }

  #checkRead(server: JournaledServer): void {
    this.#note(server)
    this.#check(server)
    if (!this.#trouble.damage) {
      const times = timesOf(server)
      for (const [client, time] of this.#kept) {
        assert.ok((times.get(client) ?? 0) >= time, `${client} at ${time} was acknowledged and is lost`)
      }
    }
    if (!this.#trouble.faults && !this.#trouble.damage) assert.deepEqual(server.report.damaged, [])
    if (this.#trouble.damage) this.#kept.clear()
  }

  /** Whatever a server claims to hold, it holds, or something newer. */
  #check({ server }: JournaledServer): void {
    const { vector, runs: known } = server.replica
    const times = timesOf({ server })
    for (let run = 1; run < known.end; run++) {
      const name = known.get(run)
      for (let seq = 1; seq <= vector.seq(run) && name !== null; seq++) {
        const change = this.#changes.get(`${name.server} ${name.id} ${seq}`)
        if (change === undefined) continue
        const [client, time] = change
        assert.ok(
          (times.get(client) ?? 0) >= time,
          `claims ${name.id}:${seq} (${client} at ${time}) without holding it`,
        )
      }
    }
  }

  #faultOf(operation: DiskOperation): string | null {
    const mayFail = ['create', 'remove', 'syncFolder', 'write', 'truncate', 'sync'].includes(operation)
    return this.#trouble.faults && mayFail && this.#random() < 0.05 ? 'EIO' : null
  }

  /** Flips a bit somewhere. */
  #damage(): void {
    const names = this.#disk.names(JOURNAL)
    const name = names[Math.floor(this.#random() * names.length)]
    if (name === undefined) return
    const file = this.#disk.file(JOURNAL, name)
    // The version of the format is no place for damage: it would be another program's journal.
    if (file.bytes.length > 20)
      file.damage(20 + Math.floor(this.#random() * (file.bytes.length - 20)), this.#upTo(255))
  }

  #upTo(most: number): number {
    return 1 + Math.floor(this.#random() * most)
  }
}

function timesOf({ server }: Pick<JournaledServer, 'server'>): Map<string, number> {
  return new Map(
    server.lines.map((line) => {
      const [, , , client = '', , time = ''] = line.split(' ')
      return [client, Number(time)]
    }),
  )
}

/** What a server claims to hold of each run. */
function vectorOf({ server }: JournaledServer): Map<string, number> {
  const { vector, runs: known } = server.replica
  const vectors = new Map<string, number>()
  for (let run = 1; run < known.end; run++) {
    const name = known.get(run)
    if (name !== null && vector.seq(run) > 0) vectors.set(`${name.server} ${name.id}`, vector.seq(run))
  }
  return vectors
}

for (const [what, trouble] of [
  ['processes that end anywhere', { faults: false, damage: false }],
  ['… on a disk that is full and fails besides', { faults: true, damage: false }],
  ['… on a disk that flips bits', { faults: false, damage: true }],
] as const) {
  test(`what was acknowledged is there, and nothing is claimed that isn't held: ${what}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const neighbor = await JournaledServer.open(makeDisk(), 'Ball', 1)
        await new Story(seed, trouble, neighbor).tell()
      }),
      runs(150),
    )
  })
}
