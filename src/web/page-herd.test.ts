import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventOf, fixOf, HerdStandIn, problem } from '../../test/support/herd-stand-in.ts'
import { waitUntil } from '../../test/support/live-herd.ts'
import { PageHerd, type TokenSource } from './page-herd.ts'

/** A page before a server, and all that it was told; its person gives these tokens, one after the other, and then none. */
async function pageOf(
  t: TestContext,
  given: readonly string[] = [],
): Promise<{ herd: PageHerd; server: HerdStandIn; told: string[] }> {
  const server = await HerdStandIn.start(t)
  const told: string[] = []
  const left = [...given]
  let token: string | null = null
  const tokens: TokenSource = {
    get token() {
      return token
    },
    ask: async (reason) => {
      told.push(`asked: ${reason}`)
      token = left.shift() ?? null
      return token !== null
    },
  }
  const herd = new PageHerd(`${server.url}/`, tokens)
  t.after(() => herd.close())
  return { herd, server, told }
}

function watch({ herd, told }: { readonly herd: PageHerd; readonly told: string[] }): Promise<void> {
  return herd.watch({
    fix: ({ client }) => told.push(`fix ${client}`),
    exit: (client) => told.push(`exit ${client}`),
    caughtUp: () => told.push('caught up'),
    state: (state) => told.push(state),
  })
}

function toldUntil(told: readonly string[], what: string): Promise<void> {
  return waitUntil(
    () => told.at(-1) === what,
    () => `${what} is told; it was ${told.join(', ')}`,
  )
}

const streamsOf = ({ asked }: HerdStandIn): string[] => asked.filter((one) => one.includes('/v1/stream'))

test('fixes, a cursor, and the rest from there after the stream has ended', async (t) => {
  const page = await pageOf(t)
  const { server, told } = page
  const watching = watch(page)
  await toldUntil(told, 'live')
  server.write(`${eventOf('fix', fixOf('kiwi'))}id: Alford~aa~1\n\n`)
  await toldUntil(told, 'caught up')
  server.endStreams('end')
  await waitUntil(() => streamsOf(server).length === 2, 'it is watched again')
  await toldUntil(told, 'live')
  await waitUntil(() => server.streams === 1, 'the stream is open')
  server.write(eventOf('exit', fixOf('kiwi', 1)))
  await toldUntil(told, 'exit kiwi')
  assert.match(streamsOf(server)[1] ?? '', /last_event_id=Alford%7Eaa%7E1$/)
  assert.deepEqual(
    told.filter((one, index) => one !== told[index - 1]),
    ['live', 'fix kiwi', 'caught up', 'lost', 'live', 'exit kiwi'],
  )
  await page.herd.close()
  await watching
})

test('a server that was never there: the page says so', async (t) => {
  const page = await pageOf(t)
  await page.server.stop()
  const watching = watch(page)
  await toldUntil(page.told, 'lost')
  await page.herd.close()
  await watching
})

test('a token that is worth nothing any more: the person is asked, and it goes on from where it was', async (t) => {
  const page = await pageOf(t, ['wrong', 'right'])
  const { server, told } = page
  const watching = watch(page)
  await toldUntil(told, 'live')
  server.write(`id: Alford~aa~7\n\n`)
  await toldUntil(told, 'caught up')
  server.refuse = () =>
    server.tokens.has('Bearer right') ? null : { problem: problem(401, 'no-token', 'a token, please') }
  server.endStreams('end')
  await toldUntil(told, 'live')
  assert.deepEqual(
    told.filter((one) => one.startsWith('asked')),
    ['asked: a token, please', 'asked: a token, please'],
  )
  assert.match(streamsOf(server).at(-1) ?? '', /last_event_id=Alford%7Eaa%7E7$/)
  await page.herd.close()
  await watching
})

test('who gives no token is refused, once', async (t) => {
  const page = await pageOf(t)
  page.server.refuse = () => ({ problem: problem(401, 'no-token', 'a token, please') })
  await watch(page)
  assert.deepEqual(page.told, ['asked: a token, please', 'refused'])
  await assert.rejects(
    page.herd.ask((client) => client.get('kiwi')),
    /a token, please/,
  )
})

test('a question goes on with the token that was asked for', async (t) => {
  const page = await pageOf(t, ['right'])
  const { server } = page
  server.refuse = () =>
    server.tokens.has('Bearer right') ? null : { problem: problem(401, 'no-token', 'a token, please') }
  assert.equal((await page.herd.ask((client) => client.get('kiwi')))?.client, 'kiwi')
})
