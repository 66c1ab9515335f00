/**
 * The table of settings: every name that a herd file may hold, with its type, range, default, an example
 * and its meaning. Validation, defaults and the table in docs/operating.md are all read from here.
 */
import { Type } from 'typebox'
import { ITEMS_MAX } from '../protocol/index.ts'
import { DURATION_PATTERN, DURATION_TEXT } from './duration.ts'
import type {
  ClientSettings,
  HerdFile,
  HttpSettings,
  JournalSettings,
  LimitSettings,
  LinkEntry,
  LogSettings,
  MapSettings,
  ServerEntry,
} from './herd-config.ts'
import { mqtt, mqttBridge } from './mqtt-settings.ts'
import { places } from './places-settings.ts'
import { GIB, group, KIB, MIB, oneOf, text, wholeNumber } from './schema.ts'

const DAY_MS = 86_400_000

/** What a herd or a server may be called: also a file name on any disk, and one field of a line. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_.-]{0,63}$'

/** `NAME_PATTERN` in words. */
export const NAME_TEXT = 'a name (a letter, then at most 63 letters, digits, `_`, `.` or `-`)'

// A host name, an IPv4 address, or an IPv6 address with or without brackets.
const HOST_PATTERN =
  '^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\\[?[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\\]?)$'

const ALLOWED_HOST_PATTERN = '^(?:\\*|[A-Za-z0-9.-]+)$'
const ORIGIN_PATTERN = '^(?:\\*|https?://[A-Za-z0-9.\\[\\]:-]+)$'

const logs = group<Omit<LogSettings, 'folder'> & { folder?: string }>('Each server has a log of its own.', {
  folder: text('logs', 'Where the logs go. A relative path starts at the working directory.', {
    defaultText: '`logs` in the state folder',
  }),
  level: oneOf(
    ['traffic', 'events'],
    'traffic',
    '`traffic`: every line in and out, and all events. `events`: connections, links, errors.',
  ),
  fileBytesMax: wholeNumber(64 * KIB, 1024 * GIB, 256 * MIB, 'Size of a log file before the next is begun.'),
  filesMax: wholeNumber(1, 10_000, 8, 'Log files kept for each server; the oldest goes first.'),
  bufferBytesMax: wholeNumber(
    64 * KIB,
    GIB,
    4 * MIB,
    'Log text waiting for the disk; what is beyond it is dropped and counted.',
  ),
})

const link = group<LinkEntry>('Links between servers.', {
  encryption: oneOf(
    ['psk', 'certificates', 'none'],
    'psk',
    'Links are in TLS. `psk`: keyed by the secret. `certificates`: by certificates, and the secret where there is one. `none`: plain; on loopback only. The same for all servers of the herd.',
  ),
  caFile: pemFile('ca', 'Certificates of those who may sign for a server, in PEM.'),
  certificateFile: pemFile('{server}', "A server's certificate in PEM, for its name in the herd."),
  keyFile: pemFile('{server}.key', "The key of a server's certificate, in PEM."),
  heartbeatMs: wholeNumber(10, 3_600_000, 1000, 'A link that has nothing to say says so this often.'),
  silenceMsMax: wholeNumber(
    21,
    DAY_MS,
    5000,
    'A link that hears nothing for this long is dropped and redialed.',
  ),
  progressMsMax: wholeNumber(
    21,
    DAY_MS,
    10_000,
    'A link whose neighbor has not got to a ping for this long is dropped and redialed.',
  ),
  handshakeMsMax: wholeNumber(10, 600_000, 2000, 'Time for both sides of a new link to prove themselves.'),
  handshakeLineBytesMax: wholeNumber(512, MIB, KIB, 'Length of a line on a link that has not proved itself.'),
  redialMsMin: wholeNumber(1, 3_600_000, 200, 'Shortest wait before a lost link is dialed again.'),
  redialMsMax: wholeNumber(1, DAY_MS, 30_000, 'Longest wait before a lost link is dialed again.'),
  batchBytesMax: wholeNumber(KIB, 64 * MIB, 64 * KIB, 'AT lines that are handed to a link at a time.'),
  batchMs: wholeNumber(
    0,
    60_000,
    0,
    'What is new waits for so long for more, and then goes to a neighbor in one batch; 0: it goes at once.',
  ),
  claimMs: wholeNumber(
    1,
    60_000,
    100,
    'A neighbor is told at most so often what is held here; at once when somebody waits for it.',
  ),
  auditMs: wholeNumber(
    100,
    DAY_MS,
    60_000,
    'How often two servers that hold the same, and are quiet, look whether they do.',
  ),
  joinedMax: wholeNumber(
    0,
    1000,
    64,
    'Servers that may have a link with this one and are no neighbors of it in its herd file (`herd join`); 0: none.',
  ),
  joinedGoneMs: wholeNumber(
    100,
    DAY_MS,
    DAY_MS,
    'A server that joined and has been gone for so long is dialed no more; it may come again.',
  ),
  clockOffsetMsMax: wholeNumber(
    10,
    DAY_MS,
    5000,
    'A server whose clock is further than this from most of its neighbors’ refuses reports, and goes on with the rest.',
  ),
})

