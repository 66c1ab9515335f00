import { type HerdConfig, isLoopback, type ServerSettings } from '../config.ts'
import { makeCounters } from '../counters.ts'
import { AddressBook } from '../gateways/address-book.ts'
import { SearchTurns } from '../gateways/calls/search-turns.ts'
import { Port } from '../gateways/port.ts'
import type { HashKey } from '../locations/index.ts'
import { ServerLog } from '../logs/server-log.ts'
import { CommandParser, OutputBuffer } from '../protocol/index.ts'
import { Acks } from '../replication/acks.ts'
import { AtReader } from '../replication/at-reader.ts'
import { NONCE_BYTES } from '../replication/handshake.ts'
import { makeLinkKeys } from '../replication/link-keys.ts'
import { type LinkCertificates, type LinkEncryption, LinkSecurity } from '../replication/link-security.ts'
import { Links } from '../replication/links.ts'
import { Members } from '../replication/members.ts'
import type { NeighborAddress } from '../replication/neighbor.ts'
import { Replica } from '../replication/replica.ts'
import type { ServerStatus } from '../replication/status.ts'
import { Sweeper } from '../replication/sweeper.ts'
import type { HerdSecret } from '../secret.ts'
import type { JournalLink } from '../storage/index.ts'
import { realSystem } from '../system.ts'
import { openGateways, type ServerGateways } from './gateways.ts'
import { HerdHealth } from './health.ts'
import { ackObjection, openJournal } from './journal.ts'
import { herdStatus, noticeReady, readyText } from './members.ts'
import type { RunningServer, ServerOptions } from './options.ts'
import { openPlaces, type ServerPlaces } from './places.ts'
import { makeStatus } from './status.ts'

const LOOPBACK = '127.0.0.1'

/** There is no server of that name in the herd, or it is one that isn't ours to start. */
export class NoSuchServer extends Error {
  override readonly name = 'NoSuchServer'
}

/**
 * Starts one server of a herd. The only place that knows every layer: what is made here is handed down, and ended
 * in the opposite order.
 *
 * @param secret the herd's: whoever holds it is believed. Without one the server listens on loopback only.
 * @throws {NoSuchServer}; what the file system says when the log can't be made; what the system says when the
 *   port can't be had, `EADDRINUSE` among others.
 */
