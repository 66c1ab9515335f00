/** What `herd demo` and `herd up --demo` may be told, and say of it. */
import { type Command, InvalidArgumentError } from 'commander'
import type { HerdConfig } from '../config.ts'
import { isAnyHost } from '../replication/addresses.ts'
import { addressText } from './terminal.ts'

/** How much is going on in a demo. */
export interface DemoSettings {
  readonly clients: number
  /** Reports a second of each client. */
  readonly rate: number
}

const CLIENTS = 200
const CLIENTS_MAX = 20_000
const RATE_MIN = 0.01
const RATE_MAX = 100

/** Adds --demo, --demo-clients and --demo-rate. */
export function addDemoOptions(command: Command): Command {
  return command
    .option('--demo', 'let simulated phones report: people, bicycles, buses, trains, planes and a ship')
    .option('--demo-clients <number>', `how many, up to ${CLIENTS_MAX}`, clients, CLIENTS)
    .option('--demo-rate <number>', 'how often each reports in a second', rate, 1)
}

/** Adds --clients and --rate. */
export function addDemoSettings(command: Command): Command {
  return command
    .option('--clients <number>', `how many phones, up to ${CLIENTS_MAX}`, clients, CLIENTS)
    .option('--rate <number>', 'how often each reports in a second', rate, 1)
}

/** The settings as arguments of `herd demo`. */
export function demoArguments({ clients: count, rate: perSecond }: DemoSettings): string[] {
  return ['--clients', String(count), '--rate', String(perSecond)]
}

/** `200 simulated phones report once a second`. */
export function demoText({ clients: count, rate: perSecond }: DemoSettings): string {
  const phones = count === 1 ? '1 simulated phone reports' : `${count} simulated phones report`
  const often = perSecond === 1 ? 'once a second' : `${perSecond} times a second`
  return `a demo: ${phones} ${often}, each by its protocol to any server; nothing of this is real`
}

/** Where a browser finds the map: at the first server. */
export function mapAddress({ servers }: HerdConfig): string {
  const [first] = servers.filter(({ classic }) => !classic)
  if (first === undefined) return ''
  const host = isAnyHost(first.host) ? 'localhost' : first.host
  return `http://${addressText({ host, port: first.port })}/`
}

function clients(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1 && value <= CLIENTS_MAX) return value
  throw new InvalidArgumentError(`It is a whole number from 1 to ${CLIENTS_MAX}; for example 1000.`)
}

function rate(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= RATE_MIN && value <= RATE_MAX) return value
  throw new InvalidArgumentError(`It is a number from ${RATE_MIN} to ${RATE_MAX}; for example 0.5.`)
}
