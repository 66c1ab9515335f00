/**
 * The secrets: the herd's, that a link must know, certificates of links, and the key of a provider of places. They
 * are read here, are never part of the configuration, and are in no message: errors name the place they came from.
 */
import { randomBytes, X509Certificate } from 'node:crypto'
import { link, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type Environment, type HerdConfig, isLoopback, type ProviderName } from './config.ts'
import type { ClientCertificate } from './gateways/client-tls.ts'
import type { LinkCertificates } from './replication/link-security.ts'

const SECRET_BYTES_MIN = 16
const SECRET_BYTES = 32
const SECRET_FILE_BYTES_MAX = 4096
const PEM_FILE_BYTES_MAX = 1024 * 1024
/** The one that is used, and the one that it takes the place of or that takes its place. */
const SECRETS_MAX = 2
const OTHERS_MAY_READ = 0o077

/** A secret or a key that is missing, too short, or can't be read or made. */
export class SecretUnusable extends Error {
  override readonly name = 'SecretUnusable'
}

/** Takes a sentence about a secret that works, but isn't kept well. */
export type Warn = (text: string) => void

/** The herd's secret, or both while it is changed. */
export interface HerdSecret {
  /** One or two: the first is used to dial, each is accepted. None where links are proved by certificates alone. */
  readonly values: readonly Buffer[]
  /**
   * `given`: by HERD_SECRET or `secretFile`, or certificates do. `kept`: in the state folder. `made`: there, just now.
   * `unavailable`: nobody else has it, and no link can be made.
   */
  readonly source: 'given' | 'kept' | 'made' | 'unavailable'
  /** HERD_SECRET or a file; why there is none, where it is unavailable. */
  readonly from: string
}

/**
 * Returns the herd's secret: HERD_SECRET, or what `secretFile` holds, or what is in the state folder, where
 * 32 random bytes are put as hex when there is none. Servers that start together get the same one. When it can't be
 * put there, the secret is one that nobody else knows. Where links are proved by certificates, none is made.
 * A secret is a line of text: the same characters in a file and in HERD_SECRET are the same secret. Two lines are two.
 *
 * @throws {SecretUnusable} when there is one that can't be used
 */
export async function loadOrMakeSecret(
  config: HerdConfig,
  env: Environment,
  warn: Warn = () => {},
): Promise<HerdSecret> {
  const secret = await loadSecret(config, env, warn)
  if (secret !== undefined) return secret
  if (config.link.encryption === 'certificates') return { values: [], source: 'given', from: 'certificates' }
  const file = madeSecretFile(config)
  const trouble = await makeSecretFile(file)
  if (trouble !== null) {
    const from = `the herd's secret can't be made in ${dirname(file)} (${trouble}); give HERD_SECRET or secretFile`
    return { values: [randomBytes(SECRET_BYTES)], source: 'unavailable', from }
  }
  // Ours or that of a server that was faster.
  const text = await readSecretFile(file, warn)
  return { values: checkedSecrets(text, file), source: 'made', from: file }
}

/** Where a herd's secret may be; a herd's configuration says so. */
export type SecretPlace = Pick<HerdConfig, 'name' | 'stateFolder' | 'secretFile'> & {
  readonly link: Pick<HerdConfig['link'], 'encryption'>
}

/**
 * Returns the herd's secret, or undefined when the herd has not made one yet.
 *
 * @throws {SecretUnusable}
 */
export async function loadSecret(
  config: SecretPlace,
  env: Environment,
  warn: Warn = () => {},
): Promise<HerdSecret | undefined> {
  const given = (text: string, from: string): HerdSecret => {
    return { values: checkedSecrets(text, from), source: 'given', from }
  }
  if (env.HERD_SECRET) return given(env.HERD_SECRET, 'HERD_SECRET')
  if (config.secretFile !== undefined) {
    const text = await readSecretFile(config.secretFile, warn)
    if (text === undefined) throw new SecretUnusable(`secretFile: there is no file ${config.secretFile}`)
    return given(text, config.secretFile)
  }
  // One that was made here is known on this machine only, and certificates are for several.
  if (config.link.encryption === 'certificates') return undefined
  const file = madeSecretFile(config)
  const text = await readSecretFile(file, warn)
  return text === undefined ? undefined : { values: checkedSecrets(text, file), source: 'kept', from: file }
}

/**
 * Returns what whoever starts these servers should know of a secret that was made just now: it must be carried to
 * the other machines. Undefined when there are none.
 */
export function secretNotice(
  secret: HerdSecret,
  config: HerdConfig,
  names: readonly string[],
): string | undefined {
  const isExposed = config.servers.some(
    ({ name, host, neighbors }) => names.includes(name) && neighbors.length > 0 && !isLoopback(host),
  )
  if (secret.source !== 'made' || !isExposed) return undefined
  return `the herd's secret was made just now, in ${secret.from}: servers on other machines take the same one, by HERD_SECRET or secretFile, or there is no link with them`
}

