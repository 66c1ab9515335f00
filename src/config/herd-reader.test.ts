import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { fc } from '../../test/support/properties.ts'
import { ITEMS_MAX } from '../protocol/index.ts'
import { type HerdPlace, readHerd } from './herd-reader.ts'
import { settingsTable } from './settings-table.ts'

const PLACE: HerdPlace = { file: '/etc/herds/test.yaml', cwd: '/home/me', env: {} }
const TWO = { herd: 'two', servers: { A: { port: 5001 }, B: { port: 5002 } }, links: [['A', 'B']] }

function configOf(file: object, place: HerdPlace = PLACE) {
  const reading = readHerd(stringify(file), place)
  assert.ok(reading.ok, reading.ok ? '' : reading.problems.join('\n'))
  return reading.config
}

function problemsOf(file: object | string, place: HerdPlace = PLACE): readonly string[] {
  const reading = readHerd(typeof file === 'string' ? file : stringify(file), place)
  assert.ok(!reading.ok, 'it was accepted')
  return reading.problems
}

/** Every setting that has a value, with its range in words: read from the table that the docs hold. */
function leaves(): { path: string; range: string }[] {
  const rows = settingsTable().trim().split('\n').slice(2)
  return rows.map((row) => {
    const [, path = '', , range = ''] = row
      .split(' | ')
      .join('|')
      .split('|')
      .map((cell) => cell.trim())
    return { path: path.replaceAll('`', ''), range }
  })
}

function withSetting(path: string, value: unknown): object {
  const file: Record<string, unknown> = structuredClone(TWO)
  let group = file
  const names = path.replace('<name>', 'A').split('.')
  for (const name of names.slice(0, -1)) {
    const inner = group[name]
    const next: Record<string, unknown> =
      typeof inner === 'object' && inner !== null ? Object.fromEntries(Object.entries(inner)) : {}
    group[name] = next
    group = next
  }
  group[names.at(-1) ?? ''] = value
  return file
}

test('defaults fill what the file leaves out', () => {
  const config = configOf(TWO)
  assert.deepEqual(config.link, {
    encryption: 'psk',
    caFile: undefined,
    certificateFile: undefined,
    keyFile: undefined,
    heartbeatMs: 1000,
    silenceMsMax: 5000,
    progressMsMax: 10_000,
    handshakeMsMax: 2000,
    handshakeLineBytesMax: 1024,
    redialMsMin: 200,
    redialMsMax: 30_000,
    batchBytesMax: 65_536,
    batchMs: 0,
    claimMs: 100,
    auditMs: 60_000,
    joinedMax: 64,
    joinedGoneMs: 86_400_000,
    clockOffsetMsMax: 5000,
  })
  assert.equal(config.limits.connectionsMax, 15_000)
  assert.deepEqual(config.places.providers, ['auto'])
  assert.equal(config.places.rank, 'prominence')
  assert.equal(config.places.folder, '/home/me/.herd/places')
  assert.deepEqual(config.places.google, {
    baseUrl: 'https://places.googleapis.com',
    legacyBaseUrl: 'https://maps.googleapis.com',
    fields: 'pro',
    keyFile: undefined,
    callsPerDayMax: 1000,
    callsPerMonthMax: 5000,
  })
  assert.equal(config.logs.folder, '/home/me/.herd/logs')
  assert.equal(config.logs.level, 'traffic')
  assert.equal(config.stateFolder, '/home/me/.herd')
  assert.equal(config.secretFile, undefined)
  assert.deepEqual(config.servers[0], {
    name: 'A',
    host: '127.0.0.1',
    port: 5001,
    alsoPorts: [],
    classic: false,
    neighbors: ['B'],
  })
})

test('a configuration can not be changed, however deep', () => {
  const config = configOf(TWO)
  assert.ok(Object.isFrozen(config.servers[0]?.neighbors))
  assert.ok(Object.isFrozen(config.places.limits))
})

test('paths: folders start at the working directory, secrets beside the herd file', () => {
  const config = configOf({
    ...TWO,
    stateFolder: 'state',
    secretFile: 'herd.secret',
    logs: { folder: '/var/log/herd' },
    places: { google: { keyFile: 'keys/google' } },
  })
  assert.equal(config.stateFolder, '/home/me/state')
  assert.equal(config.secretFile, '/etc/herds/herd.secret')
  assert.equal(config.logs.folder, '/var/log/herd')
  assert.equal(config.places.google.keyFile, '/etc/herds/keys/google')
  assert.equal(configOf({ ...TWO, stateFolder: 'state' }).logs.folder, '/home/me/state/logs')
})

