/** A herd of real processes for live tests: its own folder, ports, secret and logs, gone when the test is over. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CounterName } from '../../src/counters.ts'
import type { PlacesCounters } from '../../src/places/finder.ts'
import type { LinkCertificates, LinkEncryption } from '../../src/replication/link-security.ts'
import type { ServerStatus } from '../../src/replication/status.ts'
import { askStatus } from '../../src/replication/status-client.ts'
import { assertNoCanary } from './canary.ts'
import { type ClientOptions, converse, LineClient } from './live-client.ts'
import type { LiveProxy } from './live-proxy.ts'

const HERD_COMMAND = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
const STATUS_MS_MAX = 10_000
const POLL_MS = 15
const STARTS_MAX = 5
// Below the ports that the system gives to connections: a port that was free once would otherwise be taken by
// one while its server is down, and a redial could even reach itself.
const PORT_MIN = 14_000
const PORTS = 16_000

/** The name of one count in a status. */
export type CountName = CounterName | `places.${keyof PlacesCounters}`

/** What a herd is made of. */
export interface LiveHerdOptions {
  readonly servers: readonly string[]
  readonly links?: readonly (readonly [string, string])[]
  /** What else the herd file says: `limits`, `link`, `logs`, `places`, `forgetAfter`. */
  readonly settings?: Readonly<Record<string, object | string>>
  /** Servers of the old kind, with where they are; a port of 0 is a free one. */
  readonly classics?: Readonly<Record<string, { readonly host: string; readonly port: number }>>
  /** Wires that a test holds in its hand: `from` finds `to` behind the proxy. */
  readonly routes?: readonly { readonly from: string; readonly to: string; readonly proxy: Wire }[]
  /** Where servers listen, if elsewhere than on 127.0.0.1. */
  readonly hosts?: Readonly<Record<string, string>>
  /** A command that runs a server's command in its place (it must exec it), such as `ip netns exec <name>`. */
  readonly runners?: Readonly<Record<string, readonly string[]>>
  readonly env?: Readonly<Record<string, string>>
  /** Texts of files beside the herd file, by name. */
  readonly files?: Readonly<Record<string, string>>
  /** Where the servers listen. */
  readonly host?: string
  /** Servers that listen on one more port each. */
  readonly alsoPorts?: readonly string[]
  /** What the status is asked with where links have certificates. */
  readonly certificates?: Partial<LinkCertificates>
  /** Which servers are started; all of ours by default. */
  readonly started?: readonly string[]
}

/** What a route needs of a proxy. */
type Wire = Pick<LiveProxy, 'port' | 'targetPort'>

/** A port was taken between being found and being used. */
class PortTaken extends Error {}

/** The herd. Servers are named as in the herd file. */
export class LiveHerd {
  readonly name = 'live'
  /** What its servers are given by HERD_SECRET, unless `env` says otherwise, and what its status is asked with. */
  secret = 'a secret of the live tests, 0123456789abcdef'
  readonly folder: string
  readonly #t: TestContext
  readonly #options: LiveHerdOptions
  readonly #processes = new Map<string, ChildProcess>()
  #ports = new Map<string, number>()
  #alsoPorts = new Map<string, number>()
  #output = ''

  /** Makes the herd and starts its servers; resolves when all of them listen. */
  static async start(t: TestContext, options: LiveHerdOptions): Promise<LiveHerd> {
    const folder = await mkdtemp(join(tmpdir(), 'herd-live-'))
    const herd = new LiveHerd(t, folder, options)
    t.after(() => herd.#cleanUp())
    for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text)
    for (let starts = 1; ; starts++) {
      await herd.#chooseAddresses()
      try {
        await Promise.all((options.started ?? options.servers).map((name) => herd.startServer(name)))
        return herd
      } catch (error) {
        await herd.#killAll()
        if (!(error instanceof PortTaken) || starts === STARTS_MAX) throw error
      }
    }
  }

  private constructor(t: TestContext, folder: string, options: LiveHerdOptions) {
    this.#t = t
    this.folder = folder
    this.#options = options
  }

  /** Everything that the servers' processes printed. */
  get output(): string {
    return this.#output
  }

