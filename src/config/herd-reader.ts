/** The text of a herd file, the environment and the options → one configuration. Pure: it opens no file. */

import { dirname, resolve } from 'node:path'
import { parseAckLevel } from '../protocol/index.ts'
import { checkedValue } from './checked-value.ts'
import { readDuration } from './duration.ts'
import type { HerdConfig, HerdFile, LogLevel, LogSettings } from './herd-config.ts'
import { graphProblems, isLoopback, neighborsOf, partsProblems, plainHost } from './herd-graph.ts'
import { parseHerdText } from './herd-text.ts'
import { ownProblems, resolvedProviders } from './own-providers.ts'
import { shownValue } from './setting.ts'
import { herdFile } from './settings.ts'
import { didYouMean } from './suggestion.ts'

/** The world around a herd file. */
export interface HerdPlace {
  /** The herd file, absolute: `secretFile` and `keyFile` start at its folder. */
  readonly file: string
  /** The working directory: the state and log folders start there. */
  readonly cwd: string
  readonly env: Environment
  readonly options?: HerdOptions
}

/** The environment variables that we read; one that is empty counts as not set. */
export interface Environment {
  readonly HERD_STATE_FOLDER?: string | undefined
  readonly HERD_LOG_FOLDER?: string | undefined
  readonly HERD_LOG_LEVEL?: string | undefined
  /** The herd's secret, instead of a file. */
  readonly HERD_SECRET?: string | undefined
  /** The key of Google's API, instead of a file. */
  readonly GOOGLE_PLACES_API_KEY?: string | undefined
  /** The bearer token of X's API, instead of a file. */
  readonly X_BEARER_TOKEN?: string | undefined
  /** The password of PostGIS, instead of a file. */
  readonly PGPASSWORD?: string | undefined
  /** The password of the MQTT broker behind the bridge, instead of a file. */
  readonly HERD_MQTT_PASSWORD?: string | undefined
}

/** What was said on the command line; it goes before everything else. */
export interface HerdOptions {
  readonly stateFolder?: string | undefined
  readonly logFolder?: string | undefined
  readonly logLevel?: string | undefined
}

/** A configuration, or everything that is wrong. */
export type HerdReading =
  | { readonly ok: true; readonly config: HerdConfig }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads a herd file's text. Precedence: default, file, environment, option. */
export function readHerd(text: string, place: HerdPlace): HerdReading {
  const parsed = parseHerdText(text)
  if (!parsed.ok) return parsed
  const problems: string[] = []
  // The schema holds, member by member, and the compiler holds its names equal to HerdFile's.
  const file = checkedValue(herdFile, parsed.value, '', problems) as HerdFile
  const level = chosenLevel(place, problems)
  problems.push(...relationProblems(file), ...encryptionProblems(file), ...graphProblems(file))
  problems.push(...ownProblems(file.places))
  // Parts are only worth naming when servers and links are what was meant.
  if (problems.length === 0) problems.push(...partsProblems(file))
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: resolved(file, place, level) }
}

function resolved(file: HerdFile, place: HerdPlace, level: LogLevel | undefined): HerdConfig {
  const { cwd, env, options } = place
  const besideFile = (path: string | undefined) => path && resolve(dirname(place.file), path)
  const stateFolder = resolve(cwd, options?.stateFolder || env.HERD_STATE_FOLDER || file.stateFolder)
  const logFolder = options?.logFolder || env.HERD_LOG_FOLDER || file.logs.folder
  const logs: LogSettings = {
    ...file.logs,
    level: level ?? file.logs.level,
    folder: logFolder ? resolve(cwd, logFolder) : resolve(stateFolder, 'logs'),
  }
  const neighbors = neighborsOf(file)
  const { own, providers, ...places } = file.places
  return deepFrozen({
    name: file.herd,
    file: place.file,
    servers: Object.entries(file.servers).map(([name, server]) => {
      return { name, ...server, host: plainHost(server.host), neighbors: neighbors.get(name) ?? [] }
    }),
    stateFolder,
    secretFile: besideFile(file.secretFile),
    logs,
    places: {
      ...places,
      providers: resolvedProviders(providers, own, dirname(place.file)),
      folder: file.places.folder ? resolve(cwd, file.places.folder) : resolve(stateFolder, 'places'),
      google: { ...file.places.google, keyFile: besideFile(file.places.google.keyFile) },
      x: { ...file.places.x, tokenFile: besideFile(file.places.x.tokenFile) },
      postgis: { ...file.places.postgis, passwordFile: besideFile(file.places.postgis.passwordFile) },
    },
    link: {
      ...file.link,
      caFile: besideFile(file.link.caFile),
      certificateFile: besideFile(file.link.certificateFile),
      keyFile: besideFile(file.link.keyFile),
    },
    limits: file.limits,
    http: file.http,
    clients: {
      open: file.clients.open,
      tokensFile: besideFile(file.clients.tokensFile),
      certificateFile: besideFile(file.clients.certificateFile),
      keyFile: besideFile(file.clients.keyFile),
    },
    mqtt: file.mqtt,
    mqttBridge: {
      ...file.mqttBridge,
      passwordFile: besideFile(file.mqttBridge.passwordFile),
      caFile: besideFile(file.mqttBridge.caFile),
    },
    journal: {
      ...file.journal,
      folder: file.journal.folder ? resolve(cwd, file.journal.folder) : resolve(stateFolder, 'journal'),
    },
    // The schema has seen to it that it is one.
    ack: parseAckLevel(file.ack) ?? { disk: false, peers: 0 },
    forgetAfterSeconds: readDuration(file.forgetAfter),
    warnings: warningsOf(file),
  })
}