const journal = group<Omit<JournalSettings, 'folder'> & { folder?: string }>(
  'What a server keeps on its disk, so that a restart forgets nothing.',
  {
    keep: Type.Optional(
      Type.Boolean({ default: true, examples: [true], description: 'Whether there is a journal at all.' }),
    ),
    folder: text('journal', 'Where the journals go. A relative path starts at the working directory.', {
      defaultText: '`journal` in the state folder',
    }),
    everyMs: wholeNumber(
      1,
      DAY_MS,
      1000,
      'How often what is new is written and synced; at once when somebody waits for the level `disk`.',
    ),
    batchBytesMax: wholeNumber(KIB, 32 * MIB, MIB, 'AT lines that are written at a time.'),
    compactBytesMin: wholeNumber(
      KIB,
      1024 * GIB,
      64 * MIB,
      'A journal is written anew when it is this much longer than twice what it has to hold.',
    ),
    retryMs: wholeNumber(10, DAY_MS, 5000, 'Time until a disk that failed is tried again.'),
  },
)

const limits = group<LimitSettings>('What clients may cost.', {
  lineBytesMax: wholeNumber(
    KIB,
    512 * KIB,
    64 * KIB,
    'Length of a line; a longer one is answered and the connection closed.',
  ),
  firstLineMsMax: wholeNumber(10, DAY_MS, 10_000, 'Time in which a new connection must have sent a line.'),
  connectionsMax: wholeNumber(1, 1_000_000, 15_000, 'Connections to a server.'),
  connectionsPerAddressMax: wholeNumber(1, 1_000_000, 15_000, 'Connections to a server from one address.'),
  pendingWhatsatsMax: wholeNumber(
    1,
    100_000,
    16,
    'WHATSATs of a connection that wait for places, WHOSATs that search on, and chunks of reports that wait for their level; then it is not read further.',
  ),
  replyBytesMax: wholeNumber(
    KIB,
    GIB,
    MIB,
    'Replies that a connection has not taken; then it is not read further.',
  ),
  slowReaderMsMax: wholeNumber(
    10,
    DAY_MS,
    30_000,
    'Time that a connection may take for the replies that wait for it.',
  ),
  lingerMsMax: wholeNumber(
    0,
    600_000,
    2000,
    'Time for the last replies to leave when a connection is closed.',
  ),
  clientsMax: wholeNumber(1, 1_000_000_000, 10_000_000, 'Clients in the table.'),
  tableBytesMax: wholeNumber(
    MIB,
    4 * GIB,
    4 * GIB,
    'Memory for what is too long to lie in a record of the table: texts of IDs over some 24 bytes.',
  ),
  serverNamesMax: wholeNumber(
    1,
    65_535,
    4096,
    'Names of servers in the table, of this herd and of AT lines.',
  ),
  runsMax: wholeNumber(
    8,
    4095,
    1024,
    'Starts of servers whose changes are told apart; of more, the oldest are forgotten, which costs only a longer catch-up.',
  ),
  ackMsMax: wholeNumber(
    1,
    DAY_MS,
    2000,
    'Time for a report to be held where it must be; then it is answered with where it is held by now.',
  ),
  // A client that asks for some must get as many as it may ask for.
  whosatItemsMax: wholeNumber(ITEMS_MAX, 1_000_000, 10_000, 'Answers to a WHOSAT that asks for all.'),
  whosatBytesMax: wholeNumber(64 * KIB, GIB, 4 * MIB, 'Size of the answer to a WHOSAT that asks for all.'),
  fixesPerSecondPerAddressMax: wholeNumber(
    0,
    1_000_000_000,
    0,
    'Reports that are taken from one address in a second; 0: no limit.',
  ),
  watchesPerConnectionMax: wholeNumber(1, 10_000, 64, 'WATCHes of one connection of lines.'),
  watchersMax: wholeNumber(0, 1_000_000, 10_000, 'Those who watch a server live, by all protocols together.'),
  watchRememberedMax: wholeNumber(
    1000,
    10_000_000,
    100_000,
    'Clients that are remembered for one who watches: those it could not be told of yet, and those in its area.',
  ),
})

