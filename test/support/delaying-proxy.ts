/** A wire between two servers that is slow, uneven, and breaks: for kernels that can't make a network so. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** How bad the wire is. */
export interface WireFaults {
  /** Each chunk arrives so much later… */
  readonly delayMs: number
  /** …and up to so much more; order is kept. */
  readonly jitterMs?: number
  /** Each connection breaks after at most so many bytes (in one direction, amid whatever goes on); 0: it doesn't. */
  readonly bytesUntilCutMax?: number
}

/** What waits in one direction: then the sender is not read, as on a real wire. */
const WAITING_BYTES_MAX = 256 * 1024

/** A TCP proxy on the loopback interface. */
export class DelayingProxy {
  /** Where connections lead. */
  targetPort = 0
  /** How many connections were broken. */
  cuts = 0
  /** How many bytes were on their way when their connection was broken, and never arrived. */
  bytesDropped = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #faults: WireFaults

  /** Starts one on a free port; it ends with the test. */
  static async start(t: TestContext, faults: WireFaults): Promise<DelayingProxy> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new DelayingProxy(server, faults)
    t.after(() => {
      for (const socket of proxy.#sockets) socket.destroy()
      server.close()
    })
    return proxy
  }

  private constructor(server: Server, faults: WireFaults) {
    this.#server = server
    this.#faults = faults
    server.on('connection', (near) => {
      const far = connect({ port: this.targetPort, host: '127.0.0.1', noDelay: true })
      this.#pass(near, far)
      this.#pass(far, near)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** From now on the wire is as bad as this; connections that are open keep the cut that they were given. */
  become(faults: WireFaults): void {
    this.#faults = faults
  }

  /** Breaks every connection that is open. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #pass(from: Socket, to: Socket): void {
    const { bytesUntilCutMax = 0 } = this.#faults
    let bytesLeft =
      bytesUntilCutMax === 0 ? Number.POSITIVE_INFINITY : Math.ceil(Math.random() * bytesUntilCutMax)
    let [waiting, dueAt] = [0, 0]
    const onTheWay: Buffer[] = []
    this.#sockets.add(from)
    from.on('error', () => undefined)
    from.on('close', () => {
      this.#sockets.delete(from)
      if (!to.writableEnded) to.destroy()
    })
    from.on('data', (chunk: Buffer) => {
      const { delayMs, jitterMs = 0 } = this.#faults
      const now = performance.now()
      dueAt = Math.max(dueAt, now + delayMs + Math.random() * jitterMs)
      waiting += chunk.length
      if (waiting > WAITING_BYTES_MAX) from.pause()
      onTheWay.push(chunk)
      // Timers may fire in another order than they are due; chunks don't.
      setTimeout(() => deliver(onTheWay.shift() ?? chunk), dueAt - now)
    })
    const deliver = (chunk: Buffer): void => {
      waiting -= chunk.length
      if (from.isPaused() && waiting <= WAITING_BYTES_MAX) from.resume()
      if (to.destroyed) this.bytesDropped += chunk.length
      else if (chunk.length < bytesLeft) to.write(chunk)
      else {
        this.cuts++
        this.bytesDropped += chunk.length - bytesLeft
        to.end(chunk.subarray(0, bytesLeft), () => to.destroy())
        from.destroy()
      }
      bytesLeft -= chunk.length
    }
  }
}