/**
 * Returns a server's certificates, where `link.encryption` is `certificates`; undefined elsewhere.
 *
 * @throws {SecretUnusable}
 */
export async function loadLinkCertificates(
  config: HerdConfig,
  server: string,
  warn: Warn = () => {},
): Promise<LinkCertificates | undefined> {
  const { encryption, caFile, certificateFile, keyFile } = config.link
  if (encryption !== 'certificates') return undefined
  const [ca, certificate, key] = await Promise.all([
    readPemFile('link.caFile', caFile, server),
    readPemFile('link.certificateFile', certificateFile, server),
    readPemFile('link.keyFile', keyFile, server, warn),
  ])
  try {
    createSecureContext({ ca, cert: certificate, key })
  } catch (error) {
    throw new SecretUnusable(`the certificate or key of ${server} can't be used (${codeOf(error)})`, {
      cause: error,
    })
  }
  if (new X509Certificate(certificate).checkHost(server, { wildcards: false }) === undefined) {
    throw new SecretUnusable(
      `the certificate of ${server} is not for the name ${server}: its neighbors won't have it`,
    )
  }
  return { ca, certificate, key }
}

/**
 * Returns what clients that encrypt are shown; undefined where the herd file names no certificate.
 *
 * @throws {SecretUnusable}
 */
export async function loadClientCertificate(
  { clients: { certificateFile, keyFile } }: Pick<HerdConfig, 'clients'>,
  server: string,
  warn: Warn = () => {},
): Promise<ClientCertificate | undefined> {
  if (certificateFile === undefined && keyFile === undefined) return undefined
  const [certificate, key] = await Promise.all([
    readPemFile('clients.certificateFile', certificateFile, server),
    readPemFile('clients.keyFile', keyFile, server, warn),
  ])
  try {
    createSecureContext({ cert: certificate, key })
  } catch (error) {
    throw new SecretUnusable(`clients.certificateFile or clients.keyFile can't be used (${codeOf(error)})`, {
      cause: error,
    })
  }
  return { certificate, key }
}

/** Returns the text of `link.caFile`, which is all that an operator needs of certificates. @throws {SecretUnusable} */
export function loadLinkAuthority(config: HerdConfig, server: string): Promise<string> {
  return readPemFile('link.caFile', config.link.caFile, server)
}

async function readPemFile(
  setting: string,
  path: string | undefined,
  server: string,
  warn?: Warn,
): Promise<string> {
  const file = path?.replaceAll('{server}', server)
  const text = file && (await readSecretFile(file, warn ?? (() => {}), PEM_FILE_BYTES_MAX))
  if (text) return text
  throw new SecretUnusable(`${setting}: there is no file ${file}`)
}

/** What opens the paid or closed sources of places; undefined where there is none. */
export interface PlacesSecrets {
  /** The key of Google's APIs. */
  readonly google: string | undefined
  /** The bearer token of X's API. */
  readonly x: string | undefined
  /** The password of the PostGIS database. */
  readonly postgis: string | undefined
}

/** What opens the MQTT broker behind the bridge; undefined where there is none. */
export interface MqttBridgeSecrets {
  readonly password: string | undefined
  /** Certificates of those who may sign for it, in PEM. */
  readonly ca: string | undefined
}

/** Returns what opens the MQTT broker that the herd file names. @throws {SecretUnusable} */
export async function loadMqttBridgeSecrets(
  { mqttBridge: { url, passwordFile, caFile } }: Pick<HerdConfig, 'mqttBridge'>,
  env: Environment,
  server: string,
  warn: Warn = () => {},
): Promise<MqttBridgeSecrets> {
  if (url === undefined) return { password: undefined, ca: undefined }
  const at = { variable: 'HERD_MQTT_PASSWORD', setting: 'mqttBridge.passwordFile', warn }
  return {
    password: await findKey({ ...at, file: passwordFile, value: env.HERD_MQTT_PASSWORD }),
    ca: caFile === undefined ? undefined : await readPemFile('mqttBridge.caFile', caFile, server),
  }
}

/** Providers that can't be asked without a key, and what is said of one that has none. */
const NEED_KEYS: readonly {
  readonly name: ProviderName
  readonly secret: keyof PlacesSecrets
  readonly lacks: string
  readonly remedy: string
}[] = [
  ...(['google', 'google-legacy'] as const).map((name) => ({
    ...({ name, secret: 'google', lacks: 'key' } as const),
    remedy: 'GOOGLE_PLACES_API_KEY or places.google.keyFile',
  })),
  { name: 'x', secret: 'x', lacks: 'bearer token', remedy: 'X_BEARER_TOKEN or places.x.tokenFile' },
]

