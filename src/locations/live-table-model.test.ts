import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clipLatitude,
  degrees,
  isInBox,
  isInPolygons,
  type Spot,
  type SpotRings,
  spotText,
} from '../../test/support/naive-areas.ts'
import { naiveEffectiveTime, naiveMetres } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { TableModel, type TwoQueries } from '../../test/support/table-model.ts'
import {
  FORGOTTEN,
  makeBox,
  makePolygons,
  NOT_NEWER,
  type TableLimits,
  TEXT_FULL,
  TOO_MANY_CLIENTS,
} from './index.ts'
import { PAGE_BYTES } from './text-arena.ts'

type AreaOfBoth = Pick<TwoQueries, 'area' | 'naive'>

/** Where all steps of a run happen, in 64ths of a degree: about poles, the antimeridian, and ordinary places. */
const centre = fc.constantFrom<Spot>(
  [180 * 64, 0],
  [-180 * 64, 51 * 64 + 7],
  [179 * 64 + 63, -16 * 64],
  [-90 * 64, 90 * 64],
  [180 * 64, -90 * 64 + 1],
  [-118 * 64 - 28, 34 * 64 + 4],
  [0, 0],
)
/** So far from there; few distinct ones, so that clients stand together, or equally far on either side. */
const shift = fc.integer({ min: -6, max: 6 })
const offset = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(shift, shift) },
  { weight: 1, arbitrary: fc.tuple(shift, shift).map(([x, y]): Spot => [x * 1900, y * 900]) },
)

function away([x, y]: Spot, [east, north]: Spot): Spot {
  return [x + east, clipLatitude(y + north)]
}

/** What stands in the fields of a line, but the place. */
const client = fc.constantFrom(
  'a',
  'b',
  'kiwi',
  'kiwi.cs.ucla.edu',
  '\xff\xfe',
  'Z'.repeat(70),
  'c',
  'd',
  'e',
)
const server = fc.constantFrom('Alford', 'Ball', 'Ba')
const skew = fc.constantFrom('+0', '+0.000000000', '-0.5', '-60', '-60.000000001', '-75.25', '-99', '+3')
const time = fc
  .tuple(fc.integer({ min: 0, max: 150 }), fc.constantFrom('', '.0', '.000000001', '.9999999990000'))
  .map(([seconds, fraction]) => `${1_479_413_884 + seconds}${fraction}`)
const attributes = fc.constantFrom('', '', '{}', '{"note":"é"}', `[${'7,'.repeat(60)}7]`)

type Step = fc.Command<{ readonly centre: Spot }, TableModel>

/** Makes a step; `text` is how a failure shows it. */
function step(text: string, run: (model: TableModel, centre: Spot) => void): Step {
  return {
    check: () => true,
    run: ({ centre }, model) => {
      run(model, centre)
      model.assertInvariants()
    },
    toString: () => text,
  }
}

function fields(...texts: string[]): string {
  return texts.filter((text) => text !== '').join(' ')
}

function applyWith(attributes: fc.Arbitrary<string>): fc.Arbitrary<Step> {
  return fc
    .tuple(server, skew, client, offset, time, attributes)
    .map(([server, skew, client, offset, time, attributes]) =>
      step(
        fields('AT', server, skew, client, `(${offset.join()})`, time, attributes.slice(0, 200)),
        (model, centre) =>
          model.apply(fields('AT', server, skew, client, spotText(away(centre, offset)), time, attributes)),
      ),
    )
}

const apply = applyWith(attributes)
/** No text may be longer than a page. */
const tooLong = applyWith(fc.constant(`"${'7'.repeat(PAGE_BYTES)}"`))

/** The line that a client has, once more, with other attributes or the same. */
const again = fc.tuple(fc.nat(8), attributes).map(([choice, attributes]) =>
  step(`again ${choice} ${attributes}`, (model) => {
    const fix = model.naive.allHeld[choice]
    if (fix === undefined) return
    const { server, skewText, client, positionText, timeText } = fix
    model.apply(fields('AT', server, skewText, client, positionText, timeText, attributes))
  }),
)

const remove = fc.nat(8).map((choice) => step(`remove ${choice}`, (model) => model.remove(choice)))

/** At the very instant of a fix, a nanosecond before and after it: nearly always one of the oldest. */
const forget = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: fc.nat(2) }, fc.nat(8)), fc.constantFrom(-1n, 0n, 1n))
  .map(([choice, nanoseconds]) =>
    step(`forget ${choice} ${nanoseconds} ns`, (model) => {
      const time = effectiveTimes(model)[choice]
      if (time !== undefined) model.forgetBefore(time + nanoseconds)
    }),
  )

const sweep = fc
  .constantFrom(1, 2, 5, 100)
  .map((records) => step(`sweep ${records}`, (model) => model.sweep(records)))

function effectiveTimes({ naive }: TableModel): bigint[] {
  return naive.allHeld.map(naiveEffectiveTime).toSorted((a, b) => Number(a - b))
}

type AreaOf = (model: TableModel, centre: Spot) => AreaOfBoth

/** A circle of that radius, or one that goes right through a client. */
const circle = fc.tuple(offset, fc.oneof(fc.constantFrom(0, 1, 1740, 5000, 50_000, 20_003_932), client)).map(
  ([offset, reach]): AreaOf =>
    (model, centre) => {
      const [x, y] = away(centre, offset)
      const [latitude, longitude] = [degrees(y), degrees(x)]
      const client = typeof reach === 'string' ? model.naive.get(reach) : undefined
      const radiusMetres =
        typeof reach === 'number' ? reach : client ? naiveMetres(latitude, longitude, client) : 100
      const metres: TwoQueries['naive']['metres'] = (fix) => naiveMetres(latitude, longitude, fix)
      return {
        area: { kind: 'circle', center: { latitude, longitude }, radiusMetres },
        naive: { metres, isWithin: (fix) => metres(fix) <= radiusMetres },
      }
    },
)

