/** What servers say of a client, by lines and by HTTP, for the laws of all gateways. */
import assert from 'node:assert/strict'
import type { FixJson } from '../../src/gateways/http/shapes.ts'
import type { GatewayReport, Reporter } from './gateway-adapters.ts'
import { type LiveHerd, waitUntil } from './live-herd.ts'

/** The herd of the laws: reports go to the first, and what became of them is asked of both. */
export const PAIR: readonly ['Alford', 'Ball'] = ['Alford', 'Ball']

/** What is known of a client. */
type Known = Omit<GatewayReport, 'client'>

/** Waits until the other server knows a report, by lines and by HTTP. @param token what who asks must show. */
export async function arrived(herd: LiveHerd, report: GatewayReport, token?: string): Promise<void> {
  const { client } = report
  const wanted = JSON.stringify(knownOf(report))
  let known = ''
  await waitUntil(
    async () => {
      known = JSON.stringify(await askLine(herd, 'Ball', client, token))
      return known === wanted
    },
    () => `${JSON.stringify(client)} is at ${wanted}; Ball says ${known}`,
  )
  assert.equal(JSON.stringify(await askHttp(herd, 'Ball', client, token)), wanted)
}

/** Nothing else is known of a client, at any server, by lines and by HTTP. @param known `null`: nothing at all. */
export async function stays(
  herd: LiveHerd,
  client: string,
  known: GatewayReport | null,
  token?: string,
): Promise<void> {
  const wanted = known === null ? null : knownOf(known)
  for (const server of PAIR) {
    assert.deepEqual(await askLine(herd, server, client, token), wanted, `${server}, by lines: ${client}`)
    assert.deepEqual(await askHttp(herd, server, client, token), wanted, `${server}, by HTTP: ${client}`)
  }
}

/** Waits until what is reported now, and by the same way, is everywhere: what came before would be, too. */
export async function fenced(herd: LiveHerd, reporter: Reporter, client: string): Promise<void> {
  const before = await askLine(herd, 'Alford', client)
  const fence = { client, lat: 80, lon: 80, seconds: (before?.seconds ?? 0) + 1 }
  assert.equal(await reporter.report(fence), 'kept')
  await arrived(herd, fence)
}

/** The other server finds the client where it is, by lines and by HTTP. */
export async function isFound(herd: LiveHerd, { client, lat, lon }: GatewayReport): Promise<void> {
  const [north, east] = [lat, lon].map((one) => `${one < 0 ? '-' : '+'}${Math.abs(one).toFixed(9)}`)
  const lines = await herd.converse('Ball', `WHOSAT NEAR ${north}${east} 0.001 *\n`)
  assert.ok(utf8(lines).includes(` ${client} `), `WHOSAT finds ${client}`)
  const near = await fetch(`${baseOf(herd, 'Ball')}/v1/near?lat=${lat}&lon=${lon}&radius_m=1`)
  assert.ok((await near.text()).includes(`{"client":${JSON.stringify(client)},`), `HTTP finds ${client}`)
}

async function askLine(
  herd: LiveHerd,
  server: string,
  client: string,
  token?: string,
): Promise<Known | null> {
  const shown = token === undefined ? '' : `TOKEN ${token}\n`
  const reply = utf8(await herd.converse(server, `${shown}WHATSAT ${client} 1 0\n`))
  const at = reply.split('\n').find((line) => line.startsWith('AT '))
  if (at === undefined) {
    assert.ok(reply.endsWith(`? WHATSAT ${client} 1 0\n`), reply)
    return null
  }
  const [, , , id, position = '', time] = at.split(' ')
  assert.equal(id, client)
  const [, lat, lon] = /^([+-][\d.]+)([+-][\d.]+)$/.exec(position) ?? []
  return { lat: Number(lat), lon: Number(lon), seconds: Number(time) }
}

async function askHttp(
  herd: LiveHerd,
  server: string,
  client: string,
  token?: string,
): Promise<Known | null> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const url = `${baseOf(herd, server)}/v1/clients/${encodeURIComponent(client)}`
  const response = await fetch(url, { headers })
  if (response.status === 404) {
    assert.match(await response.text(), /unknown-client/)
    return null
  }
  assert.equal(response.status, 200, url)
  const fix = (await response.json()) as FixJson
  assert.equal(fix.client, client)
  return { lat: fix.lat, lon: fix.lon, seconds: Number(fix.time_ns) / 1e9 }
}

function knownOf({ lat, lon, seconds }: GatewayReport): Known {
  return { lat, lon, seconds }
}

function baseOf(herd: LiveHerd, server: string): string {
  return `http://${herd.host(server)}:${herd.port(server)}`
}

/** Lines come as bytes, one a character. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
