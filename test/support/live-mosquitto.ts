/** A real Mosquitto for live tests, on a port of its own, gone when the test is over. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { waitUntil } from './live-herd.ts'

const COMMAND = '/usr/sbin/mosquitto'
const run = promisify(execFile)

/** The broker. */
export class LiveMosquitto {
  readonly port: number
  readonly #folder: string
  #process: ChildProcess | null = null
  #output = ''

  /** Starts it. @param user who alone may connect, with a password; everybody by default. */
  static async start(
    t: TestContext,
    user?: { readonly name: string; readonly password: string },
  ): Promise<LiveMosquitto> {
    const folder = await mkdtemp(join(tmpdir(), 'herd-mosquitto-'))
    const port = await freePort()
    const passwords = join(folder, 'passwords')
    if (user !== undefined) await run('mosquitto_passwd', ['-c', '-b', passwords, user.name, user.password])
    const lines = [
      ...[`listener ${port} 127.0.0.1`, 'persistence true', `persistence_location ${folder}/`],
      // As root it would become a user that can't read the folder.
      'user root',
      ...(user === undefined ? ['allow_anonymous true'] : [`password_file ${passwords}`]),
    ]
    await writeFile(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`)
    const broker = new LiveMosquitto(folder, port)
    t.after(async () => {
      await broker.kill()
      await rm(folder, { recursive: true, force: true })
    })
    await broker.startAgain()
    return broker
  }

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
  }

  /** Everything that it said. */
  get output(): string {
    return this.#output
  }

  /** Starts it when it does not run; resolves when it takes connections. */
  async startAgain(): Promise<void> {
    const child = spawn(COMMAND, ['-v', '-c', join(this.#folder, 'mosquitto.conf')])
    this.#process = child
    const hear = (chunk: Buffer): void => {
      this.#output += chunk.toString('utf8')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    await waitUntil(
      () => isListening(this.port),
      () => `mosquitto listens; it said ${this.#output}`,
    )
  }

  /** Ends it; SIGTERM lets it write down what it keeps. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const is = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return is
}
