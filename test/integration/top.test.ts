/** `herd top` in a pipe and in a terminal, with real servers. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../support/live-command.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

const HERD_COMMAND = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
const SERVERS = ['Alford', 'Ball']

interface Started {
  readonly herd: LiveHerd
  readonly env: { readonly HERD_SECRET: string }
  readonly file: string
}

async function startHerd(t: TestContext): Promise<Started> {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: [['Alford', 'Ball']] })
  await herd.linked()
  return { herd, env: { HERD_SECRET: herd.secret }, file: join(herd.folder, 'Alford.yaml') }
}

test('in a pipe it prints what is so now, as text or as an object', async (t) => {
  const { herd, env, file } = await startHerd(t)
  await herd.report('Alford', 'kiwi')
  const place = { folder: herd.folder, env }
  const text = await runCommand(t, place, ['top', '--herd', file])
  assert.equal(text.code, 0)
  assert.match(text.out, /^herd live {2}2 of 2 servers up {2}1 client /)
  assert.match(text.out, /^Alford – Ball +open/m)
  assert.ok(!text.out.includes('\u001B'))
  const address = `127.0.0.1:${herd.port('Alford')}`
  const one = await runCommand(t, place, ['top', '--server', address, '--of', 'live'])
  assert.match(one.out, /^Alford +127\.0\.0\.1:\d+ +ready/m)
  await herd.kill('Ball')
  const object = await runCommand(t, place, ['top', '--herd', file, '--json'])
  const { servers } = JSON.parse(object.out) as { servers: { name: string; state: string }[] }
  assert.deepEqual(
    servers.map(({ name, state }) => [name, state === 'down']),
    [
      ['Alford', false],
      ['Ball', true],
    ],
  )
  await herd.kill('Alford')
  const none = await runCommand(t, place, ['top', '--herd', file, '--once'])
  assert.equal(none.code, 3)
})

test('in a terminal it takes the screen, obeys keys, and gives the screen back', async (t) => {
  const { herd, env, file } = await startHerd(t)
  const { PATH = '' } = process.env
  const command = `${process.execPath} ${HERD_COMMAND} top --herd ${file} --interval 200`
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: herd.folder,
    env: { PATH, ...env, NO_COLOR: '1', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => terminal.kill('SIGKILL'))
  const closed = once(terminal, 'close')
  let screen = ''
  terminal.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString('utf8')
  })
  const shown = (text: string): Promise<void> =>
    waitUntil(
      () => screen.includes(text),
      () => `${JSON.stringify(text)} is shown; there is ${JSON.stringify(screen.slice(-2000))}`,
    )
  await shown('\u001B[?1049h')
  await shown('2 of 2 servers up')
  await shown('server▼')
  terminal.stdin.write('c')
  await shown('clients▼')
  terminal.stdin.write('r')
  await shown('clients▲')
  await herd.kill('Ball')
  await shown('1 of 2 servers up')
  terminal.stdin.write('q')
  const [code] = (await closed) as [number]
  assert.equal(code, 0)
  assert.ok(screen.trimEnd().endsWith('\u001B[?25h\u001B[?1049l'), 'the terminal is as it was')
  assert.doesNotMatch(screen, /\[3\dm/, 'NO_COLOR')
})
