/** Reads what servers answer: nothing is believed to be what it should be before it was looked at. */
import type { FixJson, HerdJson, ProblemJson, ReportedJson } from '../gateways/http/shapes.ts'
import type { Found, Places } from './questions.ts'

/** What came is not what a server of a herd would say. */
export class Nonsense extends Error {
  override readonly name = 'Nonsense'
}

/** Parses JSON. @throws {Nonsense} when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Nonsense(`answered with what is no JSON: ${JSON.stringify(text.slice(0, 60))}`)
  }
}

/** @throws {Nonsense} when it is no fix. */
export function readFix(json: unknown): FixJson {
  if (isFix(json)) return json
  throw new Nonsense('answered with what is no fix')
}

/** @throws {Nonsense} when they are no fixes. */
export function readFound(json: unknown): Found {
  if (!isObject(json) || !Array.isArray(json.fixes)) throw new Nonsense('answered with what are no fixes')
  return { fixes: json.fixes.map(readFix), more: json.more === true }
}

/** @throws {Nonsense} when they are no places. */
export function readPlaces(json: unknown): Places {
  if (isPlaces(json)) return json
  throw new Nonsense('answered with what are no places')
}

/** @throws {Nonsense} when it is no herd. */
export function readHerd(json: unknown): HerdJson {
  if (isHerd(json)) return json
  throw new Nonsense('answered with what is no herd')
}

/** What became of each report of a batch. @throws {Nonsense} when that is not told of all of them, or of others. */
export function readOutcomes(
  json: unknown,
  clients: readonly string[],
): readonly (ReportedJson | ProblemJson)[] {
  if (!Array.isArray(json) || json.length !== clients.length) {
    throw new Nonsense(`did not tell of ${clients.length} reports what became of each`)
  }
  return json.map((item: unknown, index) => {
    if (isObject(item) && isProblem(item.problem)) return item.problem
    if (isReported(item) && item.client === clients[index]) return item
    throw new Nonsense('did not tell what became of a report')
  })
}

/** Whether it is a problem of RFC 9457. */
export function isProblem(json: unknown): json is ProblemJson {
  return isObject(json) && hasTexts(json, ['type', 'title', 'detail']) && typeof json.status === 'number'
}

function isReported(json: unknown): json is ReportedJson {
  return isObject(json) && hasTexts(json, ['client', 'outcome', 'at'])
}

function isFix(json: unknown): json is FixJson {
  if (!isObject(json)) return false
  const isNumbered = NUMBERS_OF_A_FIX.every((name) => typeof json[name] === 'number')
  return isNumbered && hasTexts(json, TEXTS_OF_A_FIX) && /^\d+$/.test(String(json.time_ns))
}

const NUMBERS_OF_A_FIX: readonly Name[] = ['lat', 'lon', 'skew_s', 'age_s']
const TEXTS_OF_A_FIX: readonly Name[] = ['client', 'server', 'position', 'time', 'time_ns', 'received_at']

function isPlaces(json: unknown): json is Places {
  return isObject(json) && typeof json.status === 'string' && Array.isArray(json.results)
}

/** What any answer may have; whether a member is there, and what it is, is looked at. */
type Members = Readonly<Partial<Record<Name, unknown>>>
type Name =
  | keyof FixJson
  | keyof HerdJson
  | keyof ProblemJson
  | keyof ReportedJson
  | keyof Places
  | keyof Found
  | 'problem'

function isHerd(json: unknown): json is HerdJson {
  return isObject(json) && hasTexts(json, ['herd', 'server']) && Array.isArray(json.servers)
}

function isObject(json: unknown): json is Members {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function hasTexts(json: Members, names: readonly Name[]): boolean {
  return names.every((name) => typeof json[name] === 'string')
}
