/** A wire between two servers that a test can cut, hold still and listen to. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** One connection that went through, with the bytes of both directions. */
export interface Recording {
  /** From whoever dialed. */
  readonly up: Buffer[]
  /** From whoever was dialed. */
  readonly down: Buffer[]
}

/** `open`: bytes pass. `held`: nothing passes and nothing ends. `cut`: every connection ends at once. */
type State = 'open' | 'held' | 'cut'

/** A TCP proxy on the loopback interface. */
export class LiveProxy {
  /** Every connection so far. */
  readonly recordings: Recording[] = []
  /** Where connections lead. */
  targetPort = 0
  /** How often somebody has dialed. */
  attempts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #state: State = 'open'

  /** Starts one on a free port; it ends with the test. */
  static start(t: TestContext): Promise<LiveProxy> {
    return LiveProxy.at(t, 0)
  }

  /** Starts one on a port that is free. */
  static async at(t: TestContext, port: number): Promise<LiveProxy> {
    const server = createServer({ allowHalfOpen: false, pauseOnConnect: true })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new LiveProxy(server)
    t.after(() => {
      proxy.cut()
      server.close()
    })
    return proxy
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#join(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** How many connections lead through now. */
  get connections(): number {
    return this.#sockets.size / 2
  }

  /** Ends every connection, and each that comes. */
  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Ends it: nobody listens there any more. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.cut()
    this.#server.close()
    await closed
  }

  /** Lets nothing pass any more, and tells nobody. */
  hold(): void {
    this.#state = 'held'
    for (const socket of this.#sockets) socket.pause()
  }

  /** Lets everything pass again, what was held first. */
  heal(): void {
    this.#state = 'open'
    for (const socket of this.#sockets) socket.resume()
  }

  #join(near: Socket): void {
    this.attempts++
    near.on('error', () => undefined)
    if (this.#state === 'cut') {
      near.destroy()
      return
    }
    const far = connect({ port: this.targetPort, host: '127.0.0.1', noDelay: true })
    const recording: Recording = { up: [], down: [] }
    this.recordings.push(recording)
    this.#pass(near, far, recording.up)
    this.#pass(far, near, recording.down)
    if (this.#state === 'open') near.resume()
    else far.pause()
  }

  #pass(from: Socket, to: Socket, record: Buffer[]): void {
    this.#sockets.add(from)
    from.on('data', (chunk: Buffer) => {
      record.push(chunk)
      to.write(chunk)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
