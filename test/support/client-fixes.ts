/** Fixes as gateways answer with them, for property tests of how they are written. */
import type { ClientFix } from '../../src/gateways/calls/client-fix.ts'
import { positionText } from '../../src/gateways/calls/report.ts'
import { type Attributes, formatTime, type Nanotime } from '../../src/protocol/index.ts'
import { fc } from './properties.ts'

/** The last time that there is: the year 5138. */
const SECONDS_MAX = 99_999_999_999
const NANOSECONDS_MAX = 999_999_999

/** Any time that a fix may have, to the nanosecond. */
export const nanotimes: fc.Arbitrary<Nanotime> = fc.record(
  {
    seconds: fc.oneof(fc.constantFrom(0, 1, SECONDS_MAX), fc.nat(2 ** 31), fc.nat(SECONDS_MAX)),
    nanoseconds: fc.oneof(fc.constantFrom(0, 1, 10, NANOSECONDS_MAX), fc.nat(NANOSECONDS_MAX)),
  },
  { noNullPrototype: true },
)

/** Degrees with all their digits, the poles and ±180° among them. */
export function degrees(most: number): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(0, -0, most, -most, 1e-9, -1e-7),
    fc.double({ min: -most, max: most, noNaN: true }),
  )
}

/** All that a text may hold and a line may not: line ends of every kind, quotes, what is no character alone. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('\n', '\r', '\u2028', '\u0085', ':', '"', '\0', '\ufeff', '語', 'data: '),
  }),
)

const attributes: fc.Arbitrary<Attributes> = fc.record(
  {
    altitude: fc.double({ min: -12_000, max: 1e9, noNaN: true }),
    accuracy: fc.double({ min: 0, max: 1e9, noNaN: true }),
    speed: fc.double({ min: 0, max: 3e8, noNaN: true }),
    course: fc.double({ min: 0, max: 360, noNaN: true }),
    battery: fc.integer({ min: 0, max: 1000 }).map((tenths) => tenths / 1000),
    tags: fc.dictionary(text, text, { maxKeys: 3 }),
  },
  { requiredKeys: [], noNullPrototype: true },
)

/** The newest fix of some client. */
export const clientFixes: fc.Arbitrary<ClientFix> = fc
  .record({
    client: fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .map((client) => client.replaceAll(/\s/g, '_')),
    server: fc.constantFrom('Alford', 'Ball'),
    latitude: degrees(90),
    longitude: degrees(180),
    time: nanotimes,
    attributes,
  })
  .map(({ client, time, latitude, longitude, ...rest }) => ({
    ...{ client, clientBytes: Buffer.from(client), latitude, longitude, time },
    ...{ positionText: positionText(latitude, longitude), timeText: formatTime(time) },
    ...{ skew: { seconds: 0, nanoseconds: 1 }, skewText: '+0.000000001' },
    ...rest,
  }))
