/** The `herd` command as people run it: real processes, real sockets, signals. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
const WAIT_MS_MAX = 60_000
const SERVERS = ['Alford', 'Ball', 'Hamilton']

interface Herd {
  readonly folder: string
  readonly file: string
  readonly ports: readonly number[]
}

/** One line of `herd up --json`. */
interface UpEvent {
  readonly event: string
  readonly server?: string
  readonly pid?: number
  readonly reason?: string
}

/** A running `herd up --json`, with what it has said. */
interface Up {
  readonly process: ChildProcess
  readonly events: readonly UpEvent[]
  readonly next: (from: number, event: string, server?: string) => Promise<UpEvent>
  readonly pid: (server: string) => number
}

// ---- what the tests stand on

/** A chain of three servers on free ports, with its own folder for everything. */
async function makeHerd(t: TestContext): Promise<Herd> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-cli-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const holders = await Promise.all(SERVERS.map(() => listen(createServer())))
  const ports = holders.map(portOf)
  for (const holder of holders) holder.close()
  const servers = SERVERS.map((name, index) => `  ${name}: { port: ${ports[index]} }\n`).join('')
  const file = join(folder, 'chain.yaml')
  await writeFile(file, `herd: chain\nservers:\n${servers}links: [[Alford, Ball], [Ball, Hamilton]]\n`)
  return { folder, file, ports }
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** A server of another kind, for what ours never does. */
async function standIn(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {}) // the command goes away when it has seen enough
    answer(socket)
  })
  t.after(() => server.close())
  return `127.0.0.1:${portOf(await listen(server))}`
}

function launch(t: TestContext, herd: { folder: string }, args: readonly string[], node = process.execPath) {
  const { GOOGLE_PLACES_API_KEY: _key, HERD_SECRET: _secret, NODE_TEST_CONTEXT: _test, ...env } = process.env
  const child = spawn(node, [BIN, ...args], { cwd: herd.folder, env })
  t.after(() => child.kill('SIGKILL')) // a test that fails leaves nothing behind: servers end with their parent
  return child
}

async function run(t: TestContext, herd: { folder: string }, args: readonly string[], input = '') {
  const child = launch(t, herd, args)
  child.stdin.on('error', () => {}) // not every command reads it
  child.stdin.end(input)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { out, err, code: code as number | null }
}

async function up(t: TestContext, herd: Herd, node = process.execPath): Promise<Up> {
  const child = launch(t, herd, ['up', '--json', herd.file], node)
  const events: UpEvent[] = []
  readLines(child.stdout, (line) => events.push(JSON.parse(line)))
  const find = (from: number, event: string, server?: string) =>
    events
      .slice(from)
      .find((each) => each.event === event && (server === undefined || each.server === server))
  const running: Up = {
    process: child,
    events,
    next: (from, event, server) => until(`${event} ${server ?? ''}`, () => find(from, event, server)),
    pid: (server) => {
      const { pid } = events.findLast((each) => each.event === 'listening' && each.server === server) ?? {}
      assert.ok(pid)
      return pid
    },
  }
  await running.next(0, 'up')
  return running
}

function readLines(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream }).on('line', take)
}

/** Waits until `find` finds something; fails after a bounded time. */
async function until<T>(what: string, find: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + WAIT_MS_MAX
  for (;;) {
    const found = await find()
    if (found) return found as NonNullable<Exclude<T, false>>
    if (performance.now() > end) throw new Error(`waited ${WAIT_MS_MAX} ms for: ${what}`)
    await pause(20)
  }
}

async function exitOf(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

async function allGone(pids: readonly number[]): Promise<void> {
  await until(`the end of ${pids.join(', ')}`, () => pids.every(isGone))
}

// ---- a herd's life

test('up: all answer, status is well, Ctrl-C stops all with 0', async (t) => {
  const herd = await makeHerd(t)
  const running = await up(t, herd)
  const pids = SERVERS.map(running.pid)
  assert.equal(new Set([...pids, running.process.pid]).size, SERVERS.length + 1)
  const status = await until('open links', async () => {
    const { code, out } = await run(t, herd, ['status', '--json', '--herd', herd.file])
    return code === 0 && JSON.parse(out)
  })
  assert.deepEqual([status.herd, status.ok], ['chain', true])
  assert.deepEqual(
    status.servers.map(({ name, state }: { name: string; state: string }) => [name, state]),
    SERVERS.map((name) => [name, 'up']),
  )
  const people = await run(t, herd, ['status', '--herd', herd.file])
  assert.match(people.out, /^herd chain: 3 of 3 servers up\n/)
  assert.match(people.out, /\nBall +127\.0\.0\.1:\d+ +up .* Alford open, Hamilton open /)
  running.process.kill('SIGINT')
  assert.equal(await exitOf(running.process), 0)
  await allGone(pids)
  assert.deepEqual(
    running.events.slice(-2).map(({ event }) => event),
    ['stopping', 'stopped'],
  )
})

test('up stops in order on SIGTERM and SIGHUP too', async (t) => {
  const herd = await makeHerd(t)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    const running = await up(t, herd)
    const pids = SERVERS.map(running.pid)
    running.process.kill(signal)
    assert.equal(await exitOf(running.process), 0)
    await allGone(pids)
  }
})

