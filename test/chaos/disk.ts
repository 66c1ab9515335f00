/** A disk that is full for a while, under state and logs. */
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { chainOf } from '../support/live-graphs.ts'
import { type LiveHerd, waitUntil } from '../support/live-herd.ts'
import { SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

const SERVERS = ['Alford', 'Ball', 'Holiday']
const DISK_BYTES = 1024 * 1024
// All logs together take less than half of the disk.
const LOGS = { level: 'traffic', fileBytesMax: 65_536, filesMax: 2, bufferBytesMax: 65_536 }
// Who deletes an old log makes room: it is taken again.
const FILLS = 20

/** Full disks. */
export const diskScenarios: readonly Scenario[] = [
  {
    name: 'disk-full',
    proves: 'servers on a full disk answer, pass on and even start; when there is room, the log goes on',
    secondsMax: [120, 300],
    run: fullDisk,
  },
  {
    name: 'disk-full-acks',
    proves: 'what is acknowledged at the level disk while the disk is full is on the disk',
    secondsMax: [120, 300],
    run: acksOnFullDisk,
  },
]

async function fullDisk(chaos: Chaos, t: TestContext): Promise<string> {
  const { disk, herd } = await onSmallDisk(chaos, t)
  const traffic = chaos.traffic({ clientsPerServer: 20 })
  const rounds = chaos.pick(1, 8)
  let bytes = 0
  for (let round = 0; round < rounds; round++) {
    for (const name of SERVERS) traffic.start(name, chaos.target(name))
    await sleep(200)
    bytes += await keepFull(disk)
    await waitUntil(async () => (await herd.count('Alford', 'logDropped')) > 0, 'the log has no room')
    await traffic.stop()
    await chaos.converged()
    await herd.restart('Holiday')
    await chaos.converged()
    await disk.free()
    await logsGoOn(chaos, herd, disk)
    await chaos.converged()
  }
  return `${rounds} times full (${bytes} bytes taken of ${DISK_BYTES}), ${chaos.ledger.acknowledgements} reports acknowledged`
}

async function acksOnFullDisk(chaos: Chaos, t: TestContext): Promise<string> {
  const { disk, herd } = await onSmallDisk(chaos, t)
  await chaos.needLevel('Alford', 'disk')
  const traffic = chaos.traffic({ clientsPerServer: 20, level: 'disk' })
  const rounds = chaos.pick(1, 8)
  for (let round = 0; round < rounds; round++) {
    for (const name of SERVERS) traffic.start(name, chaos.target(name))
    await sleep(200)
    await keepFull(disk)
    await Promise.all(SERVERS.map((name) => herd.kill(name)))
    await traffic.stop()
    await disk.free()
    await Promise.all(SERVERS.map((name) => herd.startServer(name)))
    await chaos.converged({ keeps: 'acknowledged' })
  }
  return `${rounds} times full, then all killed, ${chaos.ledger.acknowledgements} reports acknowledged`
}

async function onSmallDisk(
  chaos: Chaos,
  t: TestContext,
): Promise<{ readonly disk: SmallDisk; readonly herd: LiveHerd }> {
  chaos.skipIf(await whyNoSmallDisk())
  const disk = await SmallDisk.mount(t, DISK_BYTES)
  const [stateFolder, folder] = [join(disk.folder, 'state'), logFolder(disk)]
  const settings = { stateFolder, logs: { ...LOGS, folder } }
  return { disk, herd: await chaos.startHerd({ servers: SERVERS, links: chainOf(SERVERS), settings }) }
}

/** Takes every byte there is, for two seconds; returns how many. */
async function keepFull(disk: SmallDisk): Promise<number> {
  let bytes = 0
  for (let fill = 0; fill < FILLS; fill++) {
    bytes += await disk.fill()
    await sleep(100)
  }
  return bytes
}

/** Reports to Alford until it has written to its log what it was told after the disk had room. */
async function logsGoOn(chaos: Chaos, herd: LiveHerd, disk: SmallDisk): Promise<void> {
  const before = await newestLog(disk)
  const traffic = chaos.traffic({ clientsPerServer: 5 })
  traffic.start('Alford', chaos.target('Alford'))
  await waitUntil(async () => (await newestLog(disk)) > before, 'the log of Alford goes on')
  await traffic.stop()
  assert.equal((await herd.status('Alford')).server, 'Alford')
}

/** When a log of Alford was last written to. */
async function newestLog(disk: SmallDisk): Promise<number> {
  const files = (await readdir(logFolder(disk))).filter((name) => name.startsWith('Alford_'))
  // One may be deleted meanwhile, for a newer one.
  const times = files.map((name) =>
    stat(join(logFolder(disk), name)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  )
  return Math.max(0, ...(await Promise.all(times)))
}

function logFolder(disk: SmallDisk): string {
  return join(disk.folder, 'logs')
}
