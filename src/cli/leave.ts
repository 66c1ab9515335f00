/** `herd leave`: takes a server out of a herd that runs. */
import type { Command } from 'commander'
import { isAnyHost } from '../replication/addresses.ts'
import {
  askHerd,
  askToGiveUp,
  askToLeave,
  type HerdAnswer,
  type StatusTarget,
  StatusUnavailable,
} from '../replication/status-client.ts'
import { type AccessOptions, accessOf, addAccessOptions, targetAt } from './herd-access.ts'
import { addFolderOptions, addHerdOption, type FolderOptions, herdOf, milliseconds } from './herd-options.ts'
import { operatorTargets } from './operator-targets.ts'
import { EXIT, type ExitCode, print, type Terminal, Unreachable, UsageError } from './terminal.ts'

interface LeaveOptions extends FolderOptions, AccessOptions {
  readonly server?: string
  readonly herd?: string
  readonly gone?: boolean
  readonly timeout: number
}

/** Adds `herd leave`. */
export function addLeave(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addAccessOptions(addHerdOption(addFolderOptions(program.command('leave'))))
    .summary('take a server out of a herd that runs')
    .description(
      'Tells a server to leave its herd: it hands on what it owes, ends, and is neither missed nor started again ' +
        'by `herd up`. `herd start` brings it back.',
    )
    .argument('<server>', 'the name of the server')
    .option('--server <host:port>', 'any server of the herd, instead of a herd file')
    .option('--gone', 'it is gone for good: let another server say that it has left')
    .option('--timeout <ms>', 'how long to wait for a server', milliseconds, 10_000)
    .addHelpText(
      'after',
      `
Example:
  herd leave Newton --server 127.0.0.1:12000

Exit code: 0 it has left, 1 it has not, 2 usage, 3 nobody answers.`,
    )
    .action(async (name: string, options: LeaveOptions) => finish(await leave(terminal, name, options)))
}

async function leave(terminal: Terminal, name: string, options: LeaveOptions): Promise<ExitCode> {
  const targets = await targetsOf(terminal, options)
  const { herd, target } = await anyAnswer(targets)
  const member = herd.members.find((row) => row.name === name)
  if (member === undefined) {
    throw new UsageError(
      `no server ${name} in herd ${herd.herd}; there are ${herd.members.map((row) => row.name).join(', ')}`,
    )
  }
  if (options.gone) return giveUp(terminal, herd, target, name)
  if (member.state === 'left') {
    await print(terminal.output, `${name} has left herd ${herd.herd} already\n`)
    return EXIT.ok
  }
  const { host, port } = herd.server === name || isAnyHost(member.host) ? target : member
  // Where the herd file knows a way to it, that one was made for us.
  const way = targets.find((each) => each.name === name) ?? { ...target, host, port, name }
  try {
    await askToLeave(way)
  } catch (error) {
    if (!(error instanceof StatusUnavailable)) throw error
    await print(terminal.errors, `herd: ${error.message}\n`)
    return EXIT.failed
  }
  await print(terminal.output, `${name} has left herd ${herd.herd}\n`)
  return EXIT.ok
}

async function giveUp(
  terminal: Terminal,
  { herd, server }: HerdAnswer,
  target: StatusTarget,
  name: string,
): Promise<ExitCode> {
  const isGone = await askToGiveUp(target, name)
  if (isGone) await print(terminal.output, `${name} has left herd ${herd}, says ${server} in its place\n`)
  else await print(terminal.errors, `herd: ${server} reaches ${name}: it isn't gone; leave out --gone\n`)
  return isGone ? EXIT.ok : EXIT.failed
}

async function targetsOf(terminal: Terminal, options: LeaveOptions): Promise<StatusTarget[]> {
  const { server, herd, timeout } = options
  if (server !== undefined) return [targetAt(await accessOf(terminal, options), server, timeout)]
  const config = await herdOf(terminal, herd, options)
  return operatorTargets(config, terminal.env, timeout)
}

/** What the first server says that answers. All are asked in turn: mostly the first does. */
async function anyAnswer(
  targets: readonly StatusTarget[],
): Promise<{ readonly herd: HerdAnswer; readonly target: StatusTarget }> {
  const reasons: string[] = []
  for (const target of targets) {
    try {
      return { herd: await askHerd(target), target }
    } catch (error) {
      if (!(error instanceof StatusUnavailable)) throw error
      reasons.push(error.message)
    }
  }
  throw new Unreachable(reasons.join('\n'))
}
