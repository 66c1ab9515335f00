import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { CallRefused } from '../calls/call-refused.ts'
import type { Caller } from '../calls/calls.ts'
import type { Watching } from '../watch/watch-hub.ts'
import type { WatchedFix } from '../watch/watched-fix.ts'
import { areaOf, boxOf } from './areas.ts'
import { admittedBy } from './caller.ts'
import { near } from './client-routes.ts'
import { fixJson, JSON_FORMAT } from './fix-json.ts'
import { isObject } from './geojson.ts'
import type { HttpContext } from './http-context.ts'
import { problemOf } from './problem.ts'
import { reportOne } from './report-routes.ts'
import type { SocketAskJson, SocketTellJson } from './shapes.ts'
import { SlowReader } from './slow-reader.ts'
import { type Ask, SOCKET_CHECKS } from './socket-schemas.ts'
import { shown } from './validation.ts'

/** Codes with which a WebSocket is closed: RFC 6455. */
const POLICY = 1008
const GOING_AWAY = 1001
const END = Buffer.from('}')

/** Who opened a socket. */
export interface SocketOpener {
  readonly address: string
  readonly token: string | null
}

/** One WebSocket: messages in, messages out, and what it watches. */
export class SocketSession {
  readonly #context: HttpContext
  readonly #socket: WebSocket
  readonly #raw: Duplex
  readonly #opener: SocketOpener
  readonly #slow: SlowReader
  readonly #watches = new Map<string, Watching>()
  #token: string | null
  /** `null` until a token was shown, where one is needed. */
  #caller: Caller | null = null
  #pending = 0
  #isBlocked = false
  #isAlive = true
  #stopBeating: () => void = () => {}
  #stopWaiting: () => void = () => {}
  #forgetGrant: () => void = () => {}

