/**
 * What a server counts, one row a name. The names are the metrics' names, and docs/operating.md explains each
 * from this table. Counting is adding one to a field: cheap enough for the hot path.
 */
const MEANINGS = {
  iamats: 'IAMAT commands answered',
  reports: 'reports taken by other protocols than lines',
  reportsRefusedForRate: 'those refused by `limits.fixesPerSecondPerAddressMax`',
  whatsats: 'WHATSAT commands answered',
  whosats: 'WHOSAT commands answered',
  watchersRefused: 'watchers refused by `limits.watchersMax` or `limits.watchesPerConnectionMax`',
  tokensMissing:
    'clients turned away that showed no token, or came from another machine while there are none',
  tokensWrong: 'clients turned away that showed a token that is none',
  notAllowed: 'commands refused because the client’s token is not for them',
  mqttConnects: 'MQTT clients that were admitted',
  mqttPublishes: 'messages that MQTT clients published',
  mqttRefused: 'messages of MQTT clients that were not kept: broken, or not allowed',
  owntracksLeftOut:
    'OwnTracks messages over HTTP that were not kept: no place or no time, and no setting would mend that',
  mqttFixesOut: 'fixes sent to MQTT clients',
  mqttMessagesTooLong: 'MQTT connections closed by `mqtt.messageBytesMax`',
  mqttConnectsLate: 'MQTT connections closed by `mqtt.connectMsMax`',
  mqttSubscriptionsRefused:
    'subscriptions refused: by `mqtt.subscriptionsPerConnectionMax`, to nothing that there is, or not allowed',
  mqttRetainedRefused: 'messages not retained, by `mqtt.retainedMax` or `mqtt.retainedBytesMax`',
  mqttQueuedDropped: 'messages dropped from sessions by `mqtt.queuedMax`',
  mqttSessionsEnded: 'sessions ended by `mqtt.sessionsMax`',
  mqttSlowDropped:
    'messages besides fixes that MQTT clients were not sent, because they take them too slowly',
  mqttBridgeIn: 'reports taken from the broker behind `mqttBridge`',
  mqttBridgeRefused: 'messages from there that were no reports, or not kept',
  mqttBridgeOut: 'fixes published there',
  mqttBridgeLost: 'times that the connection there was lost, or could not be made',
  invalid: 'lines answered with `? `',
  fixesNew: 'fixes that were new here, from clients and neighbors',
  fixesNotNew: 'fixes that were older than or the same as what was known',
  fixesTooOld: 'fixes that were older than `forgetAfter`',
  clientsForgotten: 'clients removed because their last fix was older than `forgetAfter`',
  searchesLong: 'searches that took more than one turn',
  linkLinesIn: 'AT lines taken from neighbors',
  linkLinesOut: 'AT lines sent to neighbors',
  linkBatchesOut: 'batches of AT lines sent to neighbors',
  linkLinesBad: 'lines from neighbors that were no AT line',
  audits: 'times that a table was summed up to compare it with a neighbor’s',
  auditsFailed: 'times that two tables differed which should not have: an alarm; they are repaired',
  linksOpened: 'links made',
  linksLost: 'links lost',
  greetingsRefused: 'greetings refused: wrong herd, wrong name or wrong secret',
  tlsFailed:
    'TLS connections that failed before a greeting: wrong secret, too slow, or no TLS at all; links and clients',
  connectionsOpened: 'connections accepted',
  connectionsRefused: 'connections refused by `limits.connectionsMax` or `limits.connectionsPerAddressMax`',
  linesTooLong: 'connections closed by `limits.lineBytesMax`',
  firstLinesLate: 'connections closed by `limits.firstLineMsMax`',
  httpRequests: 'HTTP requests answered',
  httpRefused:
    'connections closed because what came was no HTTP, too large or too late, or by `http.pendingMax`; where HTTP is off, because they began with an HTTP request',
  slowReadersDropped: 'connections dropped by `limits.slowReaderMsMax`',
  pausesForWhatsats: 'pauses of reading by `limits.pendingWhatsatsMax`',
  pausesForReplies: 'pauses of reading by `limits.replyBytesMax`',
  pausesForRate: 'pauses of reading by `limits.fixesPerSecondPerAddressMax`',
  clockRefusals: 'reports refused because this server’s clock is off by `link.clockOffsetMsMax`',
  acksLate: 'reports that were answered before their level was reached, by `limits.ackMsMax`',
  tableFull: 'fixes refused by `limits.clientsMax` or `limits.tableBytesMax`',
  serverNamesFull: 'AT lines refused by `limits.serverNamesMax`',
  journalBatches: 'batches written to the journal and synced',
  journalFailures: 'times that the journal could not be written',
  journalFailing: '1 while the journal can’t be written and what is new is in memory only, else 0',
  logDropped: 'log events dropped by `logs.bufferBytesMax` or by a disk that takes no more',
} as const

/** The name of a counter. */
export type CounterName = keyof typeof MEANINGS

/** All counters of one server, from 0 at its start. */
export type Counters = Record<CounterName, number>

/** Every counter with what it counts, in the order of the docs. */
export const counterMeanings: Readonly<Record<CounterName, string>> = MEANINGS

/** Makes counters that all stand at 0. */
export function makeCounters(): Counters {
  return Object.fromEntries(Object.keys(MEANINGS).map((name) => [name, 0])) as Counters
}
