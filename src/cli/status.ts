/** `herd status`: how each server of a herd is. */
import type { Command } from 'commander'
import type { HerdConfig, ServerSettings } from '../config.ts'
import type { LinkEncryption } from '../replication/link-security.ts'
import type { ServerStatus } from '../replication/status.ts'
import { askStatus } from '../replication/status-client.ts'
import { type HerdSecret, loadLinkAuthority, loadSecret } from '../secret.ts'
import { addFolderOptions, addHerdOption, type FolderOptions, herdOf, milliseconds } from './herd-options.ts'
import { addressText, columns, EXIT, type ExitCode, print, printable, type Terminal } from './terminal.ts'

interface StatusOptions extends FolderOptions {
  readonly herd?: string
  readonly json?: boolean
  readonly timeout: number
}

/** One server's row. A classic server has no status of its own: its neighbors tell of their links. */
interface Row {
  readonly server: ServerSettings
  readonly answer:
    | { readonly state: 'up'; readonly status: ServerStatus }
    | { readonly state: 'down'; readonly reason: string }
    | { readonly state: 'classic' }
}

/** Adds `herd status`. */
export function addStatus(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addHerdOption(addFolderOptions(program.command('status')))
    .summary('show how each server is')
    .description(
      "Asks each server of the herd how it is, with the herd's secret: run it in the folder in which the herd " +
        'was started, or name its state folder.',
    )
    .option('--timeout <ms>', 'how long to wait for a server', milliseconds, 2000)
    .option('--json', 'print an object')
    .addHelpText(
      'after',
      `
Example:
  herd status --herd herds/lakers.yaml

Exit code: 0 all servers are up and all links open, 1 not so, 2 usage.`,
    )
    .action(async (options: StatusOptions) => finish(await status(terminal, options)))
}

async function status(terminal: Terminal, options: StatusOptions): Promise<ExitCode> {
  const config = await herdOf(terminal, options.herd, options)
  const secret = await loadSecret(config, terminal.env)
  const rows = await Promise.all(config.servers.map((server) => ask(config, server, secret, options.timeout)))
  const ok = rows.every(isWell)
  await print(terminal.output, options.json ? jsonOf(config, rows, ok) : textOf(config, rows))
  return ok ? EXIT.ok : EXIT.failed
}

async function ask(
  config: HerdConfig,
  server: ServerSettings,
  secret: HerdSecret | undefined,
  timeoutMs: number,
): Promise<Row> {
  if (server.classic) return { server, answer: { state: 'classic' } }
  const [value] = secret?.values ?? []
  if (value === undefined) {
    const reason =
      config.link.encryption === 'certificates'
        ? 'the status is asked by a secret, also where links have certificates: give HERD_SECRET or secretFile'
        : `no secret in ${config.stateFolder}: the herd was never started from here`
    return { server, answer: { state: 'down', reason } }
  }
  const { host, port, name } = server
  try {
    const { encryption: mode } = config.link
    const encryption: LinkEncryption =
      mode === 'certificates'
        ? { mode, certificates: { ca: await loadLinkAuthority(config, name) } }
        : { mode }
    const answer = await askStatus({
      ...{ host, port, name, herd: config.name },
      ...{ secret: value, encryption, timeoutMs },
    })
    return { server, answer: { state: 'up', status: answer } }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { server, answer: { state: 'down', reason } }
  }
}

function isWell({ server, answer }: Row): boolean {
  if (answer.state !== 'up') return answer.state === 'classic'
  return server.neighbors.every((neighbor) => isOpen(answer.status, neighbor))
}

function isOpen(answer: ServerStatus, neighbor: string): boolean {
  return answer.links.some((link) => link.neighbor === neighbor && link.open)
}

function jsonOf(config: HerdConfig, rows: readonly Row[], ok: boolean): string {
  const servers = rows.map(({ server, answer }) => ({ ...server, ...answer }))
  return `${JSON.stringify({ herd: config.name, ok, servers })}\n`
}

function textOf(config: HerdConfig, rows: readonly Row[]): string {
  const title = ['server', 'address', 'state', 'links', 'clients', 'connections', 'last fix']
  const lines = columns([title, ...rows.map(cellsOf)])
  const up = rows.filter(({ answer }) => answer.state === 'up').length
  const ours = rows.filter(({ answer }) => answer.state !== 'classic').length
  const tail = reasonsOf(rows)
  return [`herd ${config.name}: ${up} of ${ours} servers up`, '', ...lines, ...tail, ''].join('\n')
}

// A reason that many share is said once.
function reasonsOf(rows: readonly Row[]): string[] {
  const servers = new Map<string, string[]>()
  for (const { server, answer } of rows) {
    if (answer.state !== 'down') continue
    servers.set(answer.reason, [...(servers.get(answer.reason) ?? []), server.name])
  }
  const lines = Array.from(servers, ([reason, names]) => `${names.join(', ')}: ${printable(reason)}`)
  return lines.length === 0 ? [] : ['', ...lines]
}

function cellsOf({ server, answer }: Row): string[] {
  const head = [server.name, addressText(server)]
  switch (answer.state) {
    case 'classic':
      return [...head, 'classic']
    case 'down':
      return [...head, 'down']
    case 'up': {
      const { status: s } = answer
      const links = server.neighbors.map((neighbor) => `${neighbor} ${isOpen(s, neighbor) ? 'open' : 'DOWN'}`)
      return [
        ...head,
        `up ${ageText(s.upSeconds)}`,
        links.join(', ') || 'none',
        `${s.clients}`,
        `${s.connections}`,
        fixText(s),
      ]
    }
    default:
      return answer satisfies never
  }
}

function fixText({ lastFix }: ServerStatus): string {
  if (lastFix === null) return 'none'
  const client = lastFix.client.length > 40 ? `${lastFix.client.slice(0, 40)}…` : lastFix.client
  return `${printable(client)} by ${printable(lastFix.server)}, ${ageText(lastFix.ageSeconds)} ago`
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}