test('precedence: default, file, environment, option', () => {
  const file = { ...TWO, stateFolder: 'file', logs: { folder: 'file-logs', level: 'traffic' } }
  const env = { HERD_STATE_FOLDER: 'env', HERD_LOG_FOLDER: 'env-logs', HERD_LOG_LEVEL: 'events' }
  const options = { stateFolder: 'option', logFolder: 'option-logs', logLevel: 'traffic' }
  const chosen = (place: Partial<HerdPlace>) => {
    const { stateFolder, logs } = configOf(file, { ...PLACE, ...place })
    return [stateFolder, logs.folder, logs.level]
  }
  assert.deepEqual(chosen({}), ['/home/me/file', '/home/me/file-logs', 'traffic'])
  assert.deepEqual(chosen({ env }), ['/home/me/env', '/home/me/env-logs', 'events'])
  assert.deepEqual(chosen({ env, options }), ['/home/me/option', '/home/me/option-logs', 'traffic'])
  const empty = { HERD_STATE_FOLDER: '', HERD_LOG_FOLDER: '', HERD_LOG_LEVEL: '' }
  assert.deepEqual(chosen({ env: empty }), ['/home/me/file', '/home/me/file-logs', 'traffic'])
})

test('a bad level from outside is named by where it came from', () => {
  const fromEnv = problemsOf(TWO, { ...PLACE, env: { HERD_LOG_LEVEL: 'trafic' } })
  assert.deepEqual(fromEnv, ['HERD_LOG_LEVEL: "trafic" is not one of traffic, events; did you mean traffic?'])
  const fromOption = problemsOf(TWO, { ...PLACE, options: { logLevel: 'x' } })
  assert.deepEqual(fromOption, ['--log-level: "x" is not one of traffic, events; for example traffic'])
})

test('no secret and no key is ever in a configuration', () => {
  const env = { HERD_SECRET: 'a secret of the herd', GOOGLE_PLACES_API_KEY: 'a-key-of-google' }
  assert.doesNotMatch(JSON.stringify(configOf(TWO, { ...PLACE, env })), /a secret of|a-key-of/)
})

test('every setting: a bad value is reported once, by its name, with a value that works', () => {
  const settings = leaves()
  assert.ok(settings.length > 40)
  for (const { path } of settings) {
    const name = path.replace('<name>', 'A')
    const problems = problemsOf(withSetting(path, path === 'links' ? 7 : path === 'servers' ? [7] : [[]]))
    const own = problems.filter((problem) => problem.startsWith(`${name}: `))
    assert.equal(own.length, 1, `${name}: ${problems.join('\n')}`)
    assert.match(own[0] ?? '', / is not .+; for example ./)
  }
})

test('every number: the ends of its range are taken, what is beyond is not', () => {
  const numbers = leaves().filter(({ range }) => range.startsWith('a whole number'))
  assert.ok(numbers.length > 30)
  for (const { path, range } of numbers) {
    const name = path.replace('<name>', 'A')
    const [minimum = Number.NaN, maximum = Number.NaN] = (range.match(/\d+/g) ?? []).map(Number)
    for (const [value, taken] of [
      [minimum, true],
      [maximum, true],
      [minimum - 1, false],
      [maximum + 1, false],
      [minimum + 0.5, false],
      [String(minimum), false],
      [Number.NaN, false],
      [null, false],
    ] as const) {
      // Relations with other settings may object to an end of a range; the range itself must not.
      const reading = readHerd(stringify(withSetting(path, value)), PLACE)
      const objections = reading.ok ? [] : reading.problems
      const own = objections.filter(
        (problem) => problem.startsWith(`${name}: `) && problem.includes('is not a whole'),
      )
      assert.equal(own.length, taken ? 0 : 1, `${name}: ${value}`)
    }
  }
})

test('the wording of a problem', () => {
  assert.deepEqual(problemsOf({ ...TWO, limits: { lineBytesMax: 'many' } }), [
    'limits.lineBytesMax: "many" is not a whole number from 1024 to 524288; for example 65536',
  ])
  assert.deepEqual(problemsOf({ herd: 'x' }), [
    'servers: is missing; it takes a group of servers, for example { Alford: { port: 12000 } }',
  ])
  assert.deepEqual(problemsOf({ herd: 'x', servers: {} }), [
    'servers: is missing; it takes a group of servers, for example { Alford: { port: 12000 } }',
  ])
  assert.deepEqual(problemsOf(withSetting('servers.A.port', 0)), [
    'servers.A.port: 0 is not a whole number from 1 to 65535; for example 12000',
  ])
})

