import type { Socket } from 'node:net'
import { NOT_NEWER } from '../../locations/index.ts'
import { LineFramer } from '../../protocol/index.ts'
import { AckHold } from './ack-hold.ts'
import { AwaitedReplies } from './awaited-replies.ts'
import type { ConnectionContext } from './connection-context.ts'
import { Opening } from './first-bytes.ts'
import { LineAccess } from './line-access.ts'
import { LineWatches } from './line-watches.ts'
import { isHttpRequestLine, isServersTalk, isTokenLine, logLine, TOKEN_MISPLACED } from './odd-lines.ts'
import { ReplyWriter } from './reply-writer.ts'
import { LOOKS_AT_COST_1, type PauseReason, QUERY_COST, Turn } from './turn.ts'
import type { WhosatKind } from './whosat.ts'

/** A framed line has lost it. */
const LINE_END = Buffer.from('\n')

/**
 * How a connection stands. `reading`: lines are answered as they come. `paused`: it has as much waiting as it may.
 * `closing`: it did something that ends it; what it still sends is dropped. `handed-over`: it is a link now.
 */
type State = 'reading' | 'paused' | 'closing' | 'handed-over'

/**
 * One client's connection: lines in, replies out in the order of the lines, with everything that waits bounded.
 *
 * `#work` is the one place where lines are taken: after a chunk, after a reply that was awaited, after the socket
 * has drained. It takes lines until there are none or the connection has as much waiting as it may.
 */
export class LineConnection {
  readonly #context: ConnectionContext
  readonly #socket: Socket
  readonly #id: number
  readonly #address: string
  readonly #framer: LineFramer
  readonly #replies: ReplyWriter
  readonly #onHandedOver: () => void
  #state: State = 'reading'
  /** `null` once it is known that lines are spoken. */
  #opening: Opening | null = new Opening()
  #firstLine: (() => void) | null
  #ended = false
  #stopping = false
  #waitTimer: (() => void) | null = null
  #lingerTimer: (() => void) | null = null
  /** The limit that keeps it paused; `null` when only others' turns do. */
  #pausedFor: PauseReason | null = null
  readonly #turn: Turn
  readonly #awaited: AwaitedReplies
  readonly #ack: AckHold
  readonly #watches: LineWatches
  readonly #access: LineAccess

  /** @param onHandedOver told when the connection has become a link. */
  constructor(context: ConnectionContext, socket: Socket, id: number, onHandedOver: () => void) {
    this.#onHandedOver = onHandedOver
    this.#context = context
    this.#socket = socket
    this.#id = id
    this.#address = socket.remoteAddress ?? ''
    this.#framer = new LineFramer(context.limits.lineBytesMax)
    this.#replies = new ReplyWriter(context, socket, id)
    this.#turn = new Turn(context, this.#replies, this.#address)
    this.#awaited = new AwaitedReplies(this.#replies, this.#turn, () => this.#resume())
    this.#ack = new AckHold(context, this.#replies, () => this.#resume())
    this.#access = new LineAccess(context, this.#address, (line) => this.#say(line))
    this.#watches = new LineWatches(context, this.#replies, () => this.#work())
    this.#firstLine = context.system.after(context.limits.firstLineMsMax, () => this.#firstLineLate())
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('drain', this.#onDrain)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  /** Reads no more, answers what was read, and closes the connection once its replies are out. */
  stop(): void {
    if (this.#isOver()) return
    this.#stopping = true
    this.#socket.pause()
    this.#work()
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'closing') return
    if (this.#opening === null) {
      this.#framer.push(chunk)
      this.#work()
      return
    }
    const beginning = this.#opening.push(chunk)
    if (beginning === 'more') return
    const { bytes } = this.#opening
    this.#opening = null
    const take = beginning === 'lines' ? null : this.#context.takers[beginning]
    if (take === null) this.#onData(bytes)
    else {
      this.#handOver()
      take(this.#socket, this.#id, bytes)
    }
  }

  readonly #onEnd = (): void => {
    if (this.#opening !== null) this.#framer.push(this.#opening.bytes)
    this.#opening = null
    this.#ended = true
    this.#work()
  }

  readonly #onDrain = (): void => {
    this.#replies.drained()
    this.#watches.drained()
    this.#work()
  }

  readonly #onError = (error: Error): void => {
    this.#context.log.event('info', 'connection error', { connection: this.#id, error: error.message })
  }

  readonly #onClose = (): void => {
    this.#firstLine?.()
    this.#replies.drained()
    this.#waitTimer?.()
    this.#lingerTimer?.()
    this.#ack.cancel()
    this.#watches.end()
    this.#access.end()
    this.#state = 'closing'
  }

