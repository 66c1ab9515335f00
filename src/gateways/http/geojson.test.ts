import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientFixes } from '../../../test/support/client-fixes.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { reportOf } from './fix-json.ts'
import { featureCollectionOf, featureOf, reportOfFeature, reportsOfGeojson, wantsGeojson } from './geojson.ts'
import { reportSchema } from './schemas.ts'
import type { ReportJson } from './shapes.ts'
import { type Check, makeCheck } from './validation.ts'

const report: Check<ReportJson> = makeCheck(reportSchema, 'the report')

test('what was read as GeoJSON can be reported again, and is the same to the last digit', () => {
  fc.assert(
    fc.property(clientFixes, (fix) => {
      const collection: unknown = JSON.parse(JSON.stringify(featureCollectionOf([fix], fix.time)))
      const json = reportOfFeature(reportsOfGeojson(collection)?.[0])
      report.check(json)
      const { client, position, time, attributes = {} } = reportOf(json)
      assert.deepEqual([client, position, time], [fix.client, fix.positionText, fix.timeText])
      const { battery, ...rest } = attributes
      const { battery: before, ...others } = fix.attributes
      assert.deepEqual(JSON.stringify(rest), JSON.stringify(others))
      assert.equal(battery?.toFixed(6), before?.toFixed(6))
    }),
    runs(1000),
  )
})

test('a place is longitude first, with the altitude where it is known', () => {
  fc.assert(
    fc.property(clientFixes, (fix) => {
      const { id, geometry, properties } = featureOf(fix, fix.time)
      const { altitude } = fix.attributes
      const place = [fix.longitude, fix.latitude, ...(altitude === undefined ? [] : [altitude])]
      assert.deepEqual([id, geometry], [fix.client, { type: 'Point', coordinates: place }])
      for (const name of ['client', 'lat', 'lon', 'altitude_m']) assert.ok(!(name in properties), name)
    }),
    runs(300),
  )
})

test('features are told from other bodies, one or many', () => {
  const feature = { type: 'Feature' }
  assert.deepEqual(reportsOfGeojson(feature), [feature])
  assert.deepEqual(reportsOfGeojson({ type: 'FeatureCollection', features: [feature, 5] }), [feature, 5])
  for (const other of [null, 5, 'Feature', [], {}, { type: 'Point' }, { client: 'a' }]) {
    assert.equal(reportsOfGeojson(other), null)
    assert.equal(reportOfFeature(other), other)
  }
  for (const features of [undefined, null, {}, 'x']) {
    const collection = { type: 'FeatureCollection', features }
    assert.throws(() => reportsOfGeojson(collection), { code: 'invalid', message: /list of features/ })
  }
  for (const geometry of [
    ...[undefined, null, 5, {}, { type: 'Point' }, { type: 'Point', coordinates: [1] }],
    ...[
      { type: 'Point', coordinates: [1, 2, 3, 4] },
      { type: 'LineString', coordinates: [1, 2] },
    ],
  ]) {
    assert.throws(() => reportOfFeature({ ...feature, geometry }), { code: 'invalid', message: /is a Point/ })
  }
})

test('the position stays as it was written only while it is the place of the coordinates', () => {
  const written = (coordinates: readonly number[]): unknown => {
    const properties = { position: '+34.068930-118.445127' }
    return reportOfFeature({ type: 'Feature', id: 'a', geometry: { type: 'Point', coordinates }, properties })
  }
  assert.deepEqual(written([-118.445127, 34.06893]), { client: 'a', position: '+34.068930-118.445127' })
  // Somebody has moved the point in an editor.
  assert.deepEqual(written([-118.4, 34.06893]), { client: 'a', lat: 34.06893, lon: -118.4 })
})

test('whatever GeoJSON comes, it is a report, or refused with what is wrong', () => {
  const coordinate = fc.oneof(fc.double(), fc.constantFrom(0, 180, -180, 90, 181, null, '1', [1]))
  const geometry = fc.oneof(
    fc.record({
      type: fc.constantFrom('Point', 'Polygon'),
      coordinates: fc.array(coordinate, { maxLength: 4 }),
    }),
    fc.jsonValue(),
  )
  const names = [
    'client',
    'position',
    'time',
    'lat',
    'altitude_m',
    'accuracy_m',
    'tags',
    '__proto__',
    'skew_s',
  ]
  const properties = fc.oneof(
    fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.jsonValue(), fc.constant('+1+1'))),
    fc.jsonValue(),
  )
  const id = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null))
  const feature = fc.record(
    { type: fc.constant('Feature'), id, geometry, properties },
    { requiredKeys: ['type'] },
  )
  const features = fc.oneof(fc.array(fc.oneof(feature, fc.jsonValue())), fc.jsonValue())
  const body = fc.oneof(
    feature,
    fc.record({ type: fc.constant('FeatureCollection'), features }),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(body, (body) => {
      const json: unknown = JSON.parse(JSON.stringify(body))
      refused(() => {
        for (const one of reportsOfGeojson(json) ?? []) {
          refused(() => {
            const read = reportOfFeature(one)
            report.check(read)
            assert.equal(typeof reportOf(read).client, 'string')
          })
        }
      })
    }),
    runs(2000),
  )
})

/** Does what may be refused, and fails for any other error. */
function refused(work: () => void): void {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof CallRefused && error.code === 'invalid' && error.message !== '', String(error))
  }
}

test('GeoJSON is for who asks for it, by the query before the header', () => {
  const wants = (accept: string | undefined, format?: 'json' | 'geojson'): boolean => {
    const said: unknown[] = []
    const reply = { header: (...pair: unknown[]) => said.push(pair) }
    const answer = wantsGeojson({ headers: { accept } }, format, Object(reply))
    assert.deepEqual(said, [['vary', 'accept, origin']])
    return answer
  }
  assert.deepEqual(
    [wants(undefined), wants('*/*'), wants('text/html, Application/Geo+JSON;q=0.9')],
    [false, false, true],
  )
  assert.deepEqual([wants('application/geo+json', 'json'), wants(undefined, 'geojson')], [false, true])
})
