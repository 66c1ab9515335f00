import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOwnTracks } from '../gateways/owntracks/location.ts'
import { CommandParser } from '../protocol/index.ts'
import { herdTopic, iamatLine, osmAndQuery, ownTracksJson, reportJson } from './messages.ts'

const SAYING = {
  client: 'mia/phone',
  tags: { name: 'Mia', kind: 'family' },
  timeMs: Date.UTC(2026, 10, 21, 12, 0, 0, 250),
}
const WHERE = {
  ...{ lat: -17.5, lon: 179.999_999_6, altitudeMetres: 12.34, accuracyMetres: 5.06 },
  ...{ speedMps: 10, headingDegrees: 359.97, batteryPercent: 80.4 },
}

test('a line that a server takes', () => {
  const line = Buffer.from(iamatLine(SAYING, WHERE))
  assert.equal(line.toString(), 'IAMAT mia/phone -17.500000+180.000000 1795262400.250')
  assert.equal(new CommandParser().parse(line, 0, line.length), 'iamat')
})

test('a report of the HTTP API is in SI units', () => {
  assert.deepEqual(reportJson(SAYING, WHERE), {
    ...{ client: 'mia/phone', tags: SAYING.tags, time: '2026-11-21T12:00:00.250Z' },
    ...{ lat: -17.5, lon: 180, altitude_m: 12.3, accuracy_m: 5.1, speed_mps: 10, heading_deg: 0 },
    battery_pct: 80,
  })
})

test('OwnTracks says kilometres an hour and whole seconds, and a server reads what was meant', () => {
  const said = ownTracksJson(SAYING, WHERE)
  const { vel, tst, cog, tid } = said
  assert.deepEqual([vel, tst, cog, tid], [36, 1_795_262_400, 0, 'MI'])
  const { report } = readOwnTracks(Buffer.from(JSON.stringify(said)), SAYING.client)
  assert.equal(report?.client, 'mia/phone')
  assert.equal(report?.attributes?.speed, 10)
})

test('OsmAnd says knots', () => {
  const said = new URLSearchParams(osmAndQuery(SAYING, WHERE))
  assert.deepEqual(
    ['id', 'lat', 'speed', 'bearing', 'timestamp'].map((name) => said.get(name)),
    ['mia/phone', '-17.500000', '19.44', '0', '1795262400'],
  )
})

test('a topic holds any client', () => {
  assert.equal(herdTopic('a/b+c#d%e'), 'herd/a%2Fb%2Bc%23d%25e/fix')
})
