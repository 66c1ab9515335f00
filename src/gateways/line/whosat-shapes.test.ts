/** WHOSAT against searches through everybody, written as they read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '../../../test/support/memory-herd.ts'
import { NaiveTable } from '../../../test/support/naive-table.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { who } from '../../../test/support/whosat.ts'

/** Latitude and longitude in whole degrees, near both sides of ±180°, so that borders and corners are met often. */
const place = fc.tuple(
  fc.integer({ min: -4, max: 4 }),
  fc.constantFrom(-180, -179, -178, -177, 177, 178, 179, 180),
)
const crowd = fc.array(place, { maxLength: 40 })

function signed(number: number): string {
  return `${number < 0 ? '-' : '+'}${Math.abs(number)}`
}

function positionText([latitude, longitude]: readonly [number, number]): string {
  return signed(latitude) + signed(longitude)
}

function crowded(places: readonly (readonly [number, number])[]): {
  server: MemoryServer
  naive: NaiveTable
} {
  const server = new MemoryServer('A')
  const naive = new NaiveTable()
  for (const [client, place] of places.entries()) {
    const line = `AT A +0 c${100 + client} ${positionText(place)} 100`
    server.takeAt(line)
    naive.apply(line)
  }
  return { server, naive }
}

/** The clients whose place is within, by ID. */
function idsWithin(
  places: readonly (readonly [number, number])[],
  isWithin: (latitude: number, longitude: number) => boolean,
): string[] {
  return places.flatMap(([latitude, longitude], client) => {
    // One place has many longitudes.
    const turns = [longitude - 360, longitude, longitude + 360]
    return turns.some((turned) => isWithin(latitude, turned)) ? [`c${100 + client}`] : []
  })
}

test('a box holds who is between its corners, across ±180° too', () => {
  fc.assert(
    fc.property(crowd, place, place, (places, southWest, northEast) => {
      fc.pre(southWest[0] <= northEast[0])
      const { server } = crowded(places)
      const [south, west] = southWest
      const [north, longitude] = northEast
      const east = longitude < west ? longitude + 360 : longitude
      const expected = idsWithin(
        places,
        (latitude, turned) => latitude >= south && latitude <= north && turned >= west && turned <= east,
      )
      assert.deepEqual(
        who(server, `WHOSAT IN ${positionText(southWest)} ${positionText(northEast)} *`),
        expected,
      )
    }),
    runs(500),
  )
})

type Corner = readonly [number, number]

/** Even or odd, by integers; borders are within. Longitude first. */
function isWithinRing(ring: readonly Corner[], latitude: number, longitude: number): boolean {
  let isOdd = false
  for (const [index, [x1, y1]] of ring.entries()) {
    const [x2, y2] = ring[(index + 1) % ring.length] as Corner
    const side = (x2 - x1) * (latitude - y1) - (y2 - y1) * (longitude - x1)
    const isBeside = Math.min(x1, x2) <= longitude && longitude <= Math.max(x1, x2)
    if (side === 0 && isBeside && Math.min(y1, y2) <= latitude && latitude <= Math.max(y1, y2)) return true
    if (y1 > latitude !== y2 > latitude && side > 0 === y2 > y1) isOdd = !isOdd
  }
  return isOdd
}

test('polygons hold who is within any of them or on a border, beyond ±180° too', () => {
  const corner = fc.tuple(fc.integer({ min: 176, max: 184 }), fc.integer({ min: -5, max: 5 }))
  const outline = fc.array(corner, { minLength: 3, maxLength: 7 })
  fc.assert(
    fc.property(
      crowd,
      fc.array(outline, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(-360, 0),
      (places, outlines, turn) => {
        const { server } = crowded(places)
        const turned = outlines.map((ring) => ring.map(([x, y]): Corner => [x + turn, y]))
        const coordinates = turned.map((ring) => [[...ring, ring[0]]])
        const [first] = coordinates
        const geometry =
          coordinates.length === 1
            ? { type: 'Polygon', coordinates: first }
            : { type: 'MultiPolygon', coordinates }
        const expected = idsWithin(places, (latitude, longitude) =>
          turned.some((ring) => isWithinRing(ring, latitude, longitude)),
        )
        assert.deepEqual(who(server, `WHOSAT IN ${JSON.stringify(geometry)} *`), expected)
      },
    ),
    runs(500),
  )
})

test('around a place are the nearest, nearest first, whoever is there', () => {
  const near = fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 }))
  const items = fc.nat(20)
  fc.assert(
    fc.property(fc.array(near, { maxLength: 40 }), near, fc.nat(50), items, (steps, center, km, items) => {
      const toPlace = ([north, east]: readonly [number, number]): [number, number] => [
        60 + north / 100,
        east / 100,
      ]
      const { server, naive } = crowded(steps.map(toPlace))
      const middle = toPlace(center)
      const expected = naive.nearby(...middle, km * 1000, items)
      assert.deepEqual(who(server, `WHOSAT NEAR ${positionText(middle)} ${km} ${items}`), expected)
    }),
    runs(300),
  )
})