  /** Takes and answers lines until there are none, or until this connection has as much waiting as it may. */
  #work(): void {
    const { output, system, now, replica } = this.#context
    if (this.#isOver()) return
    output.cutBack(0)
    system.readClock(now)
    replica.forget(now)
    this.#turn.begin()
    let exhausted = false
    while (!exhausted && !this.#turn.isOver()) {
      exhausted = !this.#takeLine()
      if (this.#isOver()) return
    }
    this.#ack.hold()
    this.#replies.send()
    if (!exhausted) this.#pause()
    else if (this.#stopping || this.#ended) this.#finish()
    else if (this.#state === 'paused') {
      this.#state = 'reading'
      this.#pausedFor = null
      this.#socket.resume()
    }
  }

  #isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'handed-over'
  }

  /** Takes one line and answers it; `false` when there is none. */
  #takeLine(): boolean {
    const { log, parser, counters } = this.#context
    const framed = this.#framer.next()
    if (framed === 'need-more') return false
    if (framed === 'too-long') {
      counters.linesTooLong++
      this.#close(`? a line may have at most ${this.#context.limits.lineBytesMax} bytes\n`)
      return false
    }
    const { buffer, start, end } = this.#framer
    if (log.traffic) logLine(log, this.#id, buffer, start, end)
    const isFirst = this.#firstLine !== null
    if (isFirst) this.#firstLineCame()
    this.#turn.spend(1)
    const kind = parser.parse(buffer, start, end)
    switch (kind) {
      case 'iamat':
        if (this.#access.isAllowed(buffer, 'report')) this.#iamat(buffer)
        return true
      case 'watch':
      case 'watch-near':
        this.#turn.spend(QUERY_COST)
        this.#watches.watch(this.#access, buffer, kind === 'watch-near', (line) => this.#say(line))
        return true
      case 'unwatch':
        this.#watches.end()
        this.#say('UNWATCH')
        return true
      case 'token':
        this.#turn.spend(QUERY_COST)
        this.#access.token(buffer)
        return true
      case 'ack':
        this.#ack.ask(parser.ack)
        this.#turn.measureRoom()
        return true
      case 'whatsat':
        this.#turn.spend(QUERY_COST)
        if (this.#access.isAllowed(buffer, 'read')) this.#whatsat(buffer, start, end)
        return true
      case 'whosat':
      case 'whosat-near':
      case 'whosat-box':
      case 'whosat-polygon':
        this.#turn.spend(QUERY_COST)
        if (this.#access.isAllowed(buffer, kind === 'whosat' ? 'read' : 'ask'))
          this.#whosat(kind, buffer, start, end)
        return true
      case 'at':
        this.#at(buffer, start, end)
        return true
      case 'herd':
        return this.#greeting(buffer, start, end, isFirst)
      case 'invalid':
        return this.#invalid(buffer, start, end, isFirst)
    }
  }

  #iamat(buffer: Buffer): void {
    const { commands, output, addresses } = this.#context
    const mark = output.waiting
    const applied = commands.iamat(buffer)
    addresses.spendFix(this.#address)
    // What isn't kept, for its age or for want of room, is answered as it is.
    if (this.#ack.isAsked && applied >= NOT_NEWER) this.#ack.note(mark, commands.heldStamp(applied))
  }

  /** Appends a line of our own. */
  #say(text: string): void {
    this.#ack.hold()
    const line = Buffer.from(`${text}\n`)
    this.#context.output.append(line, 0, line.length)
  }

  /** A reply that was awaited is there. */
  #resume(): void {
    if (this.#state === 'closing') this.#endWhenReplied()
    else this.#work()
  }

  #whatsat(buffer: Buffer, start: number, end: number): void {
    const { commands, output, parser, findPlaces } = this.#context
    this.#ack.hold()
    const mark = output.waiting
    const ask = commands.whatsat(buffer)
    if (ask === null) {
      commands.invalid(buffer, start, end)
      return
    }
    const resolve = this.#awaited.await(mark)
    void findPlaces(ask, parser.items, this.#address).then((json) => resolve(Buffer.from(`${json}\n\n`)))
  }

  #whosat(kind: WhosatKind, buffer: Buffer, start: number, end: number): void {
    const { whosat, commands, output } = this.#context
    this.#ack.hold()
    const search = whosat.begin(kind, buffer, this.#access.admitted)
    if (search === null) {
      commands.invalid(buffer, start, end)
      return
    }
    const isDone = search.step()
    this.#turn.spend(search.looks / LOOKS_AT_COST_1)
    if (isDone) whosat.append(search)
    else {
      this.#context.counters.searchesLong++
      const resolve = this.#awaited.await(output.waiting)
      const isWanted = (): boolean => !this.#socket.destroyed
      whosat.finish(search, isWanted, () => {
        output.cutBack(0)
        whosat.append(search)
        resolve(output.take())
      })
    }
  }

  /** AT: from the address of a classic neighbor it is taken without a reply; from anyone else it is no command. */
  #at(buffer: Buffer, start: number, end: number): void {
    const { links, commands } = this.#context
    const classic = links.classicAt(this.#address)
    if (classic.length > 0) links.receiveClassic(classic, buffer)
    else commands.invalid(buffer, start, end)
  }

  /** HERD, as the first line: the connection is a link from here on. */
  #greeting(buffer: Buffer, start: number, end: number, isFirst: boolean): boolean {
    const { links } = this.#context
    const greeting = isFirst ? links.readGreeting(buffer.subarray(start, end)) : null
    if (greeting === null) return this.#invalid(buffer, start, end, isFirst)
    this.#handOver()
    links.accept(this.#socket, this.#id, greeting, this.#framer.takeRest())
    return true
  }

  /** Lets go of the socket, paused: it is the links' from here on. */
  #handOver(): void {
    this.#firstLineCame()
    this.#state = 'handed-over'
    this.#socket.pause()
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('drain', this.#onDrain)
    this.#socket.off('error', this.#onError)
    this.#socket.off('close', this.#onClose)
    this.#onHandedOver()
  }

  #invalid(buffer: Buffer, start: number, end: number, isFirst: boolean): boolean {
    const { commands, counters, links, parser, takers } = this.#context
    if (isFirst && isHttpRequestLine(buffer, start, end)) {
      if (takers.http !== null) {
        const line = Buffer.concat([buffer.subarray(start, end), LINE_END])
        this.#handOver()
        takers.http(this.#socket, this.#id, Buffer.concat([line, this.#framer.takeRest()]))
        return false
      }
      // A web page may make a browser send anything, but only behind a request line.
      counters.httpRefused++
      commands.invalid(buffer, start, end)
      this.#close('')
      return false
    }
    // Two servers that take each other for clients must not send question marks back and forth for ever.
    const fromClassic = links.classicAt(this.#address).length > 0 && isServersTalk(parser, buffer)
    if (fromClassic) counters.linkLinesBad++
    else if (isTokenLine(buffer, start, end)) this.#say(TOKEN_MISPLACED)
    else commands.invalid(buffer, start, end)
    return true
  }

  #firstLineCame(): void {
    this.#firstLine?.()
    this.#firstLine = null
  }

  #firstLineLate(): void {
    this.#firstLine = null
    this.#context.counters.firstLinesLate++
    this.#context.output.cutBack(0)
    this.#close(`? the first line must come within ${this.#context.limits.firstLineMsMax} ms\n`)
  }

  /** Reads no more for now, and sees to it that `#work` is called again when it may go on. */
  #pause(): void {
    const { counters, addresses, system } = this.#context
    if (this.#state === 'reading') {
      this.#state = 'paused'
      this.#socket.pause()
    }
    const reason = this.#turn.pauseReason()
    if (reason !== null && reason !== this.#pausedFor) counters[reason]++
    this.#pausedFor = reason
    if (reason === null) setImmediate(() => this.#work())
    else if (reason === 'pausesForRate') {
      this.#waitTimer?.()
      const waitMs = addresses.fixWaitMs(this.#address, system.nowMs())
      this.#waitTimer = system.after(waitMs, () => this.#work())
    }
    // An awaited reply and a drained socket call it themselves.
  }

  /** All lines are answered: answers a rest that the client ended without LF, and closes when all is said. */
  #finish(): void {
    const { commands, log } = this.#context
    if (this.#ended && this.#framer.finish()) {
      const { buffer, start, end } = this.#framer
      if (log.traffic) logLine(log, this.#id, buffer, start, end)
      if (isTokenLine(buffer, start, end)) this.#say(TOKEN_MISPLACED)
      else commands.invalid(buffer, start, end)
      this.#replies.send()
    }
    if (this.#replies.isDone && (this.#stopping || !this.#watches.isOn)) this.#close('')
  }

  /** Ends the connection, for a fault or because all is said: takes no more lines, and closes when all replies are out. */
  #close(reply: string): void {
    const { output } = this.#context
    this.#ack.hold()
    output.append(Buffer.from(reply), 0, Buffer.byteLength(reply))
    this.#watches.end()
    this.#state = 'closing'
    // What still comes is read and dropped: closing over unread bytes would take back the reply.
    this.#socket.resume()
    this.#endWhenReplied()
  }

  #endWhenReplied(): void {
    const { system, limits } = this.#context
    this.#replies.send()
    if (!this.#replies.isDone || this.#socket.writableEnded) return
    this.#replies.end(() => {
      this.#lingerTimer = system.after(limits.lingerMsMax, () => this.#socket.destroy())
    })
  }
}