// In options and environment the level is text that no schema of the file has seen.
function chosenLevel({ env, options }: HerdPlace, problems: string[]): LogLevel | undefined {
  const sources = [
    ['--log-level', options?.logLevel],
    ['HERD_LOG_LEVEL', env.HERD_LOG_LEVEL],
  ] as const
  for (const [source, level] of sources) {
    if (level === 'traffic' || level === 'events') return level
    if (level) {
      const hint = didYouMean(level, ['traffic', 'events'])
      problems.push(
        `${source}: ${shownValue(level)} is not one of traffic, events${hint || '; for example traffic'}`,
      )
      return undefined
    }
  }
  return undefined
}

function relationProblems(file: HerdFile): string[] {
  const { link, limits, servers, places, journal } = file
  const problems: string[] = []
  if (link.silenceMsMax <= 2 * link.heartbeatMs) {
    problems.push(
      `link.silenceMsMax: ${link.silenceMsMax} must be more than twice link.heartbeatMs (${link.heartbeatMs}); for example ${5 * link.heartbeatMs}`,
    )
  }
  if (!journal.keep && file.ack.startsWith('disk')) {
    problems.push(`ack: ${file.ack} needs a journal, and journal.keep is false; for example memory`)
  }
  for (const name of file.mqttBridge.servers.filter((each) => !Object.hasOwn(servers, each))) {
    problems.push(
      `mqttBridge.servers: there is no server ${shownValue(name)}${didYouMean(name, Object.keys(servers)) || `; for example ${Object.keys(servers)[0]}`}`,
    )
  }
  if (link.redialMsMin > link.redialMsMax) {
    problems.push(
      `link.redialMsMin: ${link.redialMsMin} must not be more than link.redialMsMax (${link.redialMsMax}); for example ${Math.min(200, link.redialMsMax)}`,
    )
  }
  if (link.handshakeLineBytesMax > limits.lineBytesMax) {
    problems.push(
      `link.handshakeLineBytesMax: ${link.handshakeLineBytesMax} must not be more than limits.lineBytesMax (${limits.lineBytesMax}); for example 1024`,
    )
  }
  const { tryMsMax, totalMsMax, cacheEntriesMax, asksInFlightMax } = places.limits
  if (tryMsMax > totalMsMax) {
    problems.push(
      `places.limits.tryMsMax: ${tryMsMax} must not be more than places.limits.totalMsMax (${totalMsMax}); for example ${Math.ceil(totalMsMax / 2)}`,
    )
  }
  if (cacheEntriesMax < asksInFlightMax) {
    problems.push(
      `places.limits.cacheEntriesMax: ${cacheEntriesMax} is less than places.limits.asksInFlightMax (${asksInFlightMax}), and an ask under way takes a place; for example ${10 * asksInFlightMax}`,
    )
  }
  const names = Object.keys(servers).length
  if (limits.serverNamesMax < names) {
    problems.push(
      `limits.serverNamesMax: ${limits.serverNamesMax} is less than the herd's own ${names} servers; for example 4096`,
    )
  }
  if (limits.runsMax < 2 * names) {
    problems.push(
      `limits.runsMax: ${limits.runsMax} is less than two for each of the herd's ${names} servers, and each start of one is a run; for example ${Math.max(1024, 4 * names)}`,
    )
  }
  return problems
}

/** What `link.encryption` takes: files for certificates; a network that is nobody else's for none. */
function encryptionProblems({ link, servers }: HerdFile): string[] {
  if (link.encryption === 'certificates') {
    const missing = (['caFile', 'certificateFile', 'keyFile'] as const).filter((name) => !link[name])
    return missing.map(
      (name) =>
        `link.${name}: is missing; link.encryption certificates takes it, for example tls/${name}.pem`,
    )
  }
  if (link.encryption !== 'none') return []
  const exposed = Object.entries(servers).filter(([, { host, classic }]) => !classic && !isLoopback(host))
  return exposed.map(
    ([name, { host }]) =>
      `link.encryption: none is for servers on loopback, and servers.${name}.host is ${shownValue(host)}; for example psk`,
  )
}

// Links between our servers are encrypted; what clients and classic servers say is not.
function warningsOf(file: HerdFile): string[] {
  const hosts = Object.entries(file.servers)
    .filter(([, { host }]) => !isLoopback(host))
    .map(([name, { host, classic }]) =>
      classic
        ? `servers.${name}.host: ${host} is not a loopback address. What is said with a classic server is not encrypted, and it is believed by its address: use a network that you trust.`
        : `servers.${name}.host: ${host} is not a loopback address. Whoever reaches it may report as any client, and what clients say is not encrypted.`,
    )
  return [...hosts, ...ackWarnings(file)]
}

// Servers may join later, so a herd that can't acknowledge yet is no error.
function ackWarnings(file: HerdFile): string[] {
  const peers = parseAckLevel(file.ack)?.peers ?? 0
  return [...neighborsOf(file)].flatMap(([name, neighbors]) => {
    const able = neighbors.filter((neighbor) => file.servers[neighbor]?.classic === false).length
    if (file.servers[name]?.classic !== false || able >= peers) return []
    return [
      `ack: ${file.ack} can't be reached at ${name}: of its neighbors ${able} can acknowledge. Every report there waits for limits.ackMsMax.`,
    ]
  })
}

function deepFrozen<T extends object>(value: T): T {
  Object.freeze(value)
  // What is for a provider of the user's own may have itself in it, by an alias of YAML.
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null && !Object.isFrozen(member)) deepFrozen(member)
  return value
}
