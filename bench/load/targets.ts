/** A server on the command line of a load. */
export interface Target {
  readonly name: string
  readonly port: number
  /** How the links of a herd are protected, for whoever asks for its status; missing where nobody does. */
  readonly encryption?: Encryption | undefined
}

/** How links are protected, in a version that lets one choose. */
export type Encryption = 'psk' | 'none'

/** `Alford:12000:psk,Ball:12001`. */
export function formatTargets(targets: readonly Target[]): string {
  return targets
    .map(({ name, port, encryption }) => `${name}:${port}${encryption === undefined ? '' : `:${encryption}`}`)
    .join(',')
}

/** Throws for anything that `formatTargets` doesn't write. */
export function parseTargets(text: string): Target[] {
  return text.split(',').map((target) => {
    const [, name = '', port, encryption] = /^([^:]+):(\d+)(?::(psk|none))?$/.exec(target) ?? []
    if (port === undefined) throw new Error(`"${target}" is no target: name:port is`)
    if (encryption === undefined) return { name, port: Number(port) }
    return { name, port: Number(port), encryption: encryption === 'psk' ? 'psk' : 'none' }
  })
}
