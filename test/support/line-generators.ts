/** Lines for property tests: valid ones, ones that miss by a little, and bytes of any kind. Latin-1 strings. */
import { fc } from './properties.ts'

/** The six white-space characters but LF, which ends a line. */
export const whiteInLine: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(' ', '\t', '\r', '\f', '\v'), { minLength: 1, maxLength: 3 })
  .map((characters) => characters.join(''))

/** Spaces most of the time, so that other things are tested too. */
const separator = fc.oneof({ weight: 4, arbitrary: fc.constant(' ') }, { weight: 1, arbitrary: whiteInLine })
const margin = fc.oneof({ weight: 5, arbitrary: fc.constant('') }, { weight: 1, arbitrary: whiteInLine })

const digit = fc.nat(9).map(String)

function digits(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.array(digit, { minLength, maxLength }).map((characters) => characters.join(''))
}

/** Any byte as a character. */
const anyByte = fc.nat(255).map((byte) => String.fromCharCode(byte))
const nonWhiteByte = anyByte.filter((character) => !/[ \t\r\n\f\v]/.test(character))

/** Bytes that mean something somewhere, and their neighbors. */
const telling = fc.oneof(
  fc.constantFrom(...' \t\r\f\v\n+-.09/:eE,;\0\x1f\x80\x85\xa0\xff'.split('')),
  anyByte,
)

/** A client ID: any bytes that are not white, UTF-8 or not. */
export const clientId: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('kiwi.cs.ucla.edu', 'a', 'b', 'AT', 'IAMAT', '?', '+34-118', '\xff\xfe', '\xa0', '\x85\0'),
  fc.array(nonWhiteByte, { minLength: 1, maxLength: 12 }).map((characters) => characters.join('')),
)

function decimal(whole: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const fraction = fc.oneof(
    fc.constant(''),
    digits(1, 6).map((text) => `.${text}`),
    digits(7, 40).map((text) => `.${text}`),
    fc.constantFrom('.0', '.000000000', '.000000000000000000001', '.999999999999999999999'),
  )
  return fc.tuple(fc.constantFrom('', '', '', '0', '000'), whole, fraction).map((parts) => parts.join(''))
}

const latitude = decimal(
  fc.oneof(fc.nat(90).map(String), fc.constantFrom('0', '89', '90', '91', '100', '900')),
)
const longitude = decimal(
  fc.oneof(fc.nat(180).map(String), fc.constantFrom('0', '179', '180', '181', '1800')),
)
const sign = fc.constantFrom('+', '-')

/** `[+-]digits[.digits][+-]digits[.digits]`, mostly within bounds. */
const position = fc.tuple(sign, latitude, sign, longitude).map((parts) => parts.join(''))
const time = decimal(
  fc.oneof(
    fc.constantFrom('0', '1479413884', '99999999999', '100000000000', '99999999999999999999999'),
    digits(1, 13),
  ),
)
const skew = fc.tuple(sign, time).map((parts) => parts.join(''))
const radius = decimal(fc.oneof(fc.nat(50).map(String), fc.constantFrom('0', '49', '50', '51', '500')))
const items = fc.oneof(
  fc.nat(20).map(String),
  fc.constantFrom('0', '00', '020', '20', '21', '5.0', '+5', '99999999999999999999'),
)

const itemsOrAll = fc.oneof({ weight: 3, arbitrary: items }, { weight: 1, arbitrary: fc.constant('*') })
/** Clients may have the names of words. */
const whoClient = fc.oneof({ weight: 3, arbitrary: clientId }, fc.constantFrom('NEAR', 'IN', '{}'))
const braced = fc.constantFrom(
  '{}',
  '{',
  '{"battery":0.5}',
  '{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,1],[0,0]]]}',
  `{${'x'.repeat(2046)}}`,
  `{${'x'.repeat(2047)}}`,
)

