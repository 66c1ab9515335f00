/** `herd status`: how each server of a herd is. */
import type { Command } from 'commander'
import type { HerdConfig, ServerSettings } from '../config.ts'
import { isAnyHost } from '../replication/addresses.ts'
import type { MemberStatus } from '../replication/status.ts'
import { askStatus, type StatusTarget } from '../replication/status-client.ts'
import { loadSecret } from '../secret.ts'
import { type AccessOptions, accessOf, addAccessOptions, targetAt } from './herd-access.ts'
import { addFolderOptions, addHerdOption, type FolderOptions, herdOf, milliseconds } from './herd-options.ts'
import { leftOf, splitsOf, strangersOf, type View } from './herd-view.ts'
import { noSecretText, operatorEncryption } from './operator-targets.ts'
import { type HerdReport, jsonOf, type Row, textOf } from './status-text.ts'
import { EXIT, type ExitCode, print, type Terminal } from './terminal.ts'

interface StatusOptions extends FolderOptions, AccessOptions {
  readonly herd?: string
  readonly server?: string
  readonly links?: boolean
  readonly json?: boolean
  readonly timeout: number
}

/** Adds `herd status`. */
export function addStatus(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addAccessOptions(addHerdOption(addFolderOptions(program.command('status'))))
    .summary('show how each server is')
    .description(
      "Asks each server of the herd how it is, with the herd's secret: run it in the folder in which the herd " +
        'was started, or name its state folder. With --server, asks one server about the whole herd.',
    )
    .option('--server <host:port>', 'the herd as this one server sees it, instead of a herd file')
    .option('--links', 'round trip and clock of each link as well')
    .option('--timeout <ms>', 'how long to wait for a server', milliseconds, 2000)
    .option('--json', 'print an object')
    .addHelpText(
      'after',
      `
Examples:
  herd status --herd herds/lakers.yaml
  herd status --server 127.0.0.1:12000

Exit code: 0 all servers are up and ready and all links open, 1 not so, 2 usage, 3 the one server doesn't answer.`,
    )
    .action(async (options: StatusOptions) => finish(await status(terminal, options)))
}

async function status(terminal: Terminal, options: StatusOptions): Promise<ExitCode> {
  const report =
    options.server === undefined
      ? await wholeHerd(terminal, options)
      : await seenBy(terminal, options.server, options)
  const isLinksAsked = options.links === true || options.server !== undefined
  await print(terminal.output, options.json ? jsonOf(report) : textOf(report, isLinksAsked))
  return report.ok ? EXIT.ok : EXIT.failed
}

/** Asks every server of the herd file, and then those that have joined them. */
async function wholeHerd(terminal: Terminal, options: StatusOptions): Promise<HerdReport> {
  const config = await herdOf(terminal, options.herd, options)
  const [secret] = (await loadSecret(config, terminal.env))?.values ?? []
  const rows = await Promise.all(config.servers.map((server) => ask(config, server, secret, options.timeout)))
  const known = new Set(config.servers.map(({ name }) => name))
  const strangers = strangersOf(viewsOf(rows), known)
  // Who came by itself and has left is nobody's concern any more.
  const here = strangers.filter(({ state }) => state === 'up')
  const joined = await Promise.all(here.map((member) => askJoined(config, member, secret, options.timeout)))
  return reportOf(config.name, [...rows, ...joined])
}

/** Asks one server, and believes it about the others. */
async function seenBy(terminal: Terminal, address: string, options: StatusOptions): Promise<HerdReport> {
  const target = targetAt(await accessOf(terminal, options), address, options.timeout)
  const answer = await askStatus(target)
  const rows = answer.members.map((member): Row => {
    const server = serverOfMember(member)
    if (member.name !== answer.server) return { server, joined: false, answer: { state: 'told', member } }
    const { host, port } = target
    return {
      server: { ...server, host, port, neighbors: answer.links.map(({ neighbor }) => neighbor) },
      joined: false,
      answer: { state: 'up', status: answer },
    }
  })
  return reportOf(answer.herd, rows)
}

async function ask(
  config: HerdConfig,
  server: ServerSettings,
  secret: Buffer | undefined,
  timeoutMs: number,
): Promise<Row> {
  if (server.classic) return { server, joined: false, answer: { state: 'classic' } }
  if (secret === undefined) {
    return { server, joined: false, answer: { state: 'down', reason: noSecretText(config) } }
  }
  const { host, port, name } = server
  try {
    const encryption = await operatorEncryption(config, name)
    const target: StatusTarget = {
      ...{ host, port, name, herd: config.name },
      ...{ secret, encryption, timeoutMs },
    }
    return { server, joined: false, answer: { state: 'up', status: await askStatus(target) } }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { server, joined: false, answer: { state: 'down', reason } }
  }
}

async function askJoined(
  config: HerdConfig,
  member: MemberStatus,
  secret: Buffer | undefined,
  timeoutMs: number,
): Promise<Row> {
  const server = serverOfMember(member)
  if (isAnyHost(member.host)) return { server, joined: true, answer: { state: 'told', member } }
  return { ...(await ask(config, server, secret, timeoutMs)), joined: true }
}

function serverOfMember({ name, host, port, links }: MemberStatus): ServerSettings {
  return { name, host, port, alsoPorts: [], classic: false, neighbors: links }
}

function viewsOf(rows: readonly Row[]): View[] {
  return rows.flatMap(({ answer }) => (answer.state === 'up' ? [answer.status] : []))
}

function reportOf(herd: string, rows: readonly Row[]): HerdReport {
  const views = viewsOf(rows)
  const left = leftOf(views)
  const splits = splitsOf(views)
  return { herd, rows, left, splits, ok: splits.length === 0 && rows.every((row) => isWell(row, left)) }
}

function isWell({ server, answer }: Row, left: ReadonlySet<string>): boolean {
  switch (answer.state) {
    case 'classic':
      return true
    case 'told':
      return answer.member.state === 'left' || answer.member.reachable
    case 'down':
      return left.has(server.name)
    case 'up': {
      const { readiness, journal, hasTwin, links } = answer.status
      if (readiness !== 'ready' || journal === 'failing' || hasTwin) return false
      const isOpen = (name: string): boolean => links.some((link) => link.neighbor === name && link.open)
      return server.neighbors.every((neighbor) => left.has(neighbor) || isOpen(neighbor))
    }
    default:
      return answer satisfies never
  }
}