  get #encryption(): LinkEncryption {
    const { settings: { link = {} } = {}, certificates = {} } = this.#options
    const mode = typeof link === 'object' && 'encryption' in link ? link.encryption : 'psk'
    if (mode === 'certificates') return { mode, certificates }
    return { mode: mode === 'none' ? mode : 'psk' }
  }

  port(name: string): number {
    const port = this.#ports.get(name)
    assert.ok(port !== undefined, `no server ${name}`)
    return port
  }

  /** The further port of one of `alsoPorts`. */
  alsoPort(name: string): number {
    const port = this.#alsoPorts.get(name)
    assert.ok(port !== undefined, `${name} has one port`)
    return port
  }

  host(name: string): string {
    return this.#options.hosts?.[name] ?? this.#options.host ?? '127.0.0.1'
  }

  pid(name: string): number {
    const pid = this.#processes.get(name)?.pid
    assert.ok(pid !== undefined, `${name} does not run`)
    return pid
  }

  /** Starts a server that does not run; resolves when it listens. */
  async startServer(name: string): Promise<void> {
    const args = ['start', name, '--supervised', '--herd', join(this.folder, `${name}.yaml`)]
    const { PATH = '', HOME = '' } = process.env
    const [runner = process.execPath, ...runnerArgs] = this.#options.runners?.[name] ?? []
    const child = fork(HERD_COMMAND, args, {
      execPath: runner,
      cwd: this.folder,
      env: { PATH, HOME, HERD_SECRET: this.secret, ...this.#options.env },
      execArgv: runner === process.execPath ? [] : [...runnerArgs, process.execPath],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#processes.set(name, child)
    const hear = (chunk: Buffer): void => {
      this.#output += chunk.toString('utf8')
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('exit', (code, signal) => {
      // Whoever ends a server of the herd takes it off this list first.
      if (this.#processes.get(name) === child) this.#output += `${name} ended by itself: ${signal ?? code}\n`
    })
    await this.#listening(name, child)
  }

  /** Ends a server's process; resolves when it is gone. */
  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#processes.get(name)
    assert.ok(child !== undefined, `${name} does not run`)
    this.#processes.delete(name)
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  /** Sends a signal that doesn't end a process, SIGSTOP and SIGCONT. */
  signal(name: string, signal: NodeJS.Signals): void {
    process.kill(this.pid(name), signal)
  }

  /** Kills a server and starts it again. */
  async restart(name: string): Promise<void> {
    await this.kill(name)
    await this.startServer(name)
  }

  /** What a server says of itself. */
  async status(name: string): Promise<ServerStatus> {
    const secret = Buffer.from(this.secret)
    const where = { host: this.host(name), port: this.port(name), name, herd: this.name }
    try {
      return await askStatus({ ...where, secret, encryption: this.#encryption, timeoutMs: STATUS_MS_MAX })
    } catch (error) {
      throw new Error(`no status of ${name}; the servers said: ${this.#output}`, { cause: error })
    }
  }

  /** One count of a server's status. */
  async count(name: string, counter: CountName): Promise<number> {
    return countOf(await this.status(name), counter)
  }

  /** A connection to a server. */
  connect(name: string, options: Omit<ClientOptions, 'port'> = {}): Promise<LineClient> {
    return LineClient.connect(this.#t, { host: this.host(name), ...options, port: this.port(name) })
  }

  /** Sends lines over a connection of their own; returns everything that came back. */
  converse(name: string, data: string | Buffer, options: Omit<ClientOptions, 'port'> = {}): Promise<string> {
    return converse(this.#t, { host: this.host(name), ...options, port: this.port(name) }, data)
  }

  /** Reports a position; returns the AT line, without its line end. */
  async report(
    name: string,
    client: string,
    position = '+34.068930-118.445127',
    time: string = timeNow(),
  ): Promise<string> {
    const reply = await this.converse(name, `IAMAT ${client} ${position} ${time}\n`)
    assert.match(reply, /^AT /)
    return reply.trimEnd()
  }

  /** What a server knows of clients: each one's AT line, or the `? ` copy of the question. */
  async table(name: string, clients: readonly string[]): Promise<string[]> {
    const questions = clients.map((client) => `WHATSAT ${client} 1 0\n`).join('')
    const replies = await this.converse(name, questions)
    return replies.split('\n').filter((line) => line.startsWith('AT ') || line.startsWith('? '))
  }

  /** Waits until these servers say the same of these clients, and know them all; returns the AT lines. */
  async agree(servers: readonly string[], clients: readonly string[]): Promise<string[]> {
    let tables: string[][] = []
    await waitUntil(
      async () => {
        tables = await Promise.all(servers.map((name) => this.table(name, clients)))
        const texts = tables.map((table) => table.join('\n'))
        return texts.every((text) => text === texts[0] && !text.includes('? '))
      },
      () => `${servers.join(', ')} agree; they say ${JSON.stringify(tables, null, 1).slice(0, 4000)}`,
    )
    return tables[0] ?? []
  }

  /** Waits until every link between servers that run is open at both ends. */
  async linked(names: readonly string[] = this.#options.started ?? this.#options.servers): Promise<void> {
    const wanted = (this.#options.links ?? []).filter((pair) => pair.every((name) => names.includes(name)))
    let open: string[] = []
    await waitUntil(
      async () => {
        const statuses = await Promise.all(names.map((name) => this.status(name)))
        open = statuses.flatMap(({ server, links }) =>
          links.filter((link) => link.open).map((link) => `${server}-${link.neighbor}`),
        )
        return wanted.every(([a, b]) => open.includes(`${a}-${b}`) && open.includes(`${b}-${a}`))
      },
      () => `the links are open; open are ${open.join(', ')}`,
    )
  }

  /** Every log file of a server, the oldest first, as one text. */
  async logText(name: string): Promise<string> {
    const folder = join(this.folder, '.herd', 'logs')
    const files = (await readdir(folder)).filter((file) => file.startsWith(`${name}_`))
    const texts = await Promise.all(files.toSorted().map((file) => readFile(join(folder, file), 'utf8')))
    return texts.join('')
  }

  /** Waits until a server's log holds a text. */
  async logged(name: string, text: string): Promise<void> {
    await waitUntil(
      async () => (await this.logText(name)).includes(text),
      () => `${JSON.stringify(text)} is in the log of ${name}`,
    )
  }

  /** Memory that a server's process has resident, in MiB. */
  async memoryMib(name: string): Promise<number> {
    const status = await readFile(`/proc/${this.pid(name)}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  }

  async #listening(name: string, child: ChildProcess): Promise<void> {
    const listening = Promise.withResolvers<void>()
    child.on(
      'message',
      (message: { readonly type: string; readonly code?: string; readonly text?: string }) => {
        if (message.type === 'listening') listening.resolve()
        if (message.type === 'event') this.#output += `${JSON.stringify(message)}\n`
        if (message.type !== 'failed') return
        const text = `${name} can't start: ${message.text}`
        listening.reject(message.code === 'EADDRINUSE' ? new PortTaken(text) : new Error(text))
      },
    )
    child.once('exit', (code, signal) => {
      listening.reject(new Error(`${name} ended (${signal ?? code}) before it listened: ${this.#output}`))
    })
    await listening.promise
  }

  async #chooseAddresses(): Promise<void> {
    const { servers, links = [], settings = {}, classics = {}, routes = [], alsoPorts = [] } = this.#options
    const ports = await freePorts(servers.length + alsoPorts.length)
    this.#alsoPorts = new Map(alsoPorts.map((name, index) => [name, ports[servers.length + index] ?? 0]))
    this.#ports = new Map(servers.map((name, index) => [name, ports[index] ?? 0]))
    for (const { to, proxy } of routes) proxy.targetPort = this.port(to)
    for (const self of servers) {
      const portAsSeen = (name: string): number =>
        routes.find(({ from, to }) => from === self && to === name)?.proxy.port ?? this.port(name)
      const ours = servers.map((name) => {
        const also = this.#alsoPorts.get(name)
        const where = { host: this.host(name), port: portAsSeen(name) }
        return [name, { ...where, ...(also !== undefined && { alsoPorts: [also] }) }] as const
      })
      const old = Object.entries(classics).map(([name, address]) => [name, { ...address, classic: true }])
      const all = Object.fromEntries([...ours, ...old]) as object
      // JSON is YAML too.
      const file = JSON.stringify({ herd: this.name, servers: all, links, ...settings }, null, 2)
      await writeFile(join(this.folder, `${self}.yaml`), file)
    }
  }

  async #killAll(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.kill(name)))
  }

  async #cleanUp(): Promise<void> {
    await this.#killAll()
    try {
      // Whatever a live test is about: no server ever wrote a key.
      assertNoCanary({ text: this.#output, folder: this.folder })
    } finally {
      await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** One count of a status. */
export function countOf(status: ServerStatus, counter: CountName): number {
  const count = status.counters[counter]
  assert.ok(count !== undefined, `no count ${counter}`)
  return count
}

/** Asks again and again until a condition holds; fails with what was wanted when it doesn't in time. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) {
      assert.fail(`not within ${timeoutMs} ms: ${typeof what === 'string' ? what : what()}`)
    }
    await sleep(POLL_MS)
  }
}

/** The time now as a client gives it. */
export function timeNow(): string {
  return (Date.now() / 1000).toFixed(9)
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = PORT_MIN + Math.floor(Math.random() * PORTS)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return free
}
