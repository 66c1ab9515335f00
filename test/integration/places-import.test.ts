/** `herd places import` beside servers that run: street level by one command, whatever happens in between. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CANARY_KEY } from '../support/canary.ts'
import { writeGeoNamesDump } from '../support/geonames-dump.ts'
import { GoogleNewStandIn } from '../support/google-new-stand-in.ts'
import { LIECHTENSTEIN, liechtenstein } from '../support/liechtenstein.ts'
import type { LineClient } from '../support/live-client.ts'
import { type CommandEnd, LiveCommand, runCommand } from '../support/live-command.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'

const DOOR = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
const VADUZ = 'IAMAT here +47.141+9.521 1479413884.392014450'
const UCLA = 'IAMAT there +34.068930-118.445127 1479413884.392014450'
const HOUR_SECONDS = 3_600

/** A server, and its operator. */
class Stage {
  readonly herd: LiveHerd
  readonly client: LineClient
  readonly #t: TestContext

  static async open(t: TestContext, places: object = {}, env: Record<string, string> = {}): Promise<Stage> {
    const herd = await LiveHerd.start(t, { servers: ['Alford'], settings: { places }, env })
    const client = await herd.connect('Alford')
    await client.ask(VADUZ)
    await client.ask(UCLA)
    return new Stage(t, herd, client)
  }

  private constructor(t: TestContext, herd: LiveHerd, client: LineClient) {
    this.#t = t
    this.herd = herd
    this.client = client
  }

  get folder(): string {
    return join(this.herd.folder, '.herd', 'places')
  }

  path(file: string): string {
    return join(this.herd.folder, file)
  }

