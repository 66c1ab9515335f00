import { readFileSync } from 'node:fs'

/** A process has some files beside its connections. */
const OTHER_FILES = 200

/**
 * Why a process that is started here can't hold so many connections, or `undefined`. Only the hard limit counts: Node
 * and Redis raise the soft one to it themselves.
 */
export function whyTooFewFiles(connections: number): string | undefined {
  const limit = readHardLimit()
  const needed = connections + OTHER_FILES
  if (limit === undefined || limit >= needed) return undefined
  return `a process may open ${limit} files here, and ${needed} are needed: raise the hard limit (ulimit -Hn ${needed})`
}

/** Out of /proc/<pid>/limits: the most files that a process may ever open; infinity where there is no limit. */
export function parseHardLimit(limits: string): number | undefined {
  const hard = /^Max open files +\S+ +(\S+)/m.exec(limits)?.[1]
  if (hard === undefined) return undefined
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}

function readHardLimit(): number | undefined {
  try {
    return parseHardLimit(readFileSync('/proc/self/limits', 'latin1'))
  } catch {
    return undefined
  }
}
