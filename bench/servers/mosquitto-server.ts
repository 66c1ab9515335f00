import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchContext } from '../cases/contender.ts'
import { isInstalled } from '../support/machine.ts'
import { findFreePort, LOOPBACK, waitUntilListening } from '../support/ports.ts'
import type { RunningServer } from './running-server.ts'

/** Debian has it where ordinary users don't look. */
const COMMANDS = ['mosquitto', '/usr/sbin/mosquitto']

/** Why Mosquitto can not be started here, or `undefined`. */
export function whyNoMosquitto(): string | undefined {
  return commandOf() === undefined ? 'mosquitto is not installed' : undefined
}

/** Starts Mosquitto without persistence, open to all on loopback, and with room for what one subscriber hasn't taken yet. */
export async function startMosquitto(context: BenchContext): Promise<RunningServer> {
  const folder = await mkdtemp(join(context.folder, 'mosquitto-'))
  const port = await findFreePort()
  const file = join(folder, 'mosquitto.conf')
  const settings = [
    `listener ${port} ${LOOPBACK}`,
    'allow_anonymous true',
    'persistence false',
    'set_tcp_nodelay true',
    'max_queued_messages 100000',
    'log_type error',
    'log_dest stderr',
  ]
  await writeFile(file, `${settings.join('\n')}\n`)
  const command = context.pinning.wrap('server', commandOf() ?? 'mosquitto', ['-c', file])
  const server = await context.children.start('mosquitto', ...command)
  await waitUntilListening(server, port)
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { server, port, stop }
}

function commandOf(): string | undefined {
  return COMMANDS.find((command) => isInstalled(command, '-h'))
}
