/**
 * A PostgreSQL with PostGIS that nobody else knows: its own folder, port and roles, started and ended by a test or
 * benchmark. Nothing of the machine's own databases is touched.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'

const exec = promisify(execFile)
/** Where Debian has the programs, which are on nobody's path. */
const PROGRAMS = '/usr/lib/postgresql/15/bin'
const EXTENSION = '/usr/share/postgresql/15/extension/postgis.control'
/** PostgreSQL won't run as root: Debian's package makes this user. */
const USER = 'postgres'
const SUPERUSER = 'herd'
const DATABASE = 'places'
const START_MS_MAX = 30_000
const POLL_MS = 20

/** Why none can be started here, or `undefined` when one can. */
export async function whyNoPostgres(): Promise<string | undefined> {
  for (const file of [`${PROGRAMS}/postgres`, EXTENSION]) {
    const missing = await access(file).then(
      () => false,
      () => true,
    )
    if (missing) return `${file} is missing: npm run setup`
  }
  return undefined
}

/** A program and its arguments. */
type Command = [program: string, args: string[]]

/** A command as the user that PostgreSQL runs as. */
function asUser(program: string, args: readonly string[]): Command {
  if (process.getuid?.() !== 0) return [program, [...args]]
  return ['setpriv', [`--reuid=${USER}`, `--regid=${USER}`, '--init-groups', program, ...args]]
}

/** The database `places` of a superuser `herd`, with PostGIS. */
export class Postgres {
  readonly password: string
  readonly port: number
  readonly #folder: string
  readonly #wrap: (command: Command) => Command
  #process: ChildProcess | undefined
  #output = ''

  /**
   * Makes one and starts it.
   *
   * @param wrap what its command becomes: pinned to a core, for instance.
   */
  static async start(
    password: string = 'a password of the tests',
    wrap?: (command: Command) => Command,
  ): Promise<Postgres> {
    const folder = await mkdtemp(join(tmpdir(), 'herd-postgres-'))
    const postgres = new Postgres(folder, password, await freePort(), wrap ?? ((command) => command))
    try {
      await postgres.#initialise()
      await postgres.restart()
      await postgres.#makeDatabase()
      return postgres
    } catch (error) {
      await postgres.close()
      throw error
    }
  }

  private constructor(folder: string, password: string, port: number, wrap: (command: Command) => Command) {
    this.#folder = folder
    this.password = password
    this.port = port
    this.#wrap = wrap
  }

  /** As a herd file has it: without the password. */
  get url(): string {
    return this.urlOf(DATABASE)
  }

  urlOf(database: string, user: string = SUPERUSER): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`
  }

  /** A connection to one of its databases; whoever asked for it ends it. */
  async connect(database: string = DATABASE): Promise<Client> {
    const { port, password } = this
    const client = new Client({ host: '127.0.0.1', port, user: SUPERUSER, password, database })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  /** Runs statements in one of its databases. */
  async run(sql: string, database: string = DATABASE): Promise<void> {
    const client = await this.connect(database)
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }

  /** Starts it, if it doesn't run, with all that it had. */
  async restart(): Promise<void> {
    await this.stop()
    const args = ['-D', join(this.#folder, 'data'), '-k', this.#folder, '-p', String(this.port)]
    const settings = ['fsync=off', 'full_page_writes=off', 'listen_addresses=127.0.0.1', 'jit=off']
    const all = [...args, ...settings.flatMap((setting) => ['-c', setting])]
    const [program, programArgs] = this.#wrap(asUser(`${PROGRAMS}/postgres`, all))
    const child = spawn(program, programArgs, { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString('utf8')
      })
    }
    const deadline = performance.now() + START_MS_MAX
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`PostgreSQL did not start: ${this.#output}`)
      }
      await sleep(POLL_MS)
    }
  }

  /** Ends it at once, but in order; what it holds stays. */
  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGINT')
    await gone
  }

  /** Ends it, and removes all of it. */
  async close(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** The same at once, without waiting: the last thing that an exiting process does. */
  closeNow(): void {
    this.#process?.kill('SIGKILL')
    this.#process = undefined
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #initialise(): Promise<void> {
    const passwordFile = join(this.#folder, 'password')
    await writeFile(passwordFile, this.password)
    if (process.getuid?.() === 0) await exec('chown', ['-R', USER, this.#folder])
    const [program, args] = asUser(`${PROGRAMS}/initdb`, [
      ...['-D', join(this.#folder, 'data'), '-U', SUPERUSER, '--auth=scram-sha-256', '-E', 'UTF8'],
      ...['--locale=C.UTF-8', `--pwfile=${passwordFile}`, '--no-sync'],
    ])
    await exec(program, args, { cwd: this.#folder })
  }

  async #makeDatabase(): Promise<void> {
    await this.run(`CREATE DATABASE ${DATABASE}`, 'postgres')
    await this.run('CREATE EXTENSION postgis')
  }

  async #answers(): Promise<boolean> {
    try {
      const client = await this.connect('postgres')
      await client.end()
      return true
    } catch {
      return false
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const closed = once(server, 'close')
  server.close()
  await closed
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