const box = fc.tuple(offset, fc.nat(9), fc.nat(9)).map(
  ([offset, width, height]): AreaOf =>
    (_, centre) => {
      // As clients write them: both corners between ±180.
      const [southWest, northEast] = [offset, [offset[0] + width, offset[1] + height] as Spot].map((corner) =>
        spotText(away(centre, corner)),
      ) as [string, string]
      const [sw, ne] = [readSpot(southWest), readSpot(northEast)]
      return {
        area: makeBox(positionOf(sw), positionOf(ne)),
        naive: { metres: () => 0, isWithin: (fix) => isInBox(fix, sw, ne) },
      }
    },
)

function readSpot(text: string): Spot {
  const [, latitude, longitude] = /^([+-][\d.]+)([+-][\d.]+)$/.exec(text) ?? []
  return [Number(longitude) * 64, Number(latitude) * 64]
}

function positionOf([x, y]: Spot): { latitude: number; longitude: number } {
  return { latitude: degrees(y), longitude: degrees(x) }
}

/** Outlines around their middle, in eight directions so far each; with room for a hole that wide in the middle. */
const DIRECTIONS: readonly Spot[] = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
]
const reaches = fc.array(fc.integer({ min: 3, max: 8 }), { minLength: 8, maxLength: 8 })
const polygon = fc
  .tuple(offset, reaches, fc.constantFrom(0, 1, 2))
  .map(([offset, reaches, hole]) => (centre: Spot): SpotRings => {
    const ring = (lengths: readonly number[]): Spot[] => {
      const corners = DIRECTIONS.map(([x, y], at): Spot => {
        const length = lengths[at] ?? 0
        return away(centre, [offset[0] + x * length, offset[1] + y * length])
      })
      return [...corners, ...corners.slice(0, 1)]
    }
    return hole === 0 ? [ring(reaches)] : [ring(reaches), ring(reaches.map(() => hole))]
  })
const polygons = fc.array(polygon, { minLength: 1, maxLength: 2 }).map(
  (parts): AreaOf =>
    (_, centre) => {
      const rings = parts.map((part) => part(centre))
      const lonLats = rings.map((ring) =>
        ring.map((spots) => spots.map(([x, y]) => [degrees(x), degrees(y)] as const)),
      )
      return {
        area: makePolygons(lonLats),
        naive: { metres: () => 0, isWithin: (fix) => isInPolygons(fix, rings) },
      }
    },
)

const items = fc.constantFrom(0, 1, 2, 3, 100, 100)
/** Of any age, or since one of the fixes, to the nanosecond. */
const since = fc.oneof(fc.constant(null), fc.tuple(fc.nat(8), fc.constantFrom(-1n, 0n, 1n)))

function ask(what: string, area: fc.Arbitrary<AreaOf>): fc.Arbitrary<Step> {
  return fc
    .tuple(area, items, since, fc.option(client, { nil: undefined }))
    .map(([areaOf, items, since, except]) =>
      step(
        `ask ${what}, ${items} items, since ${since?.join() ?? 'any time'}, except ${except}`,
        (model, centre) => {
          const time = since === null ? undefined : effectiveTimes(model)[since[0]]
          const sinceTime = since === null || time === undefined ? null : time + since[1]
          model.ask({ ...areaOf(model, centre), items, since: sinceTime, except })
        },
      ),
    )
}

const asks = [ask('circle', circle), ask('box', box), ask('polygons', polygons)]

/** Runs steps on tables within the limits; every kind of refusal must come up, or the steps test too little. */
function assertModel(
  steps: fc.Arbitrary<Iterable<Step>>,
  limits: fc.Arbitrary<TableLimits>,
  count: number,
): void {
  const refusals = new Set<number>()
  fc.assert(
    fc.property(centre, limits, steps, (centre, limits, steps) => {
      const model = new TableModel(limits)
      fc.modelRun(() => ({ model: { centre }, real: model }), steps)
      for (const refusal of model.refusals) refusals.add(refusal)
    }),
    runs(count),
  )
  assert.deepEqual(refusals, new Set([NOT_NEWER, FORGOTTEN, TOO_MANY_CLIENTS, TEXT_FULL]))
}

test('whatever is done to a table, it answers as a Map that is searched through does', () => {
  const limits = fc
    .constantFrom(3, 6, 1000)
    .map((clientsMax): TableLimits => ({ clientsMax, tableBytesMax: PAGE_BYTES }))
  const steps = [apply, apply, apply, apply, again, remove, forget, sweep, tooLong, ...asks]
  assertModel(fc.commands(steps, { maxCommands: 80, size: 'max' }), limits, 300)
})

test('a table whose text is full answers as a Map does, and takes what has room', () => {
  const limits = fc
    .constantFrom(3, 1000)
    .map((clientsMax): TableLimits => ({ clientsMax, tableBytesMax: 2 * PAGE_BYTES }))
  const long = applyWith(
    fc.constantFrom(99_000, 250_000, 520_000, 1_040_000).map((length) => `"${'7'.repeat(length)}"`),
  )
  const steps = [long, long, long, apply, remove, forget, sweep, ...asks]
  assertModel(fc.commands(steps, { maxCommands: 40, size: 'max' }), limits, 30)
})
