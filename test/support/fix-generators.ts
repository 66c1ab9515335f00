/** AT lines for property tests of the table and of replication: few distinct values, so that all of them tie. */
import { fc } from './properties.ts'

/** The same instant in several spellings, and instants a nanosecond or the 60 s of the order apart. */
const timeText = fc.constantFrom(
  '1479413884',
  '1479413884.0',
  '01479413884',
  '1479413884.000000000',
  '1479413884.0000000001',
  '1479413884.000000001',
  '1479413883.999999999',
  '1479413944',
  '1479413944.000000001',
  '1479413945',
  '99999999999.999999999',
  '0',
)

const skewText = fc.constantFrom(
  '+0.000000000',
  '-0.000000000',
  '+0',
  '-0.0',
  '+0.5',
  '-0.5',
  '-60',
  '-60.000000000',
  '-60.000000001',
  '-60.5',
  '-61',
  '-120.000000001',
  '+60',
  '+1000000',
  '-98520586115.999999999',
)

const serverName = fc.constantFrom('Alford', 'Ball', 'Ba', 'Balls', 'a', '\xff')
const positionText = fc.constantFrom('+1+1', '+1.0+1', '+01+1', '-1-1', '+34.068930-118.445127', '+90-180')

/** An AT line of one of these clients. */
export function atLineOf(client: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constant('AT'), serverName, skewText, client, positionText, timeText)
    .map((fields) => fields.join(' '))
}

/** An AT line of the same client as all the others. */
export const rivalLine: fc.Arbitrary<string> = atLineOf(fc.constant('kiwi'))

/** AT lines of few clients. */
export const fewClientsLine: fc.Arbitrary<string> = atLineOf(
  fc.constantFrom('kiwi', 'kiw', 'kiwii', '\xff', 'k\0wi', 'a-client-with-a-name-that-is-rather-long'),
)