test('a WHOSAT for all may have as many answers as one for some', () => {
  const name = 'limits.whosatItemsMax'
  assert.equal(configOf(withSetting(name, ITEMS_MAX)).limits.whosatItemsMax, ITEMS_MAX)
  assert.deepEqual(problemsOf(withSetting(name, ITEMS_MAX - 1)), [
    `${name}: 19 is not a whole number from 20 to 1000000; for example 10000`,
  ])
})

test('an unknown setting is refused, with the one that was probably meant', () => {
  const problems = problemsOf({ ...TWO, stateFoldr: 'x', link: { heartBeatMs: 5 }, colour: 'red' })
  assert.deepEqual(problems, [
    'stateFoldr: there is no such setting; did you mean stateFolder?',
    'colour: there is no such setting; there are herd, servers, links, stateFolder, secretFile, logs, places, link, limits, journal, http, clients, mqtt, mqttBridge, ack, forgetAfter',
    'link.heartBeatMs: there is no such setting; did you mean link.heartbeatMs?',
  ])
})

test('names that objects have by nature are unknown like any other', () => {
  const problems = problemsOf({ ...TWO, constructor: 1, link: { toString: 2 } })
  assert.equal(problems.filter((problem) => problem.includes('no such setting')).length, 2)
  assert.equal(configOf({ herd: 'x', servers: { constructor: { port: 1 } } }).servers[0]?.port, 1)
})

test('all problems come together', () => {
  const problems = problemsOf({
    herd: '9',
    servers: { A: { port: 0 }, B: { port: 7 }, C: { port: 7 }, 'D E': { port: 8 } },
    links: [['A', 'Z'], ['B', 'B'], ['B', 'C'], ['C', 'B'], 'A'],
    link: { heartbeatMs: 3000 },
    limits: { clientsMax: -1, connectionMax: 5 },
    places: { providers: ['googel'] },
  })
  const expected = [
    /^herd: "9" is not a name/,
    /^servers\.A\.port: 0 is not a whole number/,
    /^servers\."D E": "D E" is not a name/,
    /^links\[4\]: "A" is not a pair of servers; for example \[Alford, Hamilton\]/,
    /^places\.providers: a list is not a list of providers: auto, google,/,
    /^limits\.connectionMax: there is no such setting; did you mean limits\.connectionsMax\?/,
    /^limits\.clientsMax: -1 is not a whole number from 1 to/,
    /^link\.silenceMsMax: 5000 must be more than twice link\.heartbeatMs \(3000\); for example 15000/,
    /^servers\.C\.port: 7 is already B's; for example \d+/,
    /^links\[0\]: there is no server "Z"/,
    /^links\[1\]: B can't have a link with itself; for example \[B, A\]/,
    /^links\[3\]: C and B have a link already, links\[2\]/,
  ]
  for (const pattern of expected)
    assert.equal(problems.filter((text) => pattern.test(text)).length, 1, `${pattern}`)
  assert.equal(problems.length, expected.length, problems.join('\n'))
})

test('relations between settings', () => {
  const first = (more: object) => problemsOf({ ...TWO, ...more })
  assert.match(
    first({ link: { heartbeatMs: 1000, silenceMsMax: 2000 } }).join(),
    /^link\.silenceMsMax: 2000 must/,
  )
  configOf({ ...TWO, link: { heartbeatMs: 1000, silenceMsMax: 2001 } })
  assert.match(first({ link: { redialMsMin: 31_000 } }).join(), /^link\.redialMsMin: 31000 must not be more/)
  assert.match(
    first({ link: { handshakeLineBytesMax: 70_000 } }).join(),
    /^link\.handshakeLineBytesMax: 70000/,
  )
  assert.match(
    first({ limits: { serverNamesMax: 1 } }).join(),
    /^limits\.serverNamesMax: 1 is less than .* 2 servers/,
  )
  const servers = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`S${at}`, { port: 12_000 + at }]))
  assert.match(first({ servers, links: [], limits: { runsMax: 9 } }).join(), /^limits\.runsMax: 9 is less/)
  const places = (limits: object) => first({ places: { limits } }).join()
  assert.match(places({ tryMsMax: 9000 }), /^places\.limits\.tryMsMax: 9000 must not be more/)
  assert.match(places({ cacheEntriesMax: 10 }), /^places\.limits\.cacheEntriesMax: 10 is less/)
})

test('a group whose lines are all commented out is empty', () => {
  assert.equal(configOf({ ...TWO, limits: null, places: { limits: null } }).limits.clientsMax, 10_000_000)
  assert.deepEqual(
    configOf({ herd: 'x', servers: { A: { port: 1 } }, links: null }).servers[0]?.neighbors,
    [],
  )
})

