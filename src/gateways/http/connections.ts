import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { System } from '../../system.ts'

/** What waits on one connection. */
interface Connection {
  readonly id: number
  /** Requests that aren't answered yet. */
  pending: number
  /** The request that began last, which may not have come whole. */
  last: Exchange | null
  /** To be done once no more than so many aren't answered. */
  after: { readonly pendingMax: number; readonly callback: () => void } | null
}

/** A request and its answer. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
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
    this.#open.set(socket, { id, pending: 0, last: null, after: null })
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
    connection.last = { request, response }
    if (this.#isStopping) response.shouldKeepAlive = false
    response.once('close', () => {
      connection.pending--
      if (request.complete && connection.last?.response === response) connection.last = null
      this.#context.answered(connection.id, request, response)
      proceed(connection)
      if (connection.pending === 0 && this.#isStopping) request.socket.destroySoon()
    })
    return true
  }

  /**
   * Nothing more can be read of a connection. Does something once all requests are answered that came whole: one that didn't waits for
   * the rest of itself, and would for ever.
   *
   * @param callback is told whether something may be said in place of its answer: not when that has begun.
   */
  whenAnswered(socket: Duplex, callback: (maySay: boolean) => void): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) {
      callback(true)
      return
    }
    const { last } = connection
    const half = last === null || last.request.complete ? null : last
    connection.after = {
      pendingMax: half === null || half.response.headersSent ? 0 : 1,
      callback: () => callback(half === null || isUnsaid(half)),
    }
    proceed(connection)
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

/** Does what waits for the answers of a connection, if they are given. */
function proceed(connection: Connection): void {
  const { pending, after } = connection
  if (after === null || pending > after.pendingMax) return
  connection.after = null
  after.callback()
}

/** @returns whether no answer has begun; from then on none will. */
function isUnsaid({ request, response }: Exchange): boolean {
  if (response.headersSent) return false
  if (response.socket !== null) response.detachSocket(request.socket)
  return true
}