  /** @param raw the connection below. */
  constructor(
    context: HttpContext,
    socket: WebSocket,
    raw: Duplex & { bytesWritten?: number },
    opener: SocketOpener,
  ) {
    this.#context = context
    this.#socket = socket
    this.#raw = raw
    this.#opener = opener
    this.#token = opener.token
    this.#slow = new SlowReader(context, {
      bytesTaken: () => (raw.bytesWritten ?? 0) - raw.writableLength,
      drop: () => {
        context.log.event('warning', 'slow reader dropped', { address: opener.address })
        socket.terminate()
      },
    })
  }

  /** Begins to answer. */
  begin(): void {
    const socket = this.#socket
    const { system, limits } = this.#context
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary))
    socket.on('pong', () => {
      this.#isAlive = true
    })
    // What is wrong with its frames closes it, with a code that says so.
    socket.on('error', () => {})
    socket.once('close', () => this.#end())
    this.#raw.on('drain', this.#onDrain)
    this.#stopBeating = this.#beat()
    if (this.#admit() === null) return
    this.#stopWaiting = system.after(limits.headMsMax, () => {
      if (this.#caller === null) socket.close(POLICY, 'no token came (http.headMsMax)')
    })
  }

  /** The server stops: the other end may come back to another one. */
  readonly close = (): void => this.#socket.close(GOING_AWAY, 'the server stops')

  readonly #revoked = (): void => this.#socket.close(POLICY, 'the token holds no more')

  readonly #onDrain = (): void => {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#isAlive = true
    this.#slow.drained()
    this.#readOn()
    for (const watching of this.#watches.values()) watching.resume()
  }

  #end(): void {
    this.#stopBeating()
    this.#stopWaiting()
    this.#forgetGrant()
    this.#slow.drained()
    this.#raw.off('drain', this.#onDrain)
    for (const watching of this.#watches.values()) watching.close()
    this.#watches.clear()
  }

  /** @returns why it is not admitted; `null`: it is. */
  #admit(): CallRefused | null {
    const { gatekeeper } = this.#context
    try {
      this.#caller = admittedBy(gatekeeper, this.#token, this.#opener.address)
      this.#forgetGrant()
      this.#forgetGrant = this.#caller.grant.whenRevoked(this.#revoked)
      return null
    } catch (error) {
      if (error instanceof CallRefused) return error
      throw error
    }
  }

  #take(data: Buffer, isBinary: boolean): void {
    const message = isBinary ? null : parsed(data)
    const op = isObject(message) && 'op' in message ? message.op : undefined
    const id = isObject(message) && typeof message.id === 'string' ? message.id : undefined
    this.#pending++
    this.#pauseAt()
    void this.#answer(op, message)
      .catch((error: unknown) => this.#fail(error, id))
      .finally(() => {
        this.#pending--
        this.#readOn()
      })
  }

  async #answer(op: unknown, message: unknown): Promise<void> {
    if (op === 'token' || op === 'ping') {
      if (op === 'ping') this.#tell({ op: 'pong' })
      else this.#showToken(checked('token', message))
      return
    }
    const caller = this.#caller
    if (caller === null) throw this.#admit() ?? new CallRefused('not-allowed', 'a token must be shown first')
    switch (op) {
      case 'report':
        return await this.#report(checked('report', message), caller)
      case 'watch':
        this.#watch(checked('watch', message), caller)
        return
      case 'unwatch':
        this.#unwatch(checked('unwatch', message))
        return
      case 'get': {
        const { id, client } = checked('get', message)
        const { calls } = this.#context
        this.#tell({ op: 'fix', id, fix: fixJson(calls.fix(client, caller), calls.now) })
        return
      }
      case 'near':
        return await this.#near(checked('near', message), caller)
      default:
        throw new CallRefused(
          'invalid',
          `${shown(op)} is no op: a message is JSON with the op token, report, watch, unwatch, get, near or ping`,
        )
    }
  }

  #showToken({ token }: Ask<'token'>): void {
    this.#token = token
    const refused = this.#admit()
    if (refused !== null) throw refused
    this.#stopWaiting()
  }

  async #report({ id, report }: Ask<'report'>, caller: Caller): Promise<void> {
    const reported = await reportOne(this.#context.calls, report, caller)
    this.#tell({ op: 'reported', ...(id !== undefined && { id }), ...reported })
  }

  async #near(message: Ask<'near'>, caller: Caller): Promise<void> {
    const { calls } = this.#context
    const { fixes, rest } = await near(
      calls,
      message,
      caller,
      () => this.#socket.readyState === this.#socket.OPEN,
    )
    const { now } = calls
    this.#tell({ op: 'fixes', id: message.id, fixes: fixes.map((fix) => fixJson(fix, now)), ...rest })
  }

  #watch({ id, clients, circle, box, from = 'all' }: Ask<'watch'>, { grant }: Caller): void {
    const { hub, limits, counters } = this.#context
    if (this.#watches.has(id))
      throw new CallRefused('invalid', `${shown(id)} is watched already: unwatch it first`)
    if (this.#watches.size >= limits.watchesPerSocketMax) {
      counters.watchersRefused++
      const most = `${limits.watchesPerSocketMax} are watched already (http.watchesPerSocketMax)`
      throw new CallRefused('too-many', most)
    }
    const area = areaOf(circle ?? {}, box === undefined ? null : boxOf(box))
    const filter = { clients: clients === undefined ? null : new Set(clients), area, grant }
    const name = JSON.stringify(id)
    const heads = {
      fix: Buffer.from(`{"op":"fix","id":${name},"fix":`),
      exit: Buffer.from(`{"op":"exit","id":${name},"fix":`),
    }
    const told: Buffer[] = []
    const tell = (head: Buffer, fix: WatchedFix): void => {
      told.push(Buffer.concat([head, fix.as(JSON_FORMAT), END]))
    }
    const watching = hub.watch(filter, from, {
      fix: (fix) => tell(heads.fix, fix),
      exit: (fix) => tell(heads.exit, fix),
      cursor: (cursor) => told.push(Buffer.from(JSON.stringify({ op: 'cursor', id, cursor }))),
      flush: () => this.#send(told.splice(0)),
    })
    this.#watches.set(id, watching)
  }

  #unwatch({ id }: Ask<'unwatch'>): void {
    const watching = this.#watches.get(id)
    if (watching === undefined) throw new CallRefused('invalid', `${shown(id)} is not watched`)
    watching.close()
    this.#watches.delete(id)
  }

  #fail(error: unknown, id: string | undefined): void {
    const { log } = this.#context
    if (!(error instanceof CallRefused)) {
      log.event('error', 'http', { error: error instanceof Error ? error.message : String(error) })
      this.#socket.close(1011, 'this is a mistake of the server')
      return
    }
    this.#tell({ op: 'problem', ...(id !== undefined && { id }), problem: problemOf(error) })
  }

  #tell(message: SocketTellJson): void {
    this.#send([Buffer.from(JSON.stringify(message))])
  }

  /** @returns whether there is room for more. */
  #send(messages: readonly Buffer[]): boolean {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return true
    if (messages.length > 1) this.#raw.cork()
    for (const message of messages) socket.send(message, { binary: false, compress: false })
    if (messages.length > 1) this.#raw.uncork()
    if (!this.#raw.writableNeedDrain) return true
    this.#isBlocked = true
    this.#slow.waits()
    this.#pauseAt()
    return false
  }

  /** Reads no further while what was asked waits, or answers do. */
  #pauseAt(): void {
    if (this.#isBlocked || this.#pending >= this.#context.limits.pendingMax) this.#socket.pause()
  }

  #readOn(): void {
    if (!this.#isBlocked && this.#pending < this.#context.limits.pendingMax) this.#socket.resume()
  }

  /** Looks whether anybody is there. */
  #beat(): () => void {
    const { system, limits } = this.#context
    const again = (): (() => void) =>
      system.after(limits.heartbeatMs, () => {
        // Who is slow is dropped by that; its pong may wait behind what we don't read.
        if (!this.#isAlive && !this.#socket.isPaused) {
          this.#socket.terminate()
          return
        }
        this.#isAlive = false
        if (!this.#isBlocked && this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
        cancel = again()
      })
    let cancel = again()
    return () => cancel()
  }
}

/** Checks a message by its `op`. @throws {CallRefused} when it is none of ours. */
function checked<Op extends SocketAskJson['op']>(op: Op, message: unknown): Ask<Op> {
  const check: (typeof SOCKET_CHECKS)[Op] = SOCKET_CHECKS[op]
  check.check(message)
  return message
}

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return null
  }
}
