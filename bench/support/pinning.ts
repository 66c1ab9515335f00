import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Puts the server on one core and the load on another, where the system lets us. */
export interface Pinning {
  /** The command line that starts `command` on the core of its role. */
  wrap(role: Role, command: string, args: readonly string[]): readonly [string, readonly string[]]
  /** For the head of the report: what was pinned, or why nothing was. */
  readonly note: string
}

export type Role = 'server' | 'load'

const CPU_OF: Readonly<Record<Role, string>> = { server: '0', load: '1' }

/** `taskset` execs the command, so the process id stays that of the server itself. */
export function detectPinning(): Pinning {
  const reason = whyNot()
  if (reason !== undefined) return { note: `not pinned to cores: ${reason}`, wrap: (_role, ...line) => line }
  return {
    note: `server pinned to CPU ${CPU_OF.server}, load to CPU ${CPU_OF.load}`,
    wrap: (role, command, args) => ['taskset', ['-c', CPU_OF[role], command, ...args]],
  }
}

function whyNot(): string | undefined {
  if (availableParallelism() < 2) return 'there is only one'
  for (const cpu of Object.values(CPU_OF)) {
    const tried = spawnSync('taskset', ['-c', cpu, 'true'], { timeout: 5000 })
    if (tried.error !== undefined) return 'taskset is not installed'
    if (tried.status !== 0) return `CPU ${cpu} may not be used`
  }
  return undefined
}