/**
 * Returns the keys of those providers that the herd file names: out of the environment, else out of their files. A
 * provider that is named and has no key is left out, with a warning, when another one remains.
 *
 * @throws {SecretUnusable} also when no provider remains
 */
export async function loadPlacesSecrets(
  { places }: HerdConfig,
  env: Environment,
  warn: Warn = () => {},
): Promise<PlacesSecrets> {
  const named = (...names: readonly ProviderName[]) => names.some((name) => places.providers.includes(name))
  const find = (name: keyof PlacesSecrets, variable: keyof Environment, setting: string, file?: string) =>
    findKey({ variable, setting: `places.${name}.${setting}`, file, value: env[variable], warn })
  const google = named('auto', 'google', 'google-legacy')
    ? await find('google', 'GOOGLE_PLACES_API_KEY', 'keyFile', places.google.keyFile)
    : undefined
  const x = named('x') ? await find('x', 'X_BEARER_TOKEN', 'tokenFile', places.x.tokenFile) : undefined
  const postgis = named('postgis')
    ? await find('postgis', 'PGPASSWORD', 'passwordFile', places.postgis.passwordFile)
    : undefined
  const secrets = { google, x, postgis }
  const lacking = NEED_KEYS.filter(({ name, secret }) => named(name) && secrets[secret] === undefined)
  const isOneLeft = places.providers.length > lacking.length
  for (const { name, lacks, remedy } of lacking) {
    const text = `places.providers has ${name}, but there is no ${lacks}: set ${remedy}`
    if (!isOneLeft) throw new SecretUnusable(`${text}, or use the provider embedded`)
    warn(`${text}; until then ${name} is left out`)
  }
  return secrets
}

async function findKey(at: {
  readonly variable: string
  readonly setting: string
  readonly file: string | undefined
  readonly value: string | undefined
  readonly warn: Warn
}): Promise<string | undefined> {
  if (at.value) return checkedKey(at.value, at.variable)
  if (at.file === undefined) return undefined
  const text = await readSecretFile(at.file, at.warn)
  if (text === undefined) throw new SecretUnusable(`${at.setting}: there is no file ${at.file}`)
  return checkedKey(text, at.file)
}

function madeSecretFile(config: SecretPlace): string {
  return join(config.stateFolder, `${config.name}.secret`)
}

// Returns the system's word for why it can't. Linking a file that is complete is what makes it all or nothing: one
// server wins, nobody reads half of it.
async function makeSecretFile(file: string): Promise<string | null> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(draft, `${randomBytes(SECRET_BYTES).toString('hex')}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    })
    // Another server may have been faster.
    await link(draft, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
    return null
  } catch (error) {
    return codeOf(error)
  } finally {
    await rm(draft, { force: true }).catch(() => {}) // a draft that can't be removed harms nobody
  }
}

// One open file for the mode and the content, so that both are of the same file.
async function readSecretFile(
  file: string,
  warn: Warn,
  bytesMax = SECRET_FILE_BYTES_MAX,
): Promise<string | undefined> {
  try {
    await using handle = await open(file, 'r')
    const { mode, size } = await handle.stat()
    if (size > bytesMax) {
      throw new SecretUnusable(`${file} holds no secret: it is larger than ${bytesMax} bytes`)
    }
    if ((mode & OTHERS_MAY_READ) !== 0) {
      warn(`${file} may be read or changed by others; close it to them with: chmod 600 ${file}`)
    }
    return await handle.readFile('utf8')
  } catch (error) {
    if (error instanceof SecretUnusable) throw error
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw new SecretUnusable(`${file} can't be read (${codeOf(error)})`, { cause: error })
  }
}

function checkedSecrets(text: string | undefined, source: string): Buffer[] {
  const lines = (text ?? '').split('\n').map((line) => line.trim())
  const secrets = lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'utf8'))
  if (secrets.length > SECRETS_MAX) {
    throw new SecretUnusable(
      `${source} holds ${secrets.length} lines, but a herd has at most two secrets at a time`,
    )
  }
  const shortest = Math.min(...secrets.map(({ length }) => length))
  if (secrets.length > 0 && shortest >= SECRET_BYTES_MIN) return secrets
  throw new SecretUnusable(
    `the herd's secret in ${source} has ${secrets.length > 0 ? shortest : 0} bytes, but needs at least ${SECRET_BYTES_MIN}; for example the output of: openssl rand -hex 32`,
  )
}

// A key becomes part of a URL and of nothing else: what a header or a log could trip over is no key.
function checkedKey(text: string, source: string): string {
  const key = text.trim()
  if (/^[\x21-\x7e]{1,256}$/.test(key)) return key
  throw new SecretUnusable(`the key in ${source} is not 1 to 256 visible ASCII characters`)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
