/**
 * Makes `dist/`, which the published package runs: Node strips no types under node_modules. Everything else in the
 * package (data, herd files, docs) is taken as it is.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildClient } from './build-client.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
rmSync(`${root}dist`, { recursive: true, force: true })
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const { status } = spawnSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (status === 0) await buildClient(`${root}dist/client/browser.js`)
process.exitCode = status ?? 1
