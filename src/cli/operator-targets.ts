/** The servers of a herd file, as an operator speaks with them. */
import type { Environment, HerdConfig } from '../config.ts'
import type { LinkEncryption } from '../replication/link-security.ts'
import type { StatusTarget } from '../replication/status-client.ts'
import { loadLinkAuthority, loadSecret, SecretUnusable } from '../secret.ts'

/** All that are ours. @throws {SecretUnusable} when there is no secret to ask them with */
export async function operatorTargets(
  config: HerdConfig,
  env: Environment,
  timeoutMs: number,
): Promise<StatusTarget[]> {
  const [secret] = (await loadSecret(config, env))?.values ?? []
  if (secret === undefined) throw new SecretUnusable(noSecretText(config))
  const ours = config.servers.filter(({ classic }) => !classic)
  return Promise.all(
    ours.map(async ({ name, host, port }) => {
      const encryption = await operatorEncryption(config, name)
      return { name, host, port, herd: config.name, secret, encryption, timeoutMs }
    }),
  )
}

/** How an operator's connection to a server is encrypted: it takes the herd's CA at most. @throws {SecretUnusable} */
export async function operatorEncryption(config: HerdConfig, server: string): Promise<LinkEncryption> {
  const { encryption: mode } = config.link
  if (mode !== 'certificates') return { mode }
  return { mode, certificates: { ca: await loadLinkAuthority(config, server) } }
}

/** Why an operator can ask nothing. */
export function noSecretText(config: HerdConfig): string {
  return config.link.encryption === 'certificates'
    ? 'the status is asked by a secret, also where links have certificates: give HERD_SECRET or secretFile'
    : `no secret in ${config.stateFolder}: the herd was never started from here`
}
