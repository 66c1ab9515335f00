/** What it takes to speak with a herd without its herd file: its name, and its secret. */
import { readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Environment } from '../config.ts'
import { readAddress } from '../replication/addresses.ts'
import { OPERATOR } from '../replication/handshake.ts'
import type { StatusTarget } from '../replication/status-client.ts'
import { loadSecret, SecretUnusable } from '../secret.ts'
import { print, type Terminal, UsageError } from './terminal.ts'

/** What the options say of it. */
export interface AccessOptions {
  readonly of?: string
  readonly stateFolder?: string
  readonly secretFile?: string
}

/** A herd that can be spoken with. */
export interface HerdAccess {
  readonly herd: string
  readonly secret: Buffer
  /** Absolute. */
  readonly stateFolder: string
  /** Absolute; where the secret was said to be by an option. */
  readonly secretFile: string | undefined
  /** Where the secret came from: `HERD_SECRET` or a file. */
  readonly from: string
}

const SECRET_SUFFIX = '.secret'
const STATE_FOLDER = '.herd'

/** Adds --of and --secret-file. */
export function addAccessOptions(command: Command): Command {
  return command
    .option('--of <herd>', 'the name of the herd, where its secret alone doesn’t tell')
    .option('--secret-file <path>', "a file with the herd's secret (HERD_SECRET)")
}

/** Finds the name of the herd and its secret. @throws {UsageError} @throws {SecretUnusable} */
export async function accessOf(terminal: Terminal, options: AccessOptions): Promise<HerdAccess> {
  const { cwd } = terminal
  const env: Environment = terminal.env
  const stateFolder = resolve(cwd, options.stateFolder || env.HERD_STATE_FOLDER || STATE_FOLDER)
  const secretFile = options.secretFile === undefined ? undefined : resolve(cwd, options.secretFile)
  const herd = options.of ?? (await nameOf(stateFolder, secretFile, env.HERD_SECRET !== undefined))
  const warn = (text: string) => void print(terminal.errors, `herd: warning: ${text}\n`)
  const place = { name: herd, stateFolder, secretFile, link: { encryption: 'psk' } } as const
  // A file that is named goes before what happens to be in the environment.
  const found = await loadSecret(place, secretFile === undefined ? env : {}, warn)
  const [secret] = found?.values ?? []
  if (found === undefined || secret === undefined) throw new SecretUnusable(noSecretText(stateFolder, herd))
  return { herd, secret, stateFolder, secretFile, from: found.from }
}

/** Whom to ask at an address, whoever that is. @throws {UsageError} when it is no address */
export function targetAt(access: HerdAccess, address: string, timeoutMs: number): StatusTarget {
  const { herd, secret } = access
  const where = readAddress(address)
  if (where === null) throw new UsageError(`${address} is not host:port; for example 127.0.0.1:12000`)
  return { ...where, name: OPERATOR, herd, secret, timeoutMs }
}

async function nameOf(
  stateFolder: string,
  secretFile: string | undefined,
  isGiven: boolean,
): Promise<string> {
  if (secretFile?.endsWith(SECRET_SUFFIX)) return basename(secretFile, SECRET_SUFFIX)
  const files = secretFile === undefined ? await readdir(stateFolder).catch(() => []) : []
  const names = files
    .filter((file) => file.endsWith(SECRET_SUFFIX))
    .map((file) => basename(file, SECRET_SUFFIX))
  const [name] = names
  if (name !== undefined && names.length === 1) return name
  if (names.length > 1) {
    throw new UsageError(
      `there are secrets of ${names.join(', ')} in ${stateFolder}: say which herd with --of`,
    )
  }
  if (isGiven || secretFile !== undefined) throw new UsageError('say which herd it is with --of')
  throw new SecretUnusable(noSecretText(stateFolder, '<herd>'))
}

function noSecretText(stateFolder: string, herd: string): string {
  return `there is no secret in ${stateFolder}: give HERD_SECRET or --secret-file, or bring ${herd}${SECRET_SUFFIX} there from a server of the herd`
}