test('a Ctrl-C that every process of the terminal gets is one stop', async (t) => {
  const herd = await makeHerd(t)
  const running = await up(t, herd)
  const pids = SERVERS.map(running.pid)
  for (const pid of pids) process.kill(pid, 'SIGINT')
  // The second one is the echo that npm makes.
  running.process.kill('SIGINT')
  running.process.kill('SIGINT')
  assert.equal(await exitOf(running.process), 0)
  await allGone(pids)
  assert.equal(
    running.events.some(({ event }) => event === 'exited'),
    false,
  )
})

test('a second Ctrl-C ends also a server that hangs', async (t) => {
  const herd = await makeHerd(t)
  const running = await up(t, herd)
  const pids = SERVERS.map(running.pid)
  const hung = running.pid('Ball')
  t.after(() => isGone(hung) || process.kill(hung, 'SIGKILL'))
  process.kill(hung, 'SIGSTOP')
  await until('its end', () => {
    running.process.kill('SIGINT')
    return running.process.exitCode !== null
  })
  assert.equal(running.process.exitCode, 130)
  await allGone(pids)
})

test('a server that is killed is started again; the others go on', async (t) => {
  const herd = await makeHerd(t)
  const running = await up(t, herd)
  const before = SERVERS.map(running.pid)
  const from = running.events.length
  process.kill(running.pid('Ball'), 'SIGKILL')
  const exited = await running.next(from, 'exited', 'Ball')
  assert.equal(exited.reason, 'SIGKILL')
  await running.next(from, 'listening', 'Ball')
  const after = SERVERS.map(running.pid)
  assert.deepEqual([before[0], before[2]], [after[0], after[2]])
  assert.notEqual(before[1], after[1])
  const { code } = await run(t, herd, ['send', '--herd', herd.file, 'Ball', 'iamat', 'kiwi', '+34-118'])
  assert.equal(code, 0)
})

test('kill -9 of herd up leaves no server behind', async (t) => {
  const running = await up(t, await makeHerd(t))
  const pids = SERVERS.map(running.pid)
  running.process.kill('SIGKILL')
  await allGone(pids)
})

test('a herd goes on when nobody reads what it says', async (t) => {
  const herd = await makeHerd(t)
  const running = await up(t, herd)
  running.process.stdout?.destroy()
  process.kill(running.pid('Hamilton'), 'SIGKILL')
  await until('Hamilton again', async () => {
    const { code } = await run(t, herd, ['send', '--herd', herd.file, 'Hamilton', 'iamat', 'k', '+1+1'])
    return code === 0
  })
  assert.equal(running.process.exitCode, null)
})

test('ports in use: all are named, nothing is left running', async (t) => {
  const herd = await makeHerd(t)
  const taken = [createServer(), createServer()]
  for (const [index, server] of taken.entries()) {
    server.listen(herd.ports[index], '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
  }
  const { code, out, err } = await run(t, herd, ['up', herd.file])
  assert.equal(code, 1)
  for (const index of [0, 1]) {
    const [name, port] = [SERVERS[index], herd.ports[index]]
    assert.match(
      err,
      new RegExp(`${name} can't start: 127.0.0.1:${port} is in use already; .*servers.${name}.port`),
    )
  }
  assert.doesNotMatch(out, /is up/)
  const pids = [...out.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid))
  await allGone(pids)
})

