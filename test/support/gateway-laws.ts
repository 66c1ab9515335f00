/** The laws that each way to report is held to alone, and the reports that they are tried with. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { GatewayReport, Way } from './gateway-adapters.ts'
import { arrived, fenced, isFound, stays } from './gateway-answers.ts'
import type { LiveHerd } from './live-herd.ts'

/** Seconds since 1970 when the laws began. */
export const NOW: number = Math.floor(Date.now() / 1000)
const YEAR = 31_536_000

/** What a law is held against. */
export interface Subject {
  readonly t: TestContext
  readonly herd: LiveHerd
  readonly way: Way
  /** A client of this way and law alone. */
  readonly clientOf: (name: string) => string
}

const PLACES: readonly (readonly [lat: number, lon: number, seconds: number])[] = [
  [34.06893, -118.445127, 1_479_413_884],
  [0, 0, NOW],
  [90, 180, NOW],
  [-90, -180, 0],
  [-33.000_000_001, 151.199_999_999, 1],
  [0.000_000_1, -0.000_000_1, NOW],
]

const IMPOSSIBLE: readonly Partial<GatewayReport>[] = [
  { lat: 90.001 },
  { lat: -90.001 },
  { lon: 180.001 },
  { lon: -181 },
  { lat: Number.NaN },
  { lon: Number.POSITIVE_INFINITY },
  { seconds: -5 },
  { seconds: 1e15 },
]

const AWKWARD: readonly string[] = [
  ...'żółw 袋鼠 كنغر 🦘 👩🏽‍🚀 \u{e9} e\u{301} \u{feff}bom no\u{a0}break line\u{2028}end nel\u{85}'.split(
    ' ',
  ),
  ...'a/b a/b/c / // a/ /a % 100% %41 %2F %2f %zz a+b + # a#b ? a&id=b a=b a;b a,b * $SYS " it\'s \\'.split(
    ' ',
  ),
  ...'<b> {} [1] @ : ~ | ^ __proto__ constructor NEAR IN null 0 -1 \u{1} \u{1b}[31m \u{7f} \0'.split(' '),
  // Four bytes each.
  '🦘'.repeat(256),
]

/** The laws, by how they go on from “a report”. */
export const LAWS: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  'is the same client, place and time on the other server': async ({ t, herd, way, clientOf }) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    for (const [index, [lat, lon, seconds]] of PLACES.entries()) {
      const report = { client: clientOf(`place${index}`), lat, lon, seconds }
      assert.equal(await reporter.report(report), 'kept')
      await arrived(herd, report)
      await isFound(herd, report)
    }
    await reporter.close()
  },

  'follows the order of fixes': async ({ t, herd, way, clientOf }) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    const first = { client: clientOf('order'), lat: 10, lon: 20, seconds: NOW - 100 }
    const newer = { ...first, lat: 13, seconds: NOW - 99 }
    const ahead = { ...first, lat: 15, seconds: NOW + YEAR }
    const lessAhead = { ...first, lat: 17, seconds: NOW + 1000 }
    const changeNothing = async (known: GatewayReport, reports: readonly GatewayReport[]): Promise<void> => {
      for (const report of reports) assert.equal(await reporter.report(report), 'kept')
      await fenced(herd, reporter, clientOf('fence'))
      await stays(herd, known.client, known)
    }
    const changes = async (report: GatewayReport): Promise<void> => {
      assert.equal(await reporter.report(report), 'kept')
      await arrived(herd, report)
    }
    await changes(first)
    const older = [30, 5, 20, 1].map((back) => ({ ...first, lat: 11, seconds: first.seconds - back }))
    await changeNothing(first, [first, ...older, first])
    await changes(newer)
    await changeNothing(newer, [first, newer])
    // A year ahead counts as a minute after it came …
    await changes(ahead)
    await changeNothing(ahead, [{ ...first, lat: 16, seconds: NOW }])
    // … and so does less than a year, which came later.
    await changes(lessAhead)
    await reporter.close()
  },

  'is refused where it makes no sense, and the connection lives on': async ({ t, herd, way, clientOf }) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    const known = { client: clientOf('sane'), lat: 1, lon: 2, seconds: NOW - 100 }
    assert.equal(await reporter.report(known), 'kept')
    await arrived(herd, known)
    const unknown = { ...known, client: clientOf('insane'), seconds: NOW }
    const spaced = { ...known, client: clientOf('white space') }
    const reports = IMPOSSIBLE.flatMap((wrong) => [
      { ...unknown, ...wrong },
      { ...known, lat: 3, seconds: NOW, ...wrong },
    ])
    for (const report of [...reports, spaced]) {
      const said = way.canRefuse ? 'refused' : 'kept'
      assert.equal(await reporter.report(report), said, JSON.stringify(report))
    }
    await fenced(herd, reporter, clientOf('fence'))
    await stays(herd, known.client, known)
    await stays(herd, unknown.client, null)
    await reporter.close()
  },

  'has its client’s ID, character for character': async ({ t, herd, way, clientOf }) => {
    const reporter = await way.connect(t, { herd, server: 'Alford' })
    const { length } = Buffer.from(clientOf(''))
    const long = `${clientOf('')}${'x'.repeat(1024 - length)}`
    const wanted = [...AWKWARD, ...AWKWARD.map((id) => `u${id}/d${id}`), long]
    const ids = wanted.filter((id) => way.canSay(id) && Buffer.byteLength(id) <= 1024)
    assert.ok(ids.length > 20)
    // Every way says the same IDs: each is told from the others by where it was.
    const [lon, seconds] = [Math.round(Math.random() * 1e6) / 1e4, Math.floor(Date.now() / 1000)]
    const reports = ids.map((client, index) => ({ client, lat: index / 100, lon, seconds }))
    for (const report of reports) assert.equal(await reporter.report(report), 'kept', report.client)
    for (const report of reports) await arrived(herd, report)
    await reporter.close()
  },
}