/** Where reports must be held, and what misses it by a little. */
const ackLevel = fc.oneof(
  fc.constantFrom('memory', 'disk', 'peers:1', 'disk+peers:2', 'peers:99'),
  fc.constantFrom(
    'peers:0',
    'peers:100',
    'peers:01',
    'peers:',
    'peers:1+disk',
    'disk+memory',
    'disk+',
    'Disk',
  ),
)
/** A stamp, as servers put it behind AT lines. */
const stamp = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(digits(1, 4), digits(1, 13)).map((numbers) => `@${numbers.join('.')}`) },
  fc.constantFrom(
    '@3.17',
    '@4095.2199023255551',
    '@4096.1',
    '@1.2199023255552',
    '@.1',
    '@1.',
    '@1',
    '@',
    '@1.1.1',
  ),
)

/** What a WHATSAT may say of the places, and what misses it by a little. */
const placesOperand = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('type=cafe', 'type=a1_b', 'keyword=tea', 'rank=distance', 'rank=prominence'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((text) => `keyword=${safelyEncoded(text)}`) },
  fc.constantFrom(
    ...['keyword=caf%C3%A9%20au%20lait', 'keyword=%f0%9f%8d%b5', 'keyword=%EF%BB%BFbom', 'keyword=a+b=c'],
    ...['keyword=%', 'keyword=%4', 'keyword=%4g', 'keyword=%C3', 'keyword=%ED%A0%80', 'keyword=%C0%80'],
    ...['keyword=', 'keyword=%20', 'keyword=%0A', 'keyword=a%00', 'keyword=%C2%85', 'keyword=caf\xe9'],
    ...[`keyword=${'x'.repeat(128)}`, `keyword=${'x'.repeat(129)}`, `keyword=${'%F0%9F%8D%B5'.repeat(128)}`],
    ...[`keyword=${'%F0%9F%8D%B5'.repeat(129)}`, `keyword=${'%41'.repeat(2000)}`],
    ...['type=', 'type=Cafe', 'type=1a', 'type=_a', `type=${'a'.repeat(64)}`, `type=${'a'.repeat(65)}`],
    ...['rank=', 'rank=best', 'rank', '=', 'Type=cafe', 'language=en', 'constructor=x', 'toString=y'],
  ),
)

/** Percent-encoded, also where there are lone surrogates, which are no text. */
function safelyEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** What no number or position may look like. */
const oddities = fc.constantFrom(
  '12.',
  '.5',
  '1e1',
  '0x10',
  '+',
  '-',
  '',
  '+90-180',
  '+34.068930,-118.445127',
  '34.068930-118.445127',
  '+34.068930-118.445127/',
  '+34.068930 -118.445127',
  '++34-118',
  '+34.-118',
  '+.5-118',
  '+34-118+5',
  '1479413884.392014450.1',
  'NaN',
  'Infinity',
  '1_000',
  '*',
  '**',
  '5*',
  'NEAR',
  'IN',
  '{x}',
  '@1.1',
  'disk',
)

function command(word: string, ...operands: fc.Arbitrary<string>[]): fc.Arbitrary<string[]> {
  return fc.tuple(fc.constant(word), ...operands)
}