const clients = group<{ open: boolean } & Partial<ClientSettings>>('Who may report and read.', {
  open: Type.Optional(
    Type.Boolean({
      default: false,
      examples: [true],
      description:
        'Whether clients of other machines are admitted while there are no client tokens (`herd token create`). Those of this machine are.',
    }),
  ),
  tokensFile: text('tokens.yaml', 'The file of client tokens. A relative path starts at the herd file.', {
    defaultText: '`<herd>.tokens.yaml` in the state folder',
  }),
  certificateFile: pemFile(
    '{server}',
    'A certificate in PEM for clients that encrypt (HTTPS, MQTT over TLS).',
  ),
  keyFile: pemFile('{server}.key', 'The key of that certificate, in PEM.'),
})

const http = group<HttpSettings>('HTTP on the one port: the API, the map, live streams, phones.', {
  on: Type.Optional(
    Type.Boolean({ default: true, examples: [true], description: 'Whether HTTP is spoken at all.' }),
  ),
  allowedOrigins: Type.Optional(
    Type.Array(
      Type.String({ pattern: ORIGIN_PATTERN, valueText: 'an origin such as https://example.org, or *' }),
      {
        default: [],
        valueText: 'a list of origins',
        examples: ['[https://map.example.org]'],
        description: 'Pages of other origins that may ask and report from a browser; `*`: all.',
      },
    ),
  ),
  allowedHosts: Type.Optional(
    Type.Array(Type.String({ pattern: ALLOWED_HOST_PATTERN, valueText: 'a host name, or *' }), {
      default: [],
      valueText: 'a list of host names',
      examples: ['[map.example.org]'],
      description:
        'Names by which browsers may call a server that needs no token, besides addresses, localhost and the hosts of this file; `*`: all. A name of others that points here would let their pages in.',
    }),
  ),
  bodyBytesMax: wholeNumber(KIB, 64 * MIB, MIB, 'Size of what a request brings.'),
  headMsMax: wholeNumber(10, DAY_MS, 10_000, 'Time for the head of a request to come.'),
  requestMsMax: wholeNumber(10, DAY_MS, 30_000, 'Time for all of a request to come.'),
  idleMsMax: wholeNumber(10, DAY_MS, 72_000, 'A connection without a request is closed after this time.'),
  heartbeatMs: wholeNumber(10, DAY_MS, 15_000, 'A stream shows so often that it lives.'),
  pendingMax: wholeNumber(1, 100_000, 1000, 'Requests of one connection that wait for their answers.'),
  messageBytesMax: wholeNumber(KIB, 64 * MIB, 64 * KIB, 'Size of one message of a WebSocket.'),
  watchesPerSocketMax: wholeNumber(1, 10_000, 64, 'What one WebSocket may watch at a time.'),
})

