/** An HTTP proxy on the loopback interface that brings every host that it is asked for to one port of this machine. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'

/** Who may use it. */
export interface ProxyLogin {
  readonly user: string
  readonly password: string
}

/** What it does with those who ask. */
export type ProxyHabit = 'forward' | 'hang'

/** The proxy. It is gone when the test is over. */
export class HttpProxy {
  /** What it was asked for: `CONNECT host:port`, or `GET http://host/path`. */
  readonly asked: string[] = []
  habit: ProxyHabit = 'forward'
  readonly #server: Server
  readonly #targetPort: number
  readonly #authorization: string | undefined
  readonly #sockets = new Set<Duplex>()

  /** @param targetPort where everything goes. */
  static async start(t: TestContext, targetPort: number, login?: ProxyLogin): Promise<HttpProxy> {
    const proxy = new HttpProxy(targetPort, login)
    const listening = Promise.withResolvers<void>()
    proxy.#server.listen(0, '127.0.0.1', listening.resolve)
    await listening.promise
    t.after(() => proxy.#close())
    return proxy
  }

  private constructor(targetPort: number, login: ProxyLogin | undefined) {
    this.#targetPort = targetPort
    const words = login && Buffer.from(`${login.user}:${login.password}`).toString('base64')
    this.#authorization = words === undefined ? undefined : `Basic ${words}`
    this.#server = createServer((asked, response) => this.#forward(asked, response))
    this.#server.on('connection', (socket: Duplex) => this.#keep(socket))
    this.#server.on('connect', (asked: IncomingMessage, socket: Duplex) => this.#tunnel(asked, socket))
  }

  /** With a login in it, or none. */
  url(login?: ProxyLogin): string {
    const address = this.#server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const who =
      login === undefined ? '' : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`
    return `http://${who}127.0.0.1:${port}`
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    return this.#authorization === undefined || headers['proxy-authorization'] === this.#authorization
  }

  #forward(asked: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${asked.method} ${asked.url}`)
    if (this.habit === 'hang') return
    // A proxy that is talkative: it repeats what it was given.
    if (!this.#isAllowed(asked)) {
      response.writeHead(407).end(String(asked.headers['proxy-authorization']))
      return
    }
    const { pathname, search } = new URL(asked.url ?? '')
    const onward = request(
      { host: '127.0.0.1', port: this.#targetPort, path: pathname + search, method: asked.method ?? 'GET' },
      (reply) => reply.pipe(response.writeHead(reply.statusCode ?? 502)),
    )
    asked.pipe(onward.on('error', () => response.destroy()))
  }

  #tunnel(asked: IncomingMessage, socket: Duplex): void {
    this.asked.push(`CONNECT ${asked.url}`)
    if (this.habit === 'hang') return
    if (!this.#isAllowed(asked)) {
      socket.end(`HTTP/1.1 407 ${asked.headers['proxy-authorization']}\r\n\r\n`)
      return
    }
    const target = connect(this.#targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      socket.pipe(target).pipe(socket)
    })
    this.#keep(target)
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket))
  }

  #close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