test('YAML that is none is reported by line and column', () => {
  assert.match(problemsOf('herd: x\nservers: {').join(), /^line 2, column \d+: /)
  assert.deepEqual(problemsOf('herd: x\nservers:\n  A: { port: 1 }\n  A: { port: 2 }'), [
    'line 4, column 3: this name was given already; each may stand once',
  ])
  assert.match(problemsOf('herd: x\n---\nherd: y').join(), /^line 2, column 1: a second document begins/)
  assert.match(problemsOf('herd: !!js/function x').join(), /^line 1, column 7: Unresolved tag/)
  assert.match(problemsOf('').join(), /^herd: is missing/)
})

test('a few aliases that grow into billions are refused', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map((pair) => pair.split(''))) {
    lines.push(`${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]`)
  }
  assert.match(problemsOf(lines.join('\n')).join(), /^aliases: /)
})

test('a host that others can reach is taken, with a warning', () => {
  const config = configOf({
    ...TWO,
    servers: { A: { port: 1, host: '10.0.0.1' }, B: { port: 1, host: '::1' } },
  })
  assert.equal(config.warnings.length, 1)
  assert.match(config.warnings[0] ?? '', /^servers\.A\.host: 10\.0\.0\.1 is not a loopback address/)
})

test('links without encryption are for loopback alone', () => {
  const link = { encryption: 'none' }
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) {
    const servers = {
      A: { host, port: 1 },
      B: { port: 2 },
      Old: { host: '10.0.0.3', port: 3, classic: true },
    }
    const links = [...TWO.links, ['B', 'Old']]
    assert.equal(configOf({ ...TWO, servers, links, link }).link.encryption, 'none')
  }
  const servers = { A: { host: '10.0.0.1', port: 1 }, B: { host: '0.0.0.0', port: 2 } }
  assert.deepEqual(problemsOf({ ...TWO, servers, link }), [
    'link.encryption: none is for servers on loopback, and servers.A.host is "10.0.0.1"; for example psk',
    'link.encryption: none is for servers on loopback, and servers.B.host is "0.0.0.0"; for example psk',
  ])
  assert.equal(configOf({ ...TWO, servers }).link.encryption, 'psk')
})

test('links by certificates take three files, which lie beside the herd file', () => {
  const link = { encryption: 'certificates', certificateFile: 'tls/{server}.pem' }
  assert.deepEqual(problemsOf({ ...TWO, link }), [
    'link.caFile: is missing; link.encryption certificates takes it, for example tls/caFile.pem',
    'link.keyFile: is missing; link.encryption certificates takes it, for example tls/keyFile.pem',
  ])
  const config = configOf({ ...TWO, link: { ...link, caFile: 'ca.pem', keyFile: '/keys/{server}.pem' } })
  const { caFile, certificateFile, keyFile } = config.link
  assert.equal(caFile, '/etc/herds/ca.pem')
  assert.equal(certificateFile, '/etc/herds/tls/{server}.pem')
  assert.equal(keyFile, '/keys/{server}.pem')
})

test('a classic server that others can reach is warned of as what it is', () => {
  const servers = { ...TWO.servers, Old: { host: '10.0.0.3', port: 3, classic: true } }
  const { warnings } = configOf({ ...TWO, servers, links: [...TWO.links, ['B', 'Old']] })
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /^servers\.Old\.host: .* classic server is not encrypted/)
})

test('any text is read or refused with a reason, never thrown at', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.json()), (text) => {
      const reading = readHerd(text, PLACE)
      assert.ok(reading.ok || reading.problems.length > 0)
    }),
  )
})

test('a level that servers can’t reach for want of neighbors is warned of; one that needs a journal there isn’t is wrong', () => {
  const servers = { ...TWO.servers, Old: { port: 13_009, classic: true } }
  const file = { ...TWO, servers, links: [...TWO.links, ['B', 'Old']] }
  assert.deepEqual(configOf({ ...file, ack: 'disk+peers:1' }).warnings, [])
  const { warnings, ack } = configOf({ ...file, ack: 'peers:2' })
  assert.deepEqual(ack, { disk: false, peers: 2 })
  assert.deepEqual(
    warnings.map((text) => text.slice(0, 38)),
    ["ack: peers:2 can't be reached at A: of", "ack: peers:2 can't be reached at B: of"],
  )
  assert.deepEqual(configOf({ ...TWO, journal: { keep: false } }).warnings, [])
  assert.throws(
    () => configOf({ ...TWO, ack: 'disk+peers:1', journal: { keep: false } }),
    /ack: disk\+peers:1 needs a journal, and journal.keep is false; for example memory/,
  )
  assert.throws(() => configOf({ ...TWO, ack: 'peers:0' }), /ack: /)
})
