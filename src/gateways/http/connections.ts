import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { System } from '../../system.ts'

/** What waits on one connection. */
interface Connection {
  readonly id: number
  /** Requests that aren't answered yet. */
  pending: number
  /** To be done once all are. */
  after: (() => void) | null
}

/** What connections need. */
export interface ConnectionsContext {
  readonly system: Pick<System, 'after'>
  readonly pendingMax: number
  /** Told of each request once it is answered, or nobody is there any more to be told. */
  readonly answered: (connection: number, request: IncomingMessage, response: ServerResponse) => void
}

/** The connections of HTTP, and what each waits for. */
export class Connections {
  readonly #context: ConnectionsContext
  readonly #open = new Map<Duplex, Connection>()
  #isStopping = false
  #onClosed: () => void = () => {}

  constructor(context: ConnectionsContext) {
    this.#context = context
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size
  }

  /** A connection that HTTP is spoken on from here on. */
  add(socket: Duplex, id: number): void {
    this.#open.set(socket, { id, pending: 0, after: null })
    socket.once('close', () => {
      this.#open.delete(socket)
      if (this.#open.size === 0) this.#onClosed()
    })
  }

  /** A connection is no longer one of requests: whoever has it ends it. */
  hold(socket: Duplex): void {
    const connection = this.#open.get(socket)
    if (connection !== undefined) connection.pending++
  }

  /**
   * A request has come. When it is answered in the middle of stopping, its connection ends.
   *
   * @returns whether it may be answered: not when too many on its connection wait already.
   */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#open.get(request.socket)
    if (connection === undefined) return true
    if (connection.pending >= this.#context.pendingMax) return false
    connection.pending++
    if (this.#isStopping) response.shouldKeepAlive = false
    response.once('close', () => {
      connection.pending--
      this.#context.answered(connection.id, request, response)
      if (connection.pending > 0) return
      connection.after?.()
      if (this.#isStopping) request.socket.destroySoon()
    })
    return true
  }

  /** Does something once all requests of a connection are answered. */
  whenAnswered(socket: Duplex, callback: () => void): void {
    const connection = this.#open.get(socket)
    if (connection === undefined || connection.pending === 0) callback()
    else connection.after = callback
  }

  /** Closes all: those without a request at once, the others when theirs are answered, or after some time. */
  async stop(lingerMs: number): Promise<void> {
    this.#isStopping = true
    if (this.#open.size === 0) return
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve
    })
    for (const [socket, { pending }] of this.#open) {
      if (pending === 0) socket.end(() => socket.destroy())
    }
    const cancel = this.#context.system.after(lingerMs, () => {
      for (const socket of this.#open.keys()) socket.destroy()
    })
    await closed
    cancel()
  }
}
