/** Servers that come to a herd that runs, and leave it; and a herd that has fallen apart says so on both sides. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { converse } from '../support/live-client.ts'
import { type CommandEnd, LiveCommand, runCommand } from '../support/live-command.ts'
import { chainOf, QUICK_LINK } from '../support/live-graphs.ts'
import { countOf, LiveHerd, type LiveHerdOptions, timeNow, waitUntil } from '../support/live-herd.ts'
import { connectTls, greetingOf, handshakeByHand } from '../support/live-intruder.ts'
import { LiveProxy } from '../support/live-proxy.ts'

const TRIO = ['Alford', 'Ball', 'Hamilton']
const READY = /ready: [\d,]+ clients?, caught up in \d+\.\d s/

test('join: one command, ready, reports flow both ways; back by its herd file; and it leaves', async (t) => {
  const herd = await trioOf(t)
  await herd.report('Hamilton', 'before')
  const newton = joining(t, herd, 'Newton')
  const port = Number(
    await newton.printed(/joins herd live at 127\.0\.0\.1:(\d+), by Alford \(.*\) and Hamilton/),
  )
  const file = await newton.printed(/herd start Newton --herd (\S+)/)
  await newton.printed(READY)
  await knows(t, port, 'before')
  await flows(t, herd, port, 'first')
  const status = await statusOf(t, herd)
  assert.equal(status.code, 0, status.out)
  assert.match(status.out, /^herd live: 4 of 4 servers up\n/)
  assert.match(
    status.out,
    /\nNewton \(joined\) +127\.0\.0\.1:\d+ +up \d+ s, ready +Alford open, Hamilton open /,
  )
  assert.match(status.out, /\nAlford +\S+ +up \d+ s, ready +Ball open, Newton open /)

  // It is killed, and comes back as after a reboot: at the same place.
  await newton.kill('SIGKILL')
  await herd.report('Ball', 'meanwhile')
  const started = new LiveCommand(t, placeOf(herd), ['start', 'Newton', '--herd', file])
  await started.printed(new RegExp(`listening on 127\\.0\\.0\\.1:${port};`))
  await started.printed(READY)
  await knows(t, port, 'meanwhile')
  await flows(t, herd, port, 'again')
  assert.equal((await started.kill('SIGINT')).code, 0)

  // And by the same command.
  const joined = joining(t, herd, 'Newton')
  await joined.printed(READY)
  assert.match(joined.output, new RegExp(`at 127\\.0\\.0\\.1:${port}, by Alford`))
  await converse(t, { port }, `IAMAT last +1+1 ${timeNow()}\n`)
  const left = await runCommand(t, placeOf(herd), ['leave', 'Newton', ...byServer(herd, 'Ball')])
  assert.deepEqual([left.code, left.out], [0, 'Newton has left herd live\n'], left.err)
  const end = await joined.ended()
  assert.equal(end.code, 0)
  assert.match(end.out, /Newton {2}has left the herd\n/)
  // What it was told last is known, and it isn't missed.
  await herd.agree(TRIO, ['last'])
  await until(t, herd, ({ code, out }) => code === 0 && !/^Newton|open, Newton/m.test(out))
  const again = await runCommand(t, placeOf(herd), ['leave', 'Newton', ...byServer(herd, 'Alford')])
  assert.deepEqual([again.code, again.out], [0, 'Newton has left herd live already\n'])
  const nobody = await runCommand(t, placeOf(herd), ['leave', 'Nobody', ...byServer(herd, 'Alford')])
  assert.equal(nobody.code, 2)
  assert.match(nobody.err, /no server Nobody in herd live; there are Alford, Ball, Hamilton, Newton/)
})

test('who may not join is told why', async (t) => {
  const herd = await trioOf(t, { link: { ...QUICK_LINK, joinedMax: 1 } })
  const refused = async (
    name: string,
    more: readonly string[] = [],
    secret = herd.secret,
  ): Promise<CommandEnd> => {
    const place = { folder: herd.folder, env: { HERD_SECRET: secret } }
    return runCommand(t, place, joinArgs(herd, name, more))
  }
  const wrong = await refused('Newton', [], 'the secret of somebody else')
  assert.equal(wrong.code, 3)
  assert.match(wrong.err, /does not hold our secret of herd live \(key [0-9a-f]{16}\)/)
  assert.match((await refused('Newton', ['--of', 'lakers'])).err, /herd lakers|does not hold our secret/)
  const taken = await refused('Ball')
  assert.equal(taken.code, 1)
  assert.match(taken.err, /^herd: the name Ball is taken: a server at 127\.0\.0\.1:\d+ has it, and is up\n$/)
  assert.match((await refused('Alford')).err, /^herd: Alford is the name of the server that was asked/)

  const newton = joining(t, herd, 'Newton')
  await newton.printed(READY)
  const full = await refused('Kepler')
  assert.equal(full.code, 1)
  assert.match(
    full.err,
    /^herd: 1 servers have joined Alford already \(link\.joinedMax\); ask another server\n$/,
  )
  // Whoever doesn't ask first is refused by the server itself.
  const at = { host: '127.0.0.1', port: 9 }
  const kepler = { herd: herd.name, from: 'Kepler', to: 'Alford', at }
  assert.match(
    await refusalOf(t, herd, kepler),
    /Kepler is no neighbor .* 1 servers have joined it already \(link\.joinedMax\)$/,
  )
  assert.match(await refusalOf(t, herd, { ...kepler, from: 'Alford' }), /Alford is this server's own name/)
  // One server of the herd file that is no neighbor of this one, and one that is, from elsewhere than it is.
  for (const from of ['Hamilton', 'Ball', 'Newton']) {
    assert.match(
      await refusalOf(t, herd, { ...kepler, from }),
      new RegExp(`the name ${from} is taken: a server at 127`),
    )
  }
  assert.equal((await runCommand(t, placeOf(herd), ['status', '--herd', 'Alford.yaml'])).code, 0)
})

test('link.joinedMax: 0: nobody may join', async (t) => {
  const herd = await trioOf(t, { link: { ...QUICK_LINK, joinedMax: 0 } })
  const { code, err } = await runCommand(t, placeOf(herd), joinArgs(herd, 'Newton'))
  assert.equal(code, 1)
  assert.match(err, /^herd: nobody may join Alford \(link\.joinedMax: 0\)/)
  const newton = { herd: herd.name, from: 'Newton', to: 'Alford', at: { host: '127.0.0.1', port: 9 } }
  assert.match(await refusalOf(t, herd, newton), /nobody may join it \(link\.joinedMax: 0\)$/)
})

test('link.joinedGoneMs: who joined and is gone for long is dialed no more, and may come again', async (t) => {
  const herd = await trioOf(t, { link: { ...QUICK_LINK, joinedGoneMs: 300 } })
  const newton = joining(t, herd, 'Newton')
  await newton.printed(READY)
  await newton.kill('SIGKILL')
  await waitUntil(
    async () => (await herd.status('Alford')).links.every(({ neighbor }) => neighbor !== 'Newton'),
    'Alford has forgotten Newton as a neighbor',
  )
  await herd.logged('Alford', '"joined no more"')
  // It hasn't said that it leaves: it is missed until somebody says that it is gone.
  const missed = await statusOf(t, herd)
  assert.equal(missed.code, 1)
  assert.match(
    missed.out,
    /\nsplit: Alford, Ball, Hamilton see each other, but not Newton \(no answer there either/,
  )
  const there = await runCommand(t, placeOf(herd), ['leave', 'Ball', '--gone', ...byServer(herd, 'Alford')])
  assert.equal(there.code, 1)
  assert.match(there.err, /Alford reaches Ball: it isn't gone/)
  const gone = await runCommand(t, placeOf(herd), ['leave', 'Newton', '--gone', ...byServer(herd, 'Ball')])
  assert.deepEqual([gone.code, gone.out], [0, 'Newton has left herd live, says Ball in its place\n'])
  await until(t, herd, ({ code }) => code === 0)
  // All the same it comes back, and is a member again.
  await joining(t, herd, 'Newton').printed(READY)
  await until(t, herd, ({ code, out }) => code === 0 && out.includes('4 of 4 servers up'))
})

test('a split is seen on both sides, and heals', async (t) => {
  const servers = [...TRIO, 'Welsh']
  const proxies = await Promise.all([LiveProxy.start(t), LiveProxy.start(t)])
  const [there, back] = proxies
  assert.ok(there && back)
  const routes = [
    { from: 'Ball', to: 'Hamilton', proxy: there },
    { from: 'Hamilton', to: 'Ball', proxy: back },
  ]
  const herd = await LiveHerd.start(t, {
    servers,
    links: chainOf(servers),
    settings: { link: QUICK_LINK },
    routes,
  })
  await until(t, herd, ({ code }) => code === 0)
  for (const proxy of proxies) proxy.cut()
  const split = await until(t, herd, ({ out }) => (out.match(/^split: /gm) ?? []).length === 2)
  assert.equal(split.code, 1)
  assert.match(split.out, /\nsplit: Alford, Ball see each other, but not Hamilton, Welsh\n/)
  assert.match(split.out, /\nsplit: Hamilton, Welsh see each other, but not Alford, Ball\n/)
  for (const [one, line] of [
    ['Alford', 'Alford, Ball see each other, but not Hamilton, Welsh'],
    ['Welsh', 'Hamilton, Welsh see each other, but not Alford, Ball'],
  ] as const) {
    const seen = await runCommand(t, placeOf(herd), ['status', ...byServer(herd, one)])
    assert.equal(seen.code, 1)
    assert.match(seen.out, /^herd live: 2 of 4 servers up\n/)
    assert.match(seen.out, new RegExp(`\nsplit: ${line}\n`))
    assert.equal(seen.out.match(/NOT REACHABLE/g)?.length, 2)
  }
  const asked = await runCommand(t, placeOf(herd), ['status', '--json', ...byServer(herd, 'Welsh')])
  const { ok, splits } = JSON.parse(asked.out)
  assert.deepEqual([ok, splits], [false, [{ servers: ['Hamilton', 'Welsh'], missed: ['Alford', 'Ball'] }]])
  for (const proxy of proxies) proxy.heal()
  const healed = await until(t, herd, ({ code }) => code === 0)
  assert.doesNotMatch(healed.out, /split/)
  const whole = await runCommand(t, placeOf(herd), ['status', ...byServer(herd, 'Welsh')])
  assert.equal(whole.code, 0)
  assert.match(whole.out, /\nWelsh – Hamilton +open +\d+ s +\d+\.\d ms +[+−]\d+\.\d ms +0\n/)
})

test('a server whose neighbors are all gone is alone, and ready when one is back', async (t) => {
  const herd = await trioOf(t, {}, ['Ball'])
  assert.equal((await herd.status('Ball')).readiness, 'alone')
  await herd.startServer('Alford')
  await waitUntil(async () => (await herd.status('Ball')).readiness === 'ready', 'Ball is ready')
  assert.match(herd.output, /ready: 0 clients, caught up in/)
})

test('a second server of one name is refused wherever it comes; one that moves when the first is gone is not', async (t) => {
  const herd = await trioOf(t)
  const text = await readFile(join(herd.folder, 'Ball.yaml'), 'utf8')
  const twin = JSON.parse(text)
  twin.servers.Ball.port = 11_999
  await writeFile(join(herd.folder, 'twin.yaml'), JSON.stringify({ ...twin, journal: { keep: false } }))
  const second = new LiveCommand(t, placeOf(herd), ['start', 'Ball', '--herd', 'twin.yaml'])
  await second.printed(
    /no link with Alford: the name Ball is taken: a server at 127\.0\.0\.1:\d+ has it, and is up/,
  )
  await second.printed(/no link with Hamilton: the name Ball is taken/)
  const { hasTwin, links } = await herd.status('Ball')
  assert.equal(hasTwin, false)
  assert.ok(links.every(({ open }) => open))
  await herd.kill('Ball')
  await second.printed(READY)
})

test('herd up: one that leaves is not started again, nobody dials it, and herd start brings it back', async (t) => {
  const herd = await trioOf(t, {}, [])
  const up = new LiveCommand(t, placeOf(herd), ['up', 'Alford.yaml'])
  await up.printed(/herd live is up: 3 servers/)
  await until(t, herd, ({ code }) => code === 0)
  await herd.report('Hamilton', 'told')
  const left = await runCommand(t, placeOf(herd), ['leave', 'Hamilton', '--herd', 'Alford.yaml'])
  assert.deepEqual([left.code, left.out], [0, 'Hamilton has left herd live\n'], left.err)
  await up.printed(/Hamilton \| has left the herd; it is not started again/)
  const status = await until(t, herd, ({ code }) => code === 0)
  assert.match(status.out, /^herd live: 2 of 2 servers up\n/)
  assert.match(status.out, /\nHamilton +127\.0\.0\.1:\d+ +left\n/)
  assert.match(status.out, /\nBall .* Alford open, Hamilton left /)
  await herd.agree(['Alford', 'Ball'], ['told'])
  // Somebody else's port by now: whoever dialed it would show there.
  const stranger = await LiveProxy.at(t, herd.port('Hamilton'))
  await new Promise((resolve) => setTimeout(resolve, 5 * QUICK_LINK.redialMsMax))
  assert.equal(stranger.attempts, 0)
  await stranger.stop()
  const opened = countOf(await herd.status('Ball'), 'linksOpened')

  const started = new LiveCommand(t, placeOf(herd), ['start', 'Hamilton', '--herd', 'Alford.yaml'])
  await started.printed(READY)
  assert.equal(countOf(await herd.status('Ball'), 'linksOpened'), opened + 1)
  const whole = await until(t, herd, ({ code, out }) => code === 0 && out.includes('3 of 3'))
  assert.match(whole.out, /\nBall .* Alford open, Hamilton open /)
  // And from now on it is dialed again, as ever.
  await started.kill('SIGKILL')
  await waitUntil(async () => (await statusOf(t, herd)).code === 1, 'Hamilton is missed')
  await herd.startServer('Hamilton')
  await until(t, herd, ({ code }) => code === 0)
  assert.equal((await up.kill('SIGINT')).code, 0)
})

/** Three servers in a chain, all that there is linked. */
async function trioOf(
  t: TestContext,
  settings: LiveHerdOptions['settings'] = {},
  started: readonly string[] = TRIO,
): Promise<LiveHerd> {
  const options = { servers: TRIO, links: chainOf(TRIO), started }
  const herd = await LiveHerd.start(t, { ...options, settings: { link: QUICK_LINK, ...settings } })
  await herd.linked()
  return herd
}