test('up for people: a table, lines to paste, and no color where there is no terminal', async (t) => {
  const herd = await makeHerd(t)
  const child = launch(t, herd, ['up', herd.file])
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  await until('the herd', () => out.includes('herd chain is up: 3 servers'))
  assert.match(out, /\n {2}server +address +neighbors\n {2}Alford +127\.0\.0\.1:\d+ +Ball\n/)
  assert.match(out, /\n {2}Ball +127\.0\.0\.1:\d+ +Alford, Hamilton\n/)
  assert.ok(out.includes(`logs       ${join(herd.folder, '.herd/logs')}\n`))
  assert.match(out, /\n {2}printf 'IAMAT kiwi.* \| nc -q1 127\.0\.0\.1 \d+\n {2}\S+.* whatsat kiwi/)
  const [, map = ''] = /\nThe live map: (http:\S+)\n/.exec(out) ?? []
  assert.equal((await fetch(map)).status, 200)
  assert.ok(!out.includes('\u001b'))
  child.kill('SIGINT')
  assert.equal(await exitOf(child), 0)
  assert.match(out, /herd chain has stopped\n$/)
})

test('start: one server in the foreground; status says that the others are down', async (t) => {
  const herd = await makeHerd(t)
  const child = launch(t, herd, ['start', 'Ball', '--herd', herd.file])
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  await until('Ball', () => out.includes('listening on'))
  const status = await run(t, herd, ['status', '--herd', herd.file])
  assert.equal(status.code, 1)
  assert.match(status.out, /^herd chain: 1 of 3 servers up\n/)
  assert.match(status.out, /\nAlford +127\.0\.0\.1:\d+ +down\n/)
  assert.match(status.out, /Alford DOWN, Hamilton DOWN/)
  child.kill('SIGTERM')
  assert.equal(await exitOf(child), 0)
})

// ---- a client

test('send, whatsat, whosat: answers and exit codes', async (t) => {
  const herd = await makeHerd(t)
  await up(t, herd)
  const send = (...args: string[]) => run(t, herd, ['send', '--herd', herd.file, ...args])
  const south = await send('Alford', 'iamat', 'kiwi', '-34.068930+118.445127')
  assert.equal(south.code, 0)
  assert.match(south.out, /^AT Alford [+-]\d+\.\d{9} kiwi -34\.068930\+118\.445127 \d+\.\d{6}000\n$/)
  const ucla = ['IAMAT', 'kiwi.cs.ucla.edu', '+34.068930-118.445127', '1479413884.392014450']
  assert.equal((await send('Alford', ...ucla)).code, 0)
  assert.equal((await send(`127.0.0.1:${herd.ports[0]}`, 'iamat', 'near', '+34.07-118.44')).code, 0)
  const refused = await send('Alford', 'nonsense', 'Words')
  assert.deepEqual([refused.code, refused.out], [1, '? nonsense Words\n'])
  const query = ['kiwi.cs.ucla.edu', '10', '5', '--json', '--herd', herd.file, '--server', 'Hamilton']
  const places = await until('the fix at Hamilton', async () => {
    const { code, out } = await run(t, herd, ['whatsat', ...query])
    return code === 0 && JSON.parse(out)
  })
  assert.deepEqual([places.at.server, places.at.time], ['Alford', '1479413884.392014450'])
  assert.ok(Array.isArray(places.places.results))
  const nearby = await until('the other fix at Hamilton', async () => {
    const { code, out } = await run(t, herd, ['whosat', ...query])
    return code === 0 && JSON.parse(out).nearby.length > 0 && JSON.parse(out)
  })
  assert.deepEqual(
    nearby.nearby.map(({ client }: { client: string }) => client),
    ['near'],
  )
  const options = ['--json', '--herd', herd.file]
  const polygon = '{ "type": "Polygon", "coordinates": [[[118, -35], [120, -35], [118, -33], [118, -35]]] }'
  for (const [words, clients] of [
    [
      ['NEAR', '+34.07-118.44', '5', '*', ...options],
      ['near', 'kiwi.cs.ucla.edu'],
    ],
    [[...options, '--', 'NEAR', '-34.06893+118.445127'], ['kiwi']],
    [[...options, '--', 'IN', '-35+118', '-34+119', '5', '3600'], ['kiwi']],
    [['IN', polygon, ...options], ['kiwi']],
  ] as const) {
    const { code, out } = await run(t, herd, ['whosat', ...words])
    assert.equal(code, 0, out)
    const found = JSON.parse(out).nearby.map(({ client }: { client: string }) => client)
    assert.deepEqual(found, clients)
  }
  const unknown = await run(t, herd, ['whatsat', 'nobody', '--herd', herd.file])
  assert.deepEqual([unknown.code, unknown.out], [1, '? WHATSAT nobody 10 5\n'])
})

test('send from stdin: all replies, in order, also of a last line without an end', async (t) => {
  const herd = await makeHerd(t)
  await up(t, herd)
  const args = ['send', '--herd', herd.file, 'Alford']
  const lines = Array.from({ length: 2000 }, (_, index) => `IAMAT c${index} +34-118 5.${index}\n`)
  const many = await run(t, herd, args, lines.join(''))
  assert.equal(many.code, 0)
  assert.deepEqual(
    many.out.match(/ c\d+ /g),
    lines.map((_, index) => ` c${index} `),
  )
  const mixed =
    'IAMAT kiwi +34.068930-118.445127 5\nWHATSAT kiwi 10 1\nWHOSAT kiwi 1 1\nodd\nIAMAT last +1+1 5'
  const { code, out } = await run(t, herd, ['send', '--json', ...args.slice(1)], mixed)
  assert.equal(code, 1)
  const replies = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    replies.map(({ ok }) => ok),
    [true, true, true, false, true],
  )
  assert.equal(replies[1].places.results.length, 1)
  assert.equal(replies[3].reply, '? odd')
  assert.equal(replies[4].at.client, 'last')
})