  places(...args: readonly string[]): Promise<CommandEnd> {
    return runCommand(this.#t, { folder: this.herd.folder }, this.#command(args))
  }

  start(...args: readonly string[]): LiveCommand {
    return new LiveCommand(this.#t, { folder: this.herd.folder }, this.#command(args))
  }

  /** Whose places a WHATSAT gets, in which order, and what it is told besides. */
  async sources(name: string, radius: number): Promise<readonly [string, string]> {
    const { text: json, body } = await this.client.whatsat(name, radius, 20)
    const scopes = Array.from(json.matchAll(/^ +"scope" : "([A-Z]+)"/gm), ([, scope = '']) => scope)
    return [[...new Set(scopes)].join(), String(body.info_messages ?? '')]
  }

  /** Waits until they are somebody's. */
  async answeredBy(scope: string, name = 'here'): Promise<void> {
    await waitUntil(
      async () => (await this.sources(name, 1))[0] === scope,
      () => `${scope} answers; the servers said ${this.herd.output}`,
    )
  }

  #command(args: readonly string[]): readonly string[] {
    const [verb = '', ...rest] = args
    return ['places', verb, '--herd', this.path('Alford.yaml'), ...rest]
  }
}

test('Liechtenstein: one command, and a server that runs answers from its streets', {
  skip: existsSync(liechtenstein) ? false : LIECHTENSTEIN,
}, async (t) => {
  const stage = await Stage.open(t)
  assert.deepEqual(await stage.sources('here', 1), ['EMBEDDED', ''])
  copyFileSync(liechtenstein, stage.path('li.osm.pbf'))
  const { code, out, err } = await stage.places('import', 'li.osm.pbf')
  assert.deepEqual([code, err], [0, ''])
  // 370 nodes and ways, and two areas made of several ways.
  assert.match(out, /^li: 372 places of osm from li\.osm\.pbf \(0\.6 MB\) in \d+\.\d s\n$/)
  await stage.answeredBy('LOCAL')
  const { text: json, body } = await stage.client.whatsat('here', 1, 20)
  assert.equal(body.results.length, 20)
  assert.match(json, /"html_attributions" : \[\s+"Places © .*OpenStreetMap.*ODbL/)
  // Where it knows nothing, who knows the world answers.
  assert.deepEqual(await stage.sources('there', 10), ['EMBEDDED', ''])
  assert.match(
    (await stage.places('remove', 'il')).err,
    /no index "il" in .*; there are li\. Did you mean li\?\n$/,
  )
  assert.equal((await stage.places('remove', 'li')).code, 0)
  await stage.answeredBy('EMBEDDED')
})

test('[auto] is google where there is a key, then what was imported, then what comes with Herd', async (t) => {
  const google = await GoogleNewStandIn.start({ key: CANARY_KEY })
  t.after(() => google.close())
  const places = { google: { baseUrl: google.url, callsPerDayMax: 0 }, limits: { retriesMax: 0 } }
  const stage = await Stage.open(t, places, { GOOGLE_PLACES_API_KEY: CANARY_KEY })
  writeGeoNamesDump(stage.path('LI.txt'), { places: 30, latitude: 47.14, longitude: 9.52 })
  assert.equal((await stage.places('import', 'LI.txt')).code, 0)
  assert.deepEqual(
    (await stage.herd.status('Alford')).places?.providers.map(({ name }) => name),
    ['google', 'local', 'embedded'],
  )
  assert.deepEqual(await stage.sources('here', 1), ['GOOGLE', ''])
  google.behave('reset')
  // Another radius is another question: the answer to the first is kept.
  const missing = 'google did not answer: '
  const [scope, message] = await stage.sources('here', 2)
  assert.equal(scope, 'LOCAL')
  assert.ok(message.startsWith(missing), message)
  const [elsewhere, again] = await stage.sources('there', 2)
  assert.equal(elsewhere, 'EMBEDDED')
  assert.ok(again.startsWith(missing), again)
  assert.equal(google.requests.length, 3)
})

test('an import that is killed leaves the old index; what is left of it is swept by a later one', async (t) => {
  const stage = await Stage.open(t)
  writeGeoNamesDump(stage.path('small.txt'), { places: 30, latitude: 47.14, longitude: 9.52 })
  writeGeoNamesDump(stage.path('large.txt'), { places: 300_000 })
  const [index, partial] = ['x.places', 'x.places.partial'].map((file) => join(stage.folder, file))
  assert.ok(index !== undefined && partial !== undefined)
  assert.equal((await stage.places('import', 'small.txt', '--name', 'x')).code, 0)
  await stage.answeredBy('LOCAL')
  const before = statSync(index).ino

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const command = stage.start('import', 'large.txt', '--name', 'x')
    await waitUntil(() => existsSync(partial), 'the import has begun')
    const { code, err } = await command.kill(signal)
    assert.equal(code, signal === 'SIGINT' ? 130 : null)
    assert.equal(err, signal === 'SIGINT' ? 'herd: ended; what was imported before is as it was\n' : '')
    assert.equal(existsSync(partial), signal === 'SIGKILL')
    assert.equal(statSync(index).ino, before)
    assert.deepEqual(await stage.sources('here', 1), ['LOCAL', ''])
    assert.match((await stage.places('list')).out, /^x +30 places .* geonames: small\.txt\n$/)
  }

  // One of another name lets it be as long as it may be somebody's …
  assert.equal((await stage.places('import', 'small.txt', '--name', 'y')).code, 0)
  assert.deepEqual(readdirSync(stage.folder), ['x.places', 'x.places.partial', 'y.places'])
  // … and no longer.
  const past = Date.now() / 1_000 - HOUR_SECONDS - 1
  utimesSync(partial, past, past)
  assert.equal((await stage.places('remove', 'y')).code, 0)
  assert.deepEqual(readdirSync(stage.folder), ['x.places'])
})

test('a broken index: listed as such, told in the log once, and the others answer', async (t) => {
  const stage = await Stage.open(t)
  writeGeoNamesDump(stage.path('LI.txt'), { places: 30, latitude: 47.14, longitude: 9.52 })
  assert.equal((await stage.places('import', 'LI.txt')).code, 0)
  writeFileSync(join(stage.folder, 'bad.places'), 'rubbish')
  await stage.answeredBy('LOCAL')
  await stage.herd.logged('Alford', 'bad.places is left out: ')
  const { code, out } = await stage.places('list')
  assert.equal(code, 1)
  assert.match(out, /^LI +30 places .*\nbad +broken /)
  assert.equal((await stage.places('remove', 'bad')).code, 0)
  assert.equal((await stage.places('list')).code, 0)
  assert.deepEqual(await stage.sources('here', 1), ['LOCAL', ''])
  assert.equal((await stage.herd.logText('Alford')).split('bad.places is left out').length, 2)
})

test('a full disk ends an import with a word on it, and leaves the old index', {
  skip: (await whyNoSmallDisk()) ?? false,
}, async (t) => {
  const disk = await SmallDisk.mount(t, 2_000_000)
  const stage = await Stage.open(t, { folder: disk.folder })
  writeGeoNamesDump(stage.path('small.txt'), { places: 30, latitude: 47.14, longitude: 9.52 })
  writeGeoNamesDump(stage.path('large.txt'), { places: 300_000 })
  assert.equal((await stage.places('import', 'small.txt', '--name', 'x')).code, 0)
  const { code, out, err } = await stage.places('import', 'large.txt', '--name', 'x')
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^herd: .*large\.txt can't be imported: database or disk is full\n$/)
  assert.deepEqual(readdirSync(disk.folder), ['x.places'])
  assert.match((await stage.places('list')).out, /^x +30 places .* geonames: small\.txt\n$/)
  await stage.answeredBy('LOCAL')
})

test('an hour of sorting is nobody’s leftover', async (t) => {
  const stage = await Stage.open(t)
  writeGeoNamesDump(stage.path('small.txt'), { places: 3 })
  writeGeoNamesDump(stage.path('large.txt'), { places: 300_000 })
  const partial = join(stage.folder, 'large.places.partial')
  const command = stage.start('import', 'large.txt')
  await waitUntil(() => existsSync(partial) && statSync(partial).size > 0, 'the import has begun')
  await command.stop()
  const past = Date.now() / 1_000 - HOUR_SECONDS - 1
  utimesSync(partial, past, past)
  assert.equal((await stage.places('import', 'small.txt')).code, 0)
  assert.ok(existsSync(partial))
  command.goOn()
  assert.deepEqual((await command.ended()).code, 0)
  assert.match((await stage.places('list')).out, /^large +300000 places .*\nsmall +3 places /)
})

test('a progress line where somebody sees it, and none elsewhere', {
  skip: spawnSync('script', ['--version']).status === 0 ? false : 'needs script, of util-linux',
}, async (t) => {
  const stage = await Stage.open(t)
  writeGeoNamesDump(stage.path('LI.txt'), { places: 200_000 })
  const seen = spawn(
    'script',
    ['-qec', `${process.execPath} ${DOOR} places import --herd Alford.yaml LI.txt`, '/dev/null'],
    { cwd: stage.herd.folder, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const said = await text(seen.stdout)
  const [first = '', ...more] = said.split('\r\x1b[K')
  assert.equal(first, '')
  const last = more.pop()
  assert.match(last ?? '', /^LI: 200000 places of geonames from LI\.txt \(\d+\.\d MB\) in \d+\.\d s\r\n$/)
  const shares = more.flatMap((line) => {
    if (line === '') return []
    const [, share = ''] = /^LI: +(\d+) % read, \d+ places(?:, putting them in order)?$/.exec(line) ?? []
    assert.notEqual(share, '', JSON.stringify(line))
    return [Number(share)]
  })
  assert.ok(shares.length > 1)
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  )
  const { out, err } = await stage.places('import', 'LI.txt')
  assert.deepEqual([out.split('\n').length, err], [2, ''])
})

test('memory: a file far larger than all buffers is imported with as much as they take', async (t) => {
  const stage = await Stage.open(t)
  // 430 MB become an index of 140 MB; SQLite may keep 64 MB of it, and as much again while it sorts.
  writeGeoNamesDump(stage.path('large.txt'), { places: 1_000_000, otherNameBytes: 360 })
  assert.ok(statSync(stage.path('large.txt')).size > 400e6)
  const tellPeak = "process.on('exit', () => console.error(process.resourceUsage().maxRSS))"
  const peak = ['--max-old-space-size=64', '--import', `data:text/javascript,${encodeURIComponent(tellPeak)}`]
  const child = spawn(
    process.execPath,
    [...peak, DOOR, 'places', 'import', '--herd', 'Alford.yaml', 'large.txt'],
    { cwd: stage.herd.folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  assert.match(out, /^large: 1000000 places of geonames /, err)
  assert.ok(statSync(join(stage.folder, 'large.places')).size > 100e6)
  const peakMib = Number(err) / 1024
  t.diagnostic(`${Math.round(peakMib)} MiB`)
  assert.ok(peakMib < 384, `${peakMib} MiB`)
})
