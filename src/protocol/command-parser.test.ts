import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyLine, anyStream, chop, chunking } from '../../test/support/line-generators.ts'
import {
  type NaiveCommand,
  type NaiveWhosat,
  naiveDegrees,
  naiveLines,
  naiveParse,
} from '../../test/support/naive-parser.ts'
import { fc, runs } from '../../test/support/properties.ts'
import {
  CommandParser,
  fieldEnd,
  fieldStart,
  LineFramer,
  type Nanotime,
  NO_PLACES_OPERANDS,
  NO_STAMP_ALIAS,
} from './index.ts'

const parser = new CommandParser()

/** The stamp of the AT line just read. */
function stampRead(): { alias: number; seq: number } | null {
  const { stampAlias, stampSeq } = parser
  return stampAlias === NO_STAMP_ALIAS ? null : { alias: stampAlias, seq: stampSeq }
}

/** What the parser says of a line, in the words of the naive one. */
function parseBytes(buffer: Buffer, start = 0, end: number = buffer.length): NaiveCommand {
  const kind = parser.parse(buffer, start, end)
  const fields: string[] = []
  for (let field = 0; field < parser.fields.count; field++) {
    fields.push(buffer.toString('latin1', fieldStart(parser.fields, field), fieldEnd(parser.fields, field)))
  }
  const { latitude, longitude } = parser.position
  const degrees = { latitude: naiveDegrees(latitude), longitude: naiveDegrees(longitude) }
  const fix = { ...degrees, time: nanoseconds(parser.time) }
  switch (kind) {
    case 'invalid':
    case 'herd':
      return { kind }
    case 'iamat':
      return { kind, fields, fix }
    case 'at':
      return { kind, fields, fix, skew: nanoseconds(parser.skew), stamp: stampRead() }
    case 'ack':
      return { kind, fields, ...parser.ack }
    case 'watch':
    case 'unwatch':
    case 'token':
      return { kind, fields }
    case 'watch-near':
      return { kind, fields, radiusMetres: parser.radiusMetres, place: degrees }
    case 'whatsat':
      return { kind, fields, radiusMetres: parser.radiusMetres, items: parser.items, places: parser.places }
    case 'whosat':
    case 'whosat-near':
    case 'whosat-box':
    case 'whosat-polygon':
      return {
        kind,
        fields,
        ...whosatOperands(kind),
        items: parser.items,
        age: parser.age && nanoseconds(parser.age),
      }
  }
}

function whosatOperands(kind: NaiveWhosat['kind']): Pick<NaiveWhosat, 'places' | 'radiusMetres'> {
  const places = [parser.position, parser.corner].map(({ latitude, longitude }) => ({
    latitude: naiveDegrees(latitude),
    longitude: naiveDegrees(longitude),
  }))
  const count = { whosat: 0, 'whosat-near': 1, 'whosat-box': 2, 'whosat-polygon': 0 }[kind]
  const isCircle = kind === 'whosat' || kind === 'whosat-near'
  return { places: places.slice(0, count), radiusMetres: isCircle ? parser.radiusMetres : null }
}

function nanoseconds(time: Nanotime): bigint {
  assert.ok(time.nanoseconds >= 0 && time.nanoseconds < 1_000_000_000, 'nanoseconds in range')
  return BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds)
}

function parse(line: string): NaiveCommand {
  return parseBytes(Buffer.from(line, 'latin1'))
}

test('the parser of bytes equals the naive one on any line', () => {
  fc.assert(
    fc.property(anyLine, (line) => {
      assert.deepEqual(parse(line), naiveParse(line))
    }),
    runs(6000),
  )
})

test('the parser of bytes equals the naive one wherever the line lies in a buffer', () => {
  fc.assert(
    fc.property(anyLine, anyLine, anyLine, (before, line, after) => {
      const buffer = Buffer.from(before + line + after, 'latin1')
      assert.deepEqual(parseBytes(buffer, before.length, before.length + line.length), naiveParse(line))
    }),
    runs(1000),
  )
})

