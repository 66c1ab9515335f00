import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Encryption } from '../load/targets.ts'
import { HERD_FILE } from './herd-server.ts'

let known: boolean | undefined

/** Whether this version of herd knows the setting `link.encryption`: asked of `herd check`, once. */
export function hasLinkEncryption(): boolean {
  known ??= accepts({ link: { encryption: 'none' } })
  return known
}

/** The `link` group of a herd file for links of this kind; empty in a version that has only one kind. */
export function linkSettings(encryption: Encryption): Readonly<Record<string, string>> {
  return hasLinkEncryption() ? { encryption } : {}
}

function accepts(settings: object): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'herd-bench-check-'))
  try {
    const file = join(folder, 'herd.yaml')
    writeFileSync(
      file,
      JSON.stringify({ herd: 'probe', servers: { One: { port: 12_000 } }, links: [], ...settings }),
    )
    return spawnSync(process.execPath, [HERD_FILE, 'check', file], { stdio: 'ignore' }).status === 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
