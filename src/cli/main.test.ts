import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { runCommand } from './main.ts'

const COMMANDS = [
  'up',
  'start',
  'join',
  'leave',
  'send',
  'whatsat',
  'whosat',
  'watch',
  'token',
  'status',
  'places',
  'check',
]

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = '/nowhere') {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const said = Promise.all([text(output), text(errors)])
  input.end()
  const code = await runCommand(args, { cwd, env, input, output, errors })
  output.end()
  errors.end()
  const [out, err] = await said
  return { code, out, err }
}

async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-main-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

test('--help of every command has an example and the exit codes', async () => {
  for (const command of COMMANDS) {
    const { code, out, err } = await run([command, '--help'])
    assert.equal(code, 0)
    assert.equal(err, '')
    assert.match(out, new RegExp(`^Usage: herd ${command} `))
    assert.match(out, new RegExp(`\nExamples?:\n  herd ${command}`))
    assert.match(out, /\nExit code: 0 .*2 usage/)
    assert.doesNotMatch(out, /supervised/)
  }
})

test('--help names every command and every exit code; without a command it is an error', async () => {
  const { code, out } = await run(['--help'])
  assert.equal(code, 0)
  for (const command of COMMANDS) assert.match(out, new RegExp(`\n  ${command} `))
  for (const exit of [0, 1, 2, 3, 130]) assert.match(out, new RegExp(`\n  ${exit} +\\S`))
  const bare = await run([])
  assert.deepEqual([bare.code, bare.out], [2, ''])
  assert.match(bare.err, /^Usage: herd/)
})

test('--version', async () => {
  const { code, out } = await run(['--version'])
  assert.equal(code, 0)
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
})

test('what can not be understood ends with 2 and a word on it', async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['chek'], /unknown command 'chek'\n\(Did you mean check\?\)/],
    [['check', '--jsn'], /unknown option '--jsn'/],
    [['check', 'a', 'b'], /too many arguments/],
    [['start'], /missing required argument 'server'/],
    [['send'], /missing required argument 'server'/],
    [['whatsat', 'a', '--timeout', 'soon'], /whole number of milliseconds/],
    [['whatsat', 'a b'], /"a b" is not one field/],
    [['whatsat', ''], /"" is not one field/],
    [['whosat'], /missing required argument 'words'/],
    [['whosat', 'a b'], /"a b" is not one field/],
    [['whosat', 'a', '1', '2', '3', '4'], /too many words: there may be 4/],
    [['whosat', 'NEAR', '-1+1'], /unknown option '-1\+1'/],
    [['whosat', 'IN', '{"type":'], /"\{\\"type\\":" is not JSON/],
    [['send', 'Alford', 'a\nb'], /must not have a line end/],
    [['start', 'Alferd'], /no server Alferd in ucla; there are Alford, Ball, .*Did you mean Alford\?/],
    [['send', 'Alferd', 'x'], /no server Alferd in ucla; there are Alford, Ball/],
    [['whatsat', 'a', '--server', 'Nobody'], /no server Nobody in ucla; there are Alford, Ball/],
    [['check', 'ucal'], /there is no herd file .*ucal\. Did you mean ucla\?/],
    [['up', 'nowhere.yaml'], /there is no herd file \/nowhere\/nowhere\.yaml/],
    [['send', '--herd', 'nowhere.yaml', 'A', 'x'], /there is no herd file/],
    [['join', '--name', 'x'], /missing required argument 'host:port'/],
    [['join', '127.0.0.1:5'], /required option '--name <server>' not specified/],
    [['join', '127.0.0.1:5', '--name', '9x'], /"9x" is no name: a letter/],
    [['join', '127.0.0.1:5', '--name', 'x', '--port', '0'], /a whole number from 1 to 65535/],
    [['join', '127.0.0.1:5', '--name', 'x', '--links', '0'], /a whole number from 1 to 16/],
    [['leave'], /missing required argument 'server'/],
  ]
  for (const [args, message] of wrong) {
    const { code, out, err } = await run(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(err, message)
    assert.equal(out, '')
  }
})

test('check prints what the herd comes to, and never a secret', async () => {
  const env = {
    HERD_SECRET: 'psst, the secret of it',
    GOOGLE_PLACES_API_KEY: 'psst-key',
    HERD_LOG_LEVEL: 'events',
  }
  const people = await run(['check'], env)
  assert.deepEqual([people.code, people.err], [0, ''])
  assert.match(people.out, /^name: ucla\n/)
  assert.match(people.out, /\n {2}level: events\n/)
  const program = await run(['check', '--json', '--log-level', 'traffic', 'lakers'], env)
  const { ok, config } = JSON.parse(program.out)
  assert.deepEqual(
    [ok, config.name, config.logs.level, config.servers.length],
    [true, 'lakers', 'traffic', 5],
  )
  assert.doesNotMatch(people.out + program.out, /psst/)
})

