/** What `herd up` says: text for people, or one object in a line for programs. */
import { styleText } from 'node:util'
import type { HerdConfig } from '../config.ts'
import { type DemoSettings, demoText, mapAddress } from './demo-options.ts'
import type { KeeperEvent } from './server-keeper.ts'
import { addressesText, addressText, columns, print, printable, type Terminal } from './terminal.ts'

/** The moments of a herd's life. */
export interface UpReport {
  readonly starting: () => void
  readonly warning: (text: string) => void
  readonly server: (name: string, event: KeeperEvent) => void
  readonly up: () => void
  /** What happens to simulated phones. */
  readonly demo: (settings: DemoSettings, event: KeeperEvent) => void
  readonly failed: (server: string, reason: string) => void
  readonly stopping: () => void
  readonly stopped: () => void
}

const COLORS = ['cyan', 'yellow', 'green', 'magenta', 'blue'] as const

/** One object in a line for each moment. */
export function jsonReport(terminal: Terminal, config: HerdConfig): UpReport {
  const herd = config.name
  const servers = config.servers.filter(({ classic }) => !classic)
  const say = (event: string, more: object) => {
    void print(
      terminal.output,
      `${JSON.stringify({ time: new Date().toISOString(), event, herd, ...more })}\n`,
    )
  }
  return {
    starting: () => say('starting', { servers, logFolder: config.logs.folder }),
    warning: (text) => say('warning', { text }),
    server: (server, event) => {
      if (event.type !== 'event') say(event.type, { server, ...event, type: undefined })
      else
        say('server', { server, level: event.event.level, what: event.event.event, text: event.event.text })
    },
    up: () => say('up', { servers: servers.length, ...(config.http.on && { map: mapAddress(config) }) }),
    demo: (settings, event) => {
      if (event.type === 'listening') say('demo', { ...settings, pid: event.pid, map: mapAddress(config) })
      else if (event.type === 'event') say('demo-event', { level: event.event.level, text: event.event.text })
      else say(`demo-${event.type}`, { ...event, type: undefined })
    },
    failed: (server, reason) => say('failed', { server, reason }),
    stopping: () => say('stopping', {}),
    stopped: () => say('stopped', {}),
  }
}

/** Text; in color where the terminal has it. */
export function textReport(terminal: Terminal, config: HerdConfig, herdCommand: string): UpReport {
  const herd = `herd ${config.name}`
  const say = (text: string) => void print(terminal.output, `${text}\n`)
  const complain = (text: string) => void print(terminal.errors, `${text}\n`)
  const styled = (format: Parameters<typeof styleText>[0], text: string) => {
    return styleText(format, text, { stream: terminal.output })
  }
  const width = Math.max(...config.servers.map(({ name }) => name.length))
  const tags = new Map(
    config.servers.map(({ name }, index) => {
      return [name, styled(COLORS[index % COLORS.length] ?? 'cyan', `${name.padEnd(width)} |`)]
    }),
  )
  const tagged = (server: string, text: string) => say(`${tags.get(server) ?? server} ${printable(text)}`)
  return {
    starting: () => say(`${herd}\n\n${tableText(config)}\n`),
    warning: (text) => complain(`${styled('yellow', 'warning')} ${printable(text)}`),
    server: (server, event) => tagged(server, eventText(event)),
    up: () =>
      say(`\n${triesText(config, herdCommand)}\n\n${styled('bold', upText(config))}; Ctrl-C stops it\n`),
    demo: (settings, event) => {
      const text = event.type === 'listening' ? demoText(settings) : eventText(event)
      say(`${styled('bold', 'demo'.padEnd(width))} | ${printable(text)}`)
      if (event.type !== 'listening') return
      say(`\n${styled('bold', `Open ${mapAddress(config)} and watch them move`)}\n`)
    },
    failed: (server, reason) =>
      complain(`${styled('red', 'error')} ${server} can't start: ${printable(reason)}`),
    stopping: () => say(`\n${herd} is stopping`),
    stopped: () => say(`${herd} has stopped`),
  }
}

function upText(config: HerdConfig): string {
  const count = config.servers.filter(({ classic }) => !classic).length
  return `herd ${config.name} is up: ${count} ${count === 1 ? 'server' : 'servers'}`
}

function eventText(event: KeeperEvent): string {
  switch (event.type) {
    case 'listening':
      return `listening on ${addressesText(event)} (process ${event.pid})`
    case 'exited':
      return `ended by itself (${event.reason}); it is started again in ${event.restartMs / 1000} s`
    case 'left':
      return 'has left the herd; it is not started again'
    case 'killed':
      return `killed: ${event.reason}`
    case 'event':
      return event.event.level === 'info' ? event.event.text : `${event.event.level}: ${event.event.text}`
    case 'text':
      return event.text
    default:
      return event satisfies never
  }
}

function tableText(config: HerdConfig): string {
  const rows = config.servers.map((server) => {
    const neighbors = server.neighbors.join(', ') || 'none'
    return [
      `  ${server.name}`,
      addressesText(server),
      server.classic ? `${neighbors} (classic: not started)` : neighbors,
    ]
  })
  const table = columns([['  server', 'address', 'neighbors'], ...rows])
  return [...table, '', `  herd file  ${config.file}`, `  logs       ${config.logs.folder}`].join('\n')
}

// Lines to paste: a report to the first server, a question to the last, which has it from its neighbors.
function triesText(config: HerdConfig, herdCommand: string): string {
  const servers = config.servers.filter(({ classic }) => !classic)
  const [first, last] = [servers[0], servers.at(-1)]
  if (first === undefined || last === undefined) return ''
  const line = 'IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1479413884.392014450'
  const ask = `${herdCommand} whatsat kiwi.cs.ucla.edu 10 5 --server ${addressText(last)}`
  const tries = ['Try it:', `  printf '${line}\\n' | nc -q1 ${first.host} ${first.port}`, `  ${ask}`]
  const map = config.http.on ? ['', `The live map: ${mapAddress(config)}`] : []
  return [...tries, ...map].join('\n')
}