function placeOf(herd: LiveHerd) {
  return { folder: herd.folder, env: { HERD_SECRET: herd.secret } }
}

/** The options that name a server instead of a herd file. */
function byServer(herd: LiveHerd, name: string): string[] {
  return ['--server', `127.0.0.1:${herd.port(name)}`, '--of', herd.name]
}

function joinArgs(herd: LiveHerd, name: string, more: readonly string[] = []): string[] {
  return ['join', `127.0.0.1:${herd.port('Alford')}`, '--name', name, '--of', herd.name, ...more]
}

/** A server that joins by Alford. */
function joining(t: TestContext, herd: LiveHerd, name: string): LiveCommand {
  return new LiveCommand(t, placeOf(herd), joinArgs(herd, name))
}

function statusOf(t: TestContext, herd: LiveHerd): Promise<CommandEnd> {
  return runCommand(t, placeOf(herd), ['status', '--herd', 'Alford.yaml'])
}

/** Asks for the status until it is as wanted. */
async function until(
  t: TestContext,
  herd: LiveHerd,
  isWanted: (end: CommandEnd) => boolean,
): Promise<CommandEnd> {
  let end: CommandEnd = { code: null, out: '', err: '' }
  await waitUntil(
    async () => {
      end = await statusOf(t, herd)
      return isWanted(end)
    },
    () => `the status is as wanted; it is ${end.out}`,
  )
  return end
}

/** Waits until whoever listens there knows a client. */
function knows(t: TestContext, port: number, client: string): Promise<void> {
  return waitUntil(
    async () => (await converse(t, { port }, `WHATSAT ${client} 1 0\n`)).startsWith('AT '),
    `the server at ${port} knows ${client}`,
  )
}

/** Reports at either end come to the other. */
async function flows(t: TestContext, herd: LiveHerd, port: number, client: string): Promise<void> {
  await herd.report('Ball', `${client}-in`)
  await knows(t, port, `${client}-in`)
  const reply = await converse(t, { port }, `IAMAT ${client}-out +1+1 ${timeNow()}\n`)
  assert.match(reply, /^AT Newton /)
  await herd.agree(TRIO, [`${client}-out`])
}

/** What a server says to a greeting by hand that holds the secret. */
async function refusalOf(
  t: TestContext,
  herd: LiveHerd,
  parts: Parameters<typeof greetingOf>[0],
): Promise<string> {
  const { client, channel } = await connectTls(t, herd, herd.port(parts.to), { from: parts.from })
  const said = await handshakeByHand(client, greetingOf(parts), herd.secret, channel.binding)
  assert.match(said, /^HERD 2 refused /)
  return said
}
