/** Another commit of Herd, beside the one that this benchmark belongs to. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchContext } from '../cases/contender.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Why no other commit can be measured here, or `undefined`. */
export function whyNoOtherCheckout(): string | undefined {
  const git = spawnSync('git', ['-C', ROOT, 'rev-parse', '--show-prefix'], { encoding: 'utf8' })
  if (git.error !== undefined) return 'git is not installed'
  return git.status === 0 && git.stdout.trim() === '' ? undefined : 'this is no checkout of git'
}

/**
 * Writes a commit's files to a folder of this run, unless they are there, and lets it have this checkout's packages.
 *
 * @returns its `bin/herd.js`. @throws when there is no such commit.
 */
export async function checkOut(commit: string, context: BenchContext): Promise<string> {
  const folder = join(context.folder, `checkout-${commit.replaceAll(/\W/g, '-')}`)
  const command = join(folder, 'bin', 'herd.js')
  if (existsSync(command)) return command
  await mkdir(folder, { recursive: true })
  const archive = join(folder, 'checkout.tar')
  run('git', ['-C', ROOT, 'archive', `--output=${archive}`, commit])
  run('tar', ['-xf', archive, '-C', folder])
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return command
}

function run(command: string, args: readonly string[]): void {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}
