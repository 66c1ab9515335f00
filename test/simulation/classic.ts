import { NaiveTable, readAt } from '../support/naive-table.ts'
import { LineSplitter } from './lines.ts'
import type { End } from './wire.ts'
import type { World } from './world.ts'

const REDIAL_MS = 500

/**
 * A server of the old kind, as a naive one would be written: it holds the newest by the order of fixes, speaks bare AT
 * lines, and tells all others what is new to it, once. What is lost with a connection is lost.
 */
export class ClassicServer {
  readonly name: string
  readonly world: World
  readonly neighborNames: Set<string> = new Set()
  table: NaiveTable = new NaiveTable()
  isUp = false
  readonly #outs = new Map<string, End>()

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
  }

  /** Starts it with an empty memory. */
  start(): void {
    this.isUp = true
    this.table = new NaiveTable()
    for (const neighbor of this.neighborNames) this.#dial(neighbor)
  }

  /** Ends it. */
  crash(isSilent: boolean): void {
    this.isUp = false
    for (const end of this.#outs.values()) {
      if (isSilent) end.vanish()
      else end.destroy()
    }
    this.#outs.clear()
  }

  /** A neighbor connects; it says nothing but AT lines. */
  incoming(end: End, from: string): void {
    const splitter = new LineSplitter()
    this.world.classicEnds.push({ end, server: this })
    end.socket = {
      onOpen: () => {},
      onClose: () => {},
      onData: (chunk) => {
        for (const line of splitter.push(chunk)) if (this.isUp && !end.isClosed) this.take(line, from)
      },
    }
  }

  /** Takes an AT line. @param from who sent it; `''`: a client. */
  take(line: string, from: string): void {
    const fix = readAt(line)
    const { server, skewText, client, positionText, timeText } = fix
    const bare = `AT ${server} ${skewText} ${client} ${positionText} ${timeText}`
    if (!this.table.apply(bare)) return
    for (const [neighbor, end] of this.#outs)
      if (neighbor !== from) end.write(Buffer.from(`${bare}\n`, 'latin1'))
  }

  #dial(neighbor: string): void {
    if (!this.isUp) return
    const end = this.world.connect(this, neighbor)
    end.socket = {
      onOpen: () => {
        if (this.isUp) this.#outs.set(neighbor, end)
      },
      onData: () => {},
      onClose: () => {
        if (this.#outs.get(neighbor) === end) this.#outs.delete(neighbor)
        this.world.agenda.after(REDIAL_MS, () => {
          if (!this.#outs.has(neighbor)) this.#dial(neighbor)
        })
      },
    }
    end.connect()
  }
}
