import type { Encryption } from '../load/targets.ts'
import { whyNoHerd } from '../servers/herd-server.ts'
import { hasLinkEncryption } from '../servers/link-encryption.ts'
import type { BenchContext } from './contender.ts'
import type { Measurable } from './rounds.ts'

/** A herd with links of one kind. */
export function herdWithLinks<Measured>(
  encryption: Encryption,
  measure: (encryption: Encryption, context: BenchContext) => Promise<Measured>,
): Measurable<Measured> {
  return {
    name: encryption === 'none' ? 'herd-plain' : 'herd-psk',
    title: encryption === 'none' ? 'herd, links plain' : 'herd, links encrypted',
    missing: () => whyNoHerd() ?? (encryption === 'none' || hasLinkEncryption() ? undefined : NO_ENCRYPTION),
    measure: (context) => measure(encryption, context),
  }
}

const NO_ENCRYPTION = 'this version has no link.encryption, all its links are plain'
