/** Servers on the command line of a load. */
export interface LoadTarget {
  readonly name: string
  readonly port: number
}

/** `Alford:12000,Ball:12001`. */
export function formatTargets(targets: readonly LoadTarget[]): string {
  return targets.map(({ name, port }) => `${name}:${port}`).join(',')
}

/** Throws for anything that `formatTargets` doesn't write. */
export function parseTargets(text: string): LoadTarget[] {
  return text.split(',').map((target) => {
    const [, name = '', port] = /^([^:]+):(\d+)$/.exec(target) ?? []
    if (port === undefined) throw new Error(`"${target}" is no target: name:port is`)
    return { name, port: Number(port) }
  })
}