test('any stream in any chunks gives the lines and commands of the naive parser', () => {
  fc.assert(
    fc.property(anyStream, chunking, (stream, sizes) => {
      const framer = new LineFramer(1_000_000)
      const commands: NaiveCommand[] = []
      for (const chunk of chop(Buffer.from(stream, 'latin1'), sizes)) {
        framer.push(chunk)
        while (framer.next() === 'line') commands.push(parseBytes(framer.buffer, framer.start, framer.end))
      }
      const naive = naiveLines(stream)
      assert.deepEqual(commands, naive.lines.map(naiveParse))
      assert.equal(framer.finish(), naive.rest !== '')
      if (naive.rest !== '') {
        assert.equal(framer.buffer.toString('latin1', framer.start, framer.end), naive.rest)
      }
    }),
    runs(1500),
  )
})

test('the generators meet every kind of command', () => {
  const commands = fc.sample(anyLine, 2000).map(naiveParse)
  assert.ok(
    commands.some((command) => command.kind === 'at' && command.stamp !== null),
    'stamps',
  )
  assert.deepEqual([...new Set(commands.map(({ kind }) => kind))].toSorted(), [
    'ack',
    'at',
    'herd',
    'iamat',
    'invalid',
    'token',
    'unwatch',
    'watch',
    'watch-near',
    'whatsat',
    'whosat',
    'whosat-box',
    'whosat-near',
    'whosat-polygon',
  ])
})

test('a WHATSAT says which places, in any order; the classic one says nothing, and costs no object', () => {
  const said = 'WHATSAT kiwi 1 2 rank=distance keyword=caf%C3%A9%20bar type=cafe'
  const command = parse(said)
  assert.ok(command.kind === 'whatsat')
  assert.deepEqual(command.places, { rank: 'distance', keyword: 'café bar', type: 'cafe' })
  assert.equal(command.fields.length, 7)
  for (const line of [
    `${said} type=cafe`,
    'WHATSAT kiwi 1 2 type=cafe type=bar',
    'WHATSAT kiwi 1 type=cafe 2',
  ])
    assert.equal(parse(line).kind, 'invalid')
  const classic = parse('WHATSAT kiwi 1 2')
  assert.ok(classic.kind === 'whatsat')
  assert.equal(classic.places, NO_PLACES_OPERANDS)
})

test('what the parser keeps of one line does not reach the next', () => {
  assert.equal(parse('WHATSAT kiwi 50 20').kind, 'whatsat')
  assert.equal(parse('').kind, 'invalid')
  assert.equal(parse('WHATSAT kiwi').kind, 'invalid')
  assert.deepEqual(parse('WHOSAT kiwi 0.0625 0'), {
    kind: 'whosat',
    fields: ['WHOSAT', 'kiwi', '0.0625', '0'],
    places: [],
    radiusMetres: 62.5,
    items: 0,
    age: null,
  })
})

test('bounds hold for the decimal text, not for its rounding', () => {
  const zeros = '0'.repeat(400)
  const kinds = [
    `+90.${zeros}-180.${zeros}`,
    `+90.${zeros}1-180`,
    `-90-180.${zeros}1`,
    `+${zeros}90+${zeros}180`,
    `+89.${'9'.repeat(400)}+179.${'9'.repeat(400)}`,
    `+${'9'.repeat(400)}+0`,
  ].map((position) => parse(`IAMAT kiwi ${position} 0`).kind)
  assert.deepEqual(kinds, ['iamat', 'invalid', 'invalid', 'iamat', 'iamat', 'invalid'])
})

test('a line of many fields is cut off in counting, not in meaning', () => {
  assert.equal(parse(`HERD ${'x '.repeat(10_000)}`).kind, 'herd')
  assert.equal(parse(`IAMAT ${'x '.repeat(10_000)}`).kind, 'invalid')
})