const map = group<MapSettings>('The live map at `/`.', {
  pmtiles: text(
    'streets.pmtiles',
    'A PMTiles archive of street tiles, raster or vector, that lies under the map. A relative path starts at the herd file.',
    { defaultText: 'none' },
  ),
})

const server = group<ServerEntry>('A member of the herd.', {
  host: text('127.0.0.1', 'Where it listens: a name, an IPv4 or an IPv6 address.', {
    default: '127.0.0.1',
    pattern: HOST_PATTERN,
    valueText: 'a host name or an address',
  }),
  port: Type.Integer({
    minimum: 1,
    maximum: 65_535,
    examples: [12_000],
    description: 'The port of everything that it speaks.',
  }),
  alsoPorts: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1, maximum: 65_535, examples: [5055] }), {
      default: [],
      maxItems: 16,
      valueText: 'a list of at most 16 ports, each from 1 to 65535',
      examples: ['[5055, 1883]'],
      description:
        'Further ports that speak the same, for apps that expect theirs: 5055 Traccar Client, 1883 MQTT.',
    }),
  ),
  classic: Type.Optional(
    Type.Boolean({
      default: false,
      examples: [false],
      description: 'A server of the old kind, that speaks bare AT lines; it is not started with the herd.',
    }),
  ),
})

/** The schema of a herd file. */
export const herdFile: Type.TSchema = group<HerdFile>('A herd file.', {
  herd: Type.String({
    pattern: NAME_PATTERN,
    valueText: NAME_TEXT,
    examples: ['ucla'],
    description: "The herd's name.",
  }),
  servers: Type.Record(Type.String({ pattern: NAME_PATTERN }), server, {
    minProperties: 1,
    valueText: 'a group of servers',
    examples: ['{ Alford: { port: 12000 } }'],
    description: 'The members of the herd, by name.',
  }),
  links: Type.Optional(
    Type.Array(
      Type.Array(Type.String(), {
        minItems: 2,
        maxItems: 2,
        valueText: 'a pair of servers',
        examples: ['[Alford, Hamilton]'],
      }),
      {
        default: [],
        valueText: 'a list of pairs',
        examples: ['[[Alford, Hamilton]]'],
        description: 'Pairs of servers that talk with each other.',
      },
    ),
  ),
  stateFolder: text(
    '.herd',
    'Where what must last is kept. A relative path starts at the working directory.',
    {
      default: '.herd',
    },
  ),
  secretFile: text(
    'herd.secret',
    "A file that holds the herd's secret. A relative path starts at the herd file.",
    { defaultText: '`<herd>.secret` in the state folder, made when missing' },
  ),
  logs,
  places,
  link,
  limits,
  journal,
  http,
  map,
  clients,
  mqtt,
  mqttBridge,
  ack: text(
    'disk+peers:1',
    'Where a report is held before it is answered, unless a client asks for something else with ACK: `memory`, `disk`, `peers:k` (in the memory of k neighbors) or `disk+peers:k`.',
    {
      default: 'memory',
      pattern: '^(?:memory|disk|(?:disk\\+)?peers:[1-9][0-9]?)$',
      valueText: 'memory, disk, peers:k or disk+peers:k',
    },
  ),
  forgetAfter: text(
    '24h',
    'A client whose last fix is older than this is forgotten. A whole number with s, m, h or d, or `never`. The same for all servers of the herd.',
    { default: 'never', pattern: DURATION_PATTERN, valueText: DURATION_TEXT },
  ),
})

function pemFile(example: string, description: string): Type.TSchema {
  const more = 'A relative path starts at the herd file; `{server}` in it is the name of the server.'
  return text(`tls/${example}.pem`, `${description} ${more}`, { defaultText: 'none' })
}