const fields = fc.oneof(
  { weight: 4, arbitrary: command('IAMAT', clientId, position, time) },
  { weight: 3, arbitrary: command('AT', clientId, skew, clientId, position, time) },
  { weight: 3, arbitrary: command('WHATSAT', clientId, radius, items) },
  { weight: 1, arbitrary: command('WHATSAT', clientId, radius, items, placesOperand) },
  { weight: 1, arbitrary: command('WHATSAT', clientId, radius, items, placesOperand, placesOperand) },
  {
    weight: 1,
    arbitrary: command('WHATSAT', clientId, radius, items, placesOperand, placesOperand, placesOperand),
  },
  { weight: 1, arbitrary: command('AT', clientId, skew, clientId, position, time, braced) },
  { weight: 1, arbitrary: command('AT', clientId, skew, clientId, position, time, stamp) },
  { weight: 1, arbitrary: command('AT', clientId, skew, clientId, position, time, braced, stamp) },
  { weight: 1, arbitrary: command('ACK', ackLevel) },
  { weight: 1, arbitrary: command('WHOSAT', whoClient, radius, itemsOrAll) },
  { weight: 1, arbitrary: command('WHOSAT', whoClient, radius, itemsOrAll, time) },
  { weight: 1, arbitrary: command('WHOSAT', fc.constant('NEAR'), position, radius, itemsOrAll) },
  { weight: 1, arbitrary: command('WHOSAT', fc.constant('NEAR'), position, radius, itemsOrAll, time) },
  { weight: 1, arbitrary: command('WHOSAT', fc.constant('IN'), position, position, itemsOrAll) },
  { weight: 1, arbitrary: command('WHOSAT', fc.constant('IN'), position, position, itemsOrAll, time) },
  { weight: 1, arbitrary: command('WHOSAT', fc.constant('IN'), braced, itemsOrAll) },
  { weight: 1, arbitrary: command('WHOSAT', fc.constant('IN'), braced, itemsOrAll, time) },
  { weight: 1, arbitrary: command('WATCH', whoClient) },
  { weight: 1, arbitrary: command('WATCH', fc.constant('*'), radius, position) },
  { weight: 1, arbitrary: command('UNWATCH') },
  { weight: 1, arbitrary: command('TOKEN', clientId) },
  { weight: 1, arbitrary: command('HERD', fc.constant('1'), clientId) },
)

/** One field replaced, doubled or left out; or the word in another case. */
const nearlyFields = fc
  .tuple(fields, fc.nat(6), fc.nat(4), fc.oneof(oddities, position, time, clientId))
  .map(([line, index, how, other]) => {
    const at = index % line.length
    if (how === 0) return line.toSpliced(at, 1)
    if (how === 1) return line.toSpliced(at, 0, line[at] ?? '')
    if (how === 2) return line.with(0, (line[0] ?? '').toLowerCase())
    return line.with(at, other)
  })

const spaced = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: fields }, { weight: 2, arbitrary: nearlyFields }),
    fc.array(separator, { minLength: 10, maxLength: 10 }),
    margin,
    margin,
  )
  .map(([line, separators, before, after]) => {
    const text = line.map((field, index) => (index === 0 ? field : `${separators[index]}${field}`)).join('')
    return before + text + after
  })

/** A line with a few of its bytes changed, added or taken away. */
const scratched = fc
  .tuple(spaced, fc.array(fc.tuple(fc.nat(200), fc.nat(2), telling), { minLength: 1, maxLength: 3 }))
  .map(([line, scratches]) =>
    scratches.reduce((text, [place, how, byte]) => {
      const at = place % (text.length + 1)
      return text.slice(0, at) + (how === 0 ? '' : byte) + text.slice(how === 2 ? at : at + 1)
    }, line),
  )

const junk = fc.array(telling, { maxLength: 40 }).map((characters) => characters.join(''))

/** One line, or a few when a LF got into it. */
export const anyLine: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: spaced },
  { weight: 4, arbitrary: scratched },
  { weight: 1, arbitrary: junk },
  { weight: 1, arbitrary: margin },
)

/** What a client may send: lines, and sometimes a last one without its end. */
export const anyStream: fc.Arbitrary<string> = fc
  .tuple(fc.array(anyLine, { maxLength: 8 }), fc.constantFrom('', '', 'IAMAT', ' ', '\r'))
  .map(([lines, rest]) => lines.map((line) => `${line}\n`).join('') + rest)

/** How the network chops a stream: the sizes of the pieces, used over and over. */
export const chunking: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.constant([1_000_000]),
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
)

/** Cuts bytes into pieces of those sizes. */
export function chop(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] ?? bytes.length
    // A copy each, as from a socket: nothing may rely on what lies beside a chunk.
    chunks.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
  }
  return chunks
}
