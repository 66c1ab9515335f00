/** Anything but the protocol, on the port that speaks everything. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

const HOLD_MS_MAX = 1500
const AT_A_TIME = 25
const HEX = 'ab'.repeat(16)
const TLS_HANDSHAKE = 0x16

/** Each is sent over connections of its own, whole. */
const KINDS: Readonly<Record<string, () => Buffer>> = {
  'random bytes': () => randomBytes(5000),
  'a line without end': () => Buffer.alloc(100_000, 'x'),
  'NULs and line ends': () => Buffer.alloc(2000, '\0\n'),
  'half a greeting': () => text('HERD 1 greet live Ball'),
  'a greeting and no proof': () => text(`HERD 1 greet live Ball Alford ${HEX} ${HEX}\n`),
  'a greeting and a wrong proof': () =>
    text(`HERD 1 greet live Ball Alford ${HEX} ${HEX}\nHERD 1 proof ${HEX}${HEX}\n`),
  'greetings of other versions': () => text(`HERD 2 greet live Ball Alford ${HEX} ${HEX}\n`),
  'words of an open link': () => text('HERD 2 claim a:999999\nHERD 2 member Ball x\nHERD 1 ping\n'),
  'forged AT lines': () => text('AT Ball +0.1 forged +1+1 1479000001\n'.repeat(50)),
  'TLS that is none': () => Buffer.concat([Buffer.from([TLS_HANDSHAKE]), randomBytes(3000)]),
  'a long TLS record': () => Buffer.from([TLS_HANDSHAKE, 3, 1, 0xff, 0xff, 1, 0, 0, 0]),
  HTTP: () => text('POST /IAMAT HTTP/1.1\r\nHost: x\r\n\r\nIAMAT forged +1+1 1479000001\r\n'),
  'endless HTTP headers': () => text(`GET / HTTP/1.1\r\n${'X-Y: z\r\n'.repeat(20_000)}`),
  MQTT: () => Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]),
}

/** Garbage. */
export const garbageScenarios: readonly Scenario[] = [
  {
    name: 'garbage',
    proves: 'no bytes of a stranger change a table, break a link, end a process or keep it from its clients',
    secondsMax: [120, 400],
    // Many long lines at once take their room, and give it back.
    rssMibMax: [256, 384],
    run: garbage,
  },
]

async function garbage(chaos: Chaos): Promise<string> {
  // Who has said nothing whole is sent away soon.
  // A machine that is busy with all this is no reason to lose a link.
  const settings = { limits: { firstLineMsMax: 500 }, link: { silenceMsMax: 20_000 } }
  const herd = await chaos.startHerd({ servers: UCLA, links: UCLA_LINKS, settings })
  const lost = await herd.count('Alford', 'linksLost')
  const traffic = chaos.traffic()
  for (const name of UCLA) traffic.start(name, chaos.target(name))
  const each = chaos.pick(AT_A_TIME, 500)
  let bytes = 0
  for (const make of Object.values(KINDS)) {
    for (let done = 0; done < each; done += AT_A_TIME) {
      const sizes = Array.from({ length: AT_A_TIME }, (_, index) => pour(chaos, make(), index % 2 === 0))
      bytes += (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    }
  }
  const before = chaos.ledger.acknowledgements
  await sleep(200)
  assert.ok(chaos.ledger.acknowledgements > before, 'clients are served')
  await traffic.stop()
  await chaos.converged()
  const losses = (await herd.logText('Alford')).split('\n').filter((line) => line.includes('"link lost"'))
  assert.equal(await herd.count('Alford', 'linksLost'), lost, `no link was lost: ${losses.join(' ')}`)
  const kinds = Object.keys(KINDS).length
  return `${kinds} kinds, ${kinds * each} connections, ${bytes} bytes, ${chaos.ledger.acknowledgements} reports acknowledged`
}

/** Sends bytes and goes at once, or stays until it is sent away; returns how many bytes there were. */
async function pour(chaos: Chaos, bytes: Buffer, isHasty: boolean): Promise<number> {
  const closed = Promise.withResolvers<void>()
  const socket = connect(chaos.target('Alford'))
  socket.on('error', () => undefined)
  socket.on('close', () => closed.resolve())
  socket.resume()
  socket.write(bytes, () => {
    if (isHasty) socket.resetAndDestroy()
  })
  const timer = setTimeout(() => socket.destroy(), HOLD_MS_MAX)
  await closed.promise
  clearTimeout(timer)
  return bytes.length
}

function text(line: string): Buffer {
  return Buffer.from(line, 'latin1')
}