test('no connection, no answer, half an answer: 3', async (t) => {
  const herd = { folder: tmpdir() }
  const gone = await listen(createServer())
  const address = `127.0.0.1:${portOf(gone)}`
  gone.close()
  const refused = await run(t, herd, ['send', address, 'x'])
  assert.equal(refused.code, 3)
  assert.match(refused.err, /^herd: no answer from 127\.0\.0\.1:\d+: nothing listens there\n$/)
  const silent = await standIn(t, () => {})
  const nothing = await run(t, herd, ['send', '--timeout', '100', silent, 'x'])
  assert.equal(nothing.code, 3)
  assert.match(nothing.err, /nothing came within 100 ms/)
  const hasty = await standIn(t, (socket) => socket.end('AT A +0.1 kiwi +1+1 5\n{'))
  const half = await run(t, herd, ['whatsat', 'kiwi', '--server', hasty])
  assert.equal(half.code, 3)
  assert.match(half.err, /closed the connection before it had answered everything/)
  const piped = await run(t, herd, ['send', hasty], 'IAMAT kiwi +1+1 5\nWHATSAT kiwi 1 1\n')
  assert.deepEqual([piped.code, piped.out], [3, 'AT A +0.1 kiwi +1+1 5\n'])
})

// ---- an older Node

/** A Node that is too old for Herd, if this machine has one. */
function oldNode(): string | undefined {
  const { PATH = '' } = process.env
  return PATH.split(':')
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'node'))
    .find((node) => {
      try {
        const [, major] = execFileSync(node, ['--version'], { encoding: 'utf8' }).match(/^v(\d+)/) ?? []
        return Number(major) < 24
      } catch {
        return false // no Node here
      }
    })
}

const old = oldNode()
const noOldNode = old === undefined && 'no older Node on this machine'

test('what was compiled is kept for the next start, in a folder of the user’s own, or nowhere', async (t) => {
  const { folder } = await makeHerd(t)
  const cases: readonly (readonly [NodeJS.ProcessEnv, kept: string | null])[] = [
    [{ HOME: join(folder, 'home') }, 'home/.cache/herd'],
    [{ HOME: join(folder, 'house'), XDG_CACHE_HOME: join(folder, 'xdg') }, 'xdg/herd'],
    [{ NODE_COMPILE_CACHE: join(folder, 'node'), HOME: join(folder, 'shed') }, 'node'],
    [{}, null],
  ]
  for (const [env, kept] of cases) {
    const child = spawn(process.execPath, [BIN, '--version'], { cwd: folder, env })
    assert.equal(await exitOf(child), 0)
    if (kept !== null) assert.notEqual((await readdir(join(folder, kept))).length, 0)
  }
  assert.deepEqual(
    (await readdir(folder)).filter((name) => ['home', 'house', 'xdg', 'node', 'shed'].includes(name)).sort(),
    ['home', 'node', 'xdg'],
  )
})

test('an older Node runs the pinned one in its place', { skip: noOldNode }, async (t) => {
  const herd = await makeHerd(t)
  const first = await up(t, herd, old)
  const pids = SERVERS.map(first.pid)
  first.process.kill('SIGINT')
  assert.equal(await exitOf(first.process), 0)
  await allGone(pids)
  const second = await up(t, herd, old)
  second.process.kill('SIGKILL')
  await allGone(SERVERS.map(second.pid))
  assert.equal(await exitOf(launch(t, herd, ['bogus'], old)), 2)
  assert.equal(await exitOf(launch(t, herd, ['--version'], old)), 0)
})

test('an older Node without the pinned one is told what to do', { skip: noOldNode }, async (t) => {
  const { folder } = await makeHerd(t)
  await mkdir(join(folder, 'bin'))
  await copyFile(BIN, join(folder, 'bin/herd.mjs'))
  const child = spawn(old ?? '', [join(folder, 'bin/herd.mjs'), 'up'])
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  assert.equal(code, 1)
  assert.match(err, /^Herd needs Node\.js 24 or newer; this is v\d+\.\d+\.\d+\. Get one from https:/)
})