test('check: an invalid herd file ends with 1 and all its problems', async (t) => {
  const cwd = await folderWith(t, { 'bad.yaml': 'herd: 9\nservers: { A: { port: 0 } }\nlimits: { x: 1 }\n' })
  const people = await run(['check', 'bad.yaml'], {}, cwd)
  assert.deepEqual([people.code, people.out], [1, ''])
  assert.match(
    people.err,
    /^herd: .*bad\.yaml can't be used:\n {2}herd: .*\n {2}servers\.A\.port: .*\n {2}limits\.x: /,
  )
  const program = await run(['check', '--json', 'bad.yaml'], {}, cwd)
  assert.equal(program.code, 1)
  assert.equal(JSON.parse(program.out).problems.length, 3)
})

test('an invalid herd file: up and start fail; for send it is only a name that leads nowhere', async (t) => {
  const cwd = await folderWith(t, { 'bad.yaml': 'herd: bad\n' })
  for (const args of [
    ['up', 'bad.yaml'],
    ['start', 'A', '--herd', 'bad.yaml'],
    ['status', '--herd', 'bad.yaml'],
  ]) {
    assert.equal((await run(args, {}, cwd)).code, 1, args.join(' '))
  }
  assert.equal((await run(['send', '--herd', 'bad.yaml', 'A', 'x'], {}, cwd)).code, 2)
})

test('a warning of the configuration is told beside it', async (t) => {
  const cwd = await folderWith(t, {
    'open.yaml': 'herd: open\nservers: { A: { port: 5, host: 10.0.0.1 } }\n',
  })
  const { code, err } = await run(['check', 'open.yaml'], {}, cwd)
  assert.equal(code, 0)
  assert.match(err, /^herd: warning: servers\.A\.host: 10\.0\.0\.1 is not a loopback address/)
})

test('classic servers are started by their own program', async (t) => {
  const herd = 'herd: old\nservers: { Old: { port: 5, classic: true } }\n'
  const cwd = await folderWith(t, { 'old.yaml': herd })
  const env = { HERD_SECRET: 'a secret that is long enough' }
  const one = await run(['start', 'Old', '--herd', 'old.yaml'], env, cwd)
  assert.equal(one.code, 2)
  assert.match(one.err, /Old is a classic server/)
  const all = await run(['up', 'old.yaml'], env, cwd)
  assert.equal(all.code, 2)
  assert.match(all.err, /old has only classic servers/)
})

test('a herd without its file: by its name and its secret, wherever they are', async (t) => {
  const secret = 'a secret that is long enough'
  const cwd = await folderWith(t, { 'ucla.secret': secret, 'lakers.secret': secret, 'other.key': secret })
  const join = (...args: string[]) => ['join', '127.0.0.1:1', '--name', 'Newton', ...args]
  const cases: readonly (readonly [readonly string[], NodeJS.ProcessEnv, number, RegExp])[] = [
    [
      join(),
      {},
      1,
      /there is no secret in \S+\.herd: give HERD_SECRET or --secret-file, or bring <herd>\.secret/,
    ],
    [join('--of', 'ucla'), {}, 1, /or bring ucla\.secret there/],
    [join(), { HERD_SECRET: secret }, 2, /say which herd it is with --of/],
    [join('--secret-file', 'other.key'), {}, 2, /say which herd it is with --of/],
    [join('--secret-file', 'none.secret'), {}, 1, /there is no file \S+none\.secret/],
    [join('--state-folder', '.'), {}, 2, /there are secrets of .*lakers.* say which herd with --of/],
    // From here on there is all that it takes, and nobody listens on port 1.
    [join('--state-folder', '.', '--of', 'ucla'), {}, 3, /127\.0\.0\.1:1 .*ECONNREFUSED/],
    [join('--secret-file', 'ucla.secret'), {}, 3, /ECONNREFUSED/],
    [join('--of', 'ucla'), { HERD_SECRET: secret }, 3, /ECONNREFUSED/],
    [join('--of', 'ucla'), { HERD_SECRET: 'short' }, 1, /needs at least 16/],
    [
      ['leave', 'Newton', '--server', 'nowhere', '--secret-file', 'ucla.secret'],
      {},
      2,
      /nowhere is not host:port/,
    ],
    [['leave', 'Newton', '--server', '127.0.0.1:1', '--secret-file', 'ucla.secret'], {}, 3, /ECONNREFUSED/],
    [['status', '--server', '127.0.0.1:1', '--secret-file', 'ucla.secret'], {}, 3, /ECONNREFUSED/],
    [['leave', 'Alford'], {}, 1, /no secret in .*: the herd was never started from here/],
  ]
  for (const [args, env, expected, message] of cases) {
    const { code, out, err } = await run(args, env, cwd)
    assert.equal(code, expected, `${args.join(' ')}: ${err}`)
    assert.match(err, message)
    assert.equal(out, '')
    assert.doesNotMatch(err, /long enough/)
  }
})

test('status of a herd that was never started from here', async (t) => {
  const cwd = await folderWith(t, {})
  const people = await run(['status'], {}, cwd)
  assert.equal(people.code, 1)
  assert.match(people.out, /^herd ucla: 0 of 5 servers up\n/)
  assert.match(people.out, /\nAlford, Ball, Hamilton, Holiday, Welsh: no secret in /)
  const { ok, servers } = JSON.parse((await run(['status', '--json'], {}, cwd)).out)
  assert.equal(ok, false)
  assert.deepEqual(
    servers.map(({ state }: { state: string }) => state),
    Array(5).fill('down'),
  )
})
