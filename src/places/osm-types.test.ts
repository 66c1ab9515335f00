import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { nameOfOsm, type OsmTags, populationOfOsm, typesOfGeoNames, typesOfOsm } from './osm-types.ts'

const TAIL = ', point_of_interest, establishment'

const cases: readonly (readonly [OsmTags, string])[] = [
  [{ amenity: 'restaurant' }, `restaurant, food${TAIL}`],
  [{ amenity: 'fast_food' }, `meal_takeaway, restaurant, food${TAIL}`],
  [{ amenity: 'atm' }, `atm, finance${TAIL}`],
  [{ amenity: 'college' }, `university${TAIL}`],
  [{ amenity: 'pub' }, `bar${TAIL}`],
  [{ amenity: 'place_of_worship' }, `place_of_worship${TAIL}`],
  [{ amenity: 'place_of_worship', religion: 'muslim' }, `mosque, place_of_worship${TAIL}`],
  [{ amenity: 'place_of_worship', religion: 'constructor' }, `place_of_worship${TAIL}`],
  [{ amenity: 'townhall' }, `city_hall, local_government_office${TAIL}`],
  [{ shop: 'supermarket' }, `supermarket, grocery_or_supermarket, food, store${TAIL}`],
  [{ shop: 'doityourself' }, `hardware_store, store${TAIL}`],
  [{ shop: 'kiosk' }, `store${TAIL}`],
  [{ tourism: 'guest_house' }, `lodging${TAIL}`],
  [{ tourism: 'hotel', amenity: 'restaurant' }, `restaurant, food, lodging${TAIL}`],
  [{ leisure: 'park' }, `park${TAIL}`],
  [{ historic: 'castle' }, 'point_of_interest, establishment'],
  [{ amenity: 'bench' }, 'point_of_interest, establishment'],
  [{ aeroway: 'aerodrome' }, `airport${TAIL}`],
  [{ railway: 'station' }, `train_station${TAIL}`],
  [{ railway: 'station', station: 'subway' }, `subway_station${TAIL}`],
  [{ place: 'town' }, 'locality, political'],
  [{ place: 'suburb' }, 'sublocality, political'],
  [{ place: 'neighbourhood' }, 'neighborhood, political'],
  [{ railway: 'rail' }, ''],
  [{ highway: 'residential', name: 'Main Street' }, ''],
  [{ place: 'toString' }, 'colloquial_area, political'],
  [{ public_transport: 'platform', railway: 'stop' }, `transit_station${TAIL}`],
  [{ natural: 'peak' }, `natural_feature${TAIL}`],
  [{ natural: 'coastline' }, ''],
  [{ craft: 'winery' }, 'point_of_interest, establishment'],
  [{ shop: 'vacant' }, ''],
  [{ amenity: '' }, ''],
]
for (const [tags, expected] of cases) {
  test(`${JSON.stringify(tags)}: ${expected || 'no place'}`, () => {
    assert.equal(typesOfOsm(tags).join(', '), expected)
  })
}

test('whatever the tags, the types end as Google’s do, and none stands twice', () => {
  const key = fc.constantFrom(
    'amenity',
    'shop',
    'tourism',
    'leisure',
    'office',
    'historic',
    'place',
    'railway',
  )
  const value = fc.oneof(
    fc.constantFrom('restaurant', 'hotel', 'mall', 'town', 'station', 'place_of_worship', 'no'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.dictionary(key, value), (tags) => {
      const types = typesOfOsm(tags)
      assert.equal(new Set(types).size, types.length)
      if (types.length > 0) assert.match(types.join(), /(?:point_of_interest,establishment|political)$/)
    }),
  )
})

test('a name is in the language that was asked for, or as on site', () => {
  const tags = {
    name: ' Köln ',
    'name:en': 'Cologne',
    'name:pt-BR': 'Colônia',
    'name:pt': 'Colónia',
    'name:fr': ' ',
  }
  const asked = [undefined, 'en', 'en-GB', 'pt-BR', 'pt-AO', 'fr', 'ja']
  assert.deepEqual(
    asked.map((language) => nameOfOsm(tags, language)),
    ['Köln', 'Cologne', 'Cologne', 'Colônia', 'Colónia', 'Köln', 'Köln'],
  )
  assert.equal(nameOfOsm({ ref: '5', name: '' }), undefined)
})

test('a settlement has as many people as its tags say, or as its word means', () => {
  const cases: readonly (readonly [OsmTags, number | undefined])[] = [
    [{ place: 'town', population: '5,197' }, 5_197],
    [{ place: 'town', population: 'many' }, 10_000],
    [{ place: 'village' }, 1_000],
    [{ place: 'sea' }, undefined],
    [{ amenity: 'cafe' }, undefined],
  ]
  for (const [tags, people] of cases) assert.equal(populationOfOsm(tags), people)
})

test('GeoNames: by code, else by class; roads, undersea and what was are no places', () => {
  const codes: readonly (readonly [string, string, string])[] = [
    ['P', 'PPLC', 'locality,political'],
    ['P', 'PPLX', 'sublocality,political'],
    ['P', 'PPLH', ''],
    ['A', 'ADM1', 'administrative_area_level_1,political'],
    ['A', 'ZN', 'political'],
    ['S', 'AIRP', 'airport,point_of_interest,establishment'],
    ['S', 'HTL', 'lodging,point_of_interest,establishment'],
    ['S', 'PYR', 'point_of_interest,establishment'],
    ['T', 'MT', 'natural_feature,point_of_interest,establishment'],
    ['R', 'RD', ''],
    ['U', 'RDGU', ''],
    ['', '', ''],
    ['toString', '', ''],
  ]
  for (const [featureClass, code, expected] of codes) {
    assert.equal(typesOfGeoNames(featureClass, code).join(), expected, `${featureClass}.${code}`)
  }
})