export async function startServer(
  config: HerdConfig,
  name: string,
  secret: HerdSecret,
  { placesSecrets, certificates, clientCertificate, mqttBridgeSecrets, report }: ServerOptions,
): Promise<RunningServer> {
  const self = findServer(config, name)
  const system = realSystem
  const startedMs = system.nowMs()
  const counters = makeCounters()
  const run = system.randomBytes(NONCE_BYTES).toString('hex')
  const log = new ServerLog({
    folder: config.logs.folder,
    server: name,
    traffic: config.logs.level === 'traffic',
    limits: config.logs,
    wallMs: system.wallMs,
    dropped: () => counters.logDropped++,
    trouble: (text) => report({ level: 'warning', event: 'log', text }),
  })
  // Where no secret can be kept, in the state folder, no journal can either.
  const keepsJournal = config.journal.keep && secret.source !== 'unavailable'
  const limits = { ...config.limits, ...config.link, forgetAfterSeconds: config.forgetAfterSeconds }
  const replica = new Replica(limits, randomKey(), { server: name, id: run })
  const wake = (): void => {
    links.wake()
    journal?.wake()
    gateways?.wake()
  }
  const acks = new Acks(replica, wake)
  const parser = new CommandParser()
  const reader = new AtReader(parser, replica.names)
  const nameBytes = Buffer.from(name)
  const server = replica.names.indexOf(nameBytes, 0, nameBytes.length)
  const nextConnection = countFrom(1)
  const shared = { replica, parser, counters, log, system, limits, nextConnection }
  const world = { nowMs: system.nowMs, readClock: system.readClock, randomKey }
  const { randomBytes, readClock } = system
  const keys = makeLinkKeys(secret.values, config.name)
  const { forgetAfterSeconds } = config
  const host = hostOf(self, secret, report)
  const at = { host, port: self.port }
  const identity = { herd: config.name, name, run, at, keys, forgetAfterSeconds, randomBytes, readClock }
  const security = new LinkSecurity(encryptionOf(config, certificates), config.name, name, keys)
  const members = new Members({ name, ...at, version: system.wallMs(), run }, limits.serverNamesMax)
  const places = await openPlaces(config, {
    ...{ server: name, secrets: placesSecrets, log, world: system, report },
    keepsState: secret.source !== 'unavailable',
    isReachable: (member) => members.reachable().has(member),
  }).catch(async (error: unknown) => {
    await log.close()
    throw error
  })
  const health = new HerdHealth({
    ...{ herd: config.name, name, run, replica, counters, members, forgetAfterSeconds, system },
    ...{ rowsMax: limits.serverNamesMax, http: config.http.on, mqtt: config.mqtt.on },
    links: () => links,
    connections: () => addresses.connections,
    watchers: () => gateways?.hub.watchers ?? 0,
    budgets: () => places.status.budgets,
  })
  const isWaitedFor = (): boolean => acks.isForPeers
  const left = Promise.withResolvers<void>()
  const onRefused = (neighbor: string, reason: string): void =>
    report({ level: 'warning', event: 'no link', text: `no link with ${neighbor}: ${reason}` })
  const links = new Links(
    {
      ...shared,
      reader,
      world,
      forgetAfterSeconds,
      isWaitedFor,
      members,
      identity,
      security,
      onRefused,
      budgets: places.budgets,
      health: health.flood,
    },
    {
      status: () => status(),
      members: () => herdStatus(config, name, members, links),
      giveUp: (member) => members.giveUp(member),
      leave: async () => {
        log.event('info', 'leaving the herd')
        members.announce({ state: 'left' })
        await hangUp()
      },
      left: left.resolve,
    },
  )
  const status = (): ServerStatus =>
    makeStatus({
      ...{ server: name, herd: config.name, run, upSeconds: (system.nowMs() - startedMs) / 1000 },
      ...{ table: replica.table, connections: addresses.connections, links, members },
      ...{ counters, places, wallMs: system.wallMs(), keepsJournal: journal !== null },
      view: health.view(),
    })
  let hungUp: Promise<void> | undefined
  const hangUp = (): Promise<void> => {
    // Clients first: what they are told last is still owed to the neighbors, and sent before the links close.
    hungUp ??= Promise.all([port?.stop(), gateways?.stop()]).then(() => links.stop())
    return hungUp
  }
  const checkReady = noticeReady(links, system.nowMs, (tookMs) => {
    const text = readyText(replica.table.clients, tookMs, links.ownNeighbors)
    log.event('info', 'ready', { clients: replica.table.clients, tookMs: Math.round(tookMs) })
    report({ level: 'info', event: 'ready', text })
  })
  let journal: JournalLink | null = null
  replica.listen({
    owed: wake,
    claimed: () => {
      acks.advance()
      checkReady()
    },
  })
  let gateways: ServerGateways | null = null
  let port: Port | null = null
  const addresses = new AddressBook(config.limits)
  const callsContext = {
    ...{ replica, acks, counters, log, system, server, limits, addresses },
    ...{ ack: config.ack, clock: links, searchTurns: new SearchTurns(), findPlaces: places.find },
  }
  const sweeper = new Sweeper(replica, system, counters)
  try {
    journal = keepsJournal ? await openJournal(config, name, { ...shared, reader, acks, report }) : null
    gateways = await openGateways(config, {
      ...{ ...callsContext, links, health, status, report, name, isExposed: !isLoopback(host) },
      ...{ certificate: clientCertificate, mqttBridgeSecrets },
      serve: (socket, connection) => port?.serve(socket, connection),
    })
    port = new Port({
      ...{ ...shared, ...callsContext, links, output: new OutputBuffer() },
      now: { seconds: 0, nanoseconds: 0 },
      ackObjection: (level) => ackObjection(level, keepsJournal, links.ownNeighbors),
      ...{ takers: gateways.takers, gatekeeper: gateways.gatekeeper, hub: gateways.hub },
    })
    const listening = await port.listen(host, self.port)
    for (const also of self.alsoPorts) await port.listen(host, also)
    log.event('info', 'server up', {
      server: name,
      herd: config.name,
      host,
      port: listening,
      also: self.alsoPorts.join(' '),
      run,
    })
    await links.start(neighborAddresses(config, self))
    health.start()
    if (config.forgetAfterSeconds !== Number.POSITIVE_INFINITY) sweeper.start()
    checkReady()
    return {
      name,
      address: { host, port: listening, alsoPorts: self.alsoPorts },
      left: left.promise,
      stop: () => {
        sweeper.stop()
        health.stop()
        return stopInOrder(hangUp, places, journal, log)
      },
    }
  } catch (error) {
    await Promise.all([port?.stop(), gateways?.stop()])
    await places.close()
    await journal?.stop()
    log.event('error', 'can’t start', { error: error instanceof Error ? error.message : String(error) })
    await log.close()
    throw error
  }
}

async function stopInOrder(
  hangUp: () => Promise<void>,
  places: ServerPlaces,
  journal: JournalLink | null,
  log: ServerLog,
): Promise<void> {
  log.event('info', 'server stopping')
  await hangUp()
  await places.close()
  await journal?.stop()
  log.event('info', 'server down')
  await log.close()
}

function findServer(config: HerdConfig, name: string): ServerSettings {
  const self = config.servers.find((server) => server.name === name)
  const names = config.servers.filter((server) => !server.classic).map((server) => server.name)
  if (self === undefined) {
    throw new NoSuchServer(`no server ${name} in herd ${config.name}; there are ${names.join(', ')}`)
  }
  if (self.classic)
    throw new NoSuchServer(
      `${name} is a classic server: it isn't started by Herd; ours are ${names.join(', ')}`,
    )
  return self
}

/** A server that nobody can prove anything to is reached from its own machine only, and says so. */
function hostOf(self: ServerSettings, secret: HerdSecret, report: ServerOptions['report']): string {
  if (secret.source !== 'unavailable') return self.host
  const host = isLoopback(self.host) ? self.host : LOOPBACK
  const text = `${secret.from}; until then this server listens on ${host} only and has no link`
  report({ level: 'warning', event: 'no secret', text })
  return host
}

function encryptionOf(config: HerdConfig, certificates: LinkCertificates | undefined): LinkEncryption {
  const { encryption: mode } = config.link
  return mode === 'certificates' ? { mode, certificates: certificates ?? {} } : { mode }
}

function neighborAddresses(config: HerdConfig, self: ServerSettings): NeighborAddress[] {
  return config.servers.filter((server) => self.neighbors.includes(server.name))
}

function randomKey(): HashKey {
  const bytes = realSystem.randomBytes(12)
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8)]
}

function countFrom(first: number): () => number {
  let next = first
  return () => next++
}
