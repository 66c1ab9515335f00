/**
 * The vectors of `vectors.json`, and what a reply must be to fit one. Whoever talks to a server (a test in memory or
 * over TCP, of ours or of anyone) brings the bytes.
 */
import { readFileSync } from 'node:fs'

/** One piece of a reply; strings are Latin-1. What each means is told at the top of `vectors.json`. */
export type Expectation =
  | string
  | { readonly at: ExpectedAt }
  | { readonly places: { readonly itemsMax: number } }

/** An AT line. */
export interface ExpectedAt {
  readonly server: string
  readonly client: string
  readonly position: string
  readonly time: string
  /** The difference where clocks are set as the vector says; without it, any. */
  readonly skew?: string
}

/** One connection: what is sent before it is half-closed, and the whole of what comes back. */
export interface Step {
  readonly to: string
  /** The servers' clocks from here on, as POSIX seconds; without it, as before. */
  readonly clock?: string
  /** Ask again until the reply fits. */
  readonly eventually?: boolean
  readonly send: string
  readonly expect: readonly Expectation[]
}

/** One rule, tried. */
export interface Vector {
  readonly name: string
  readonly why: string
  /** Means something only where clocks can be set. */
  readonly needsClock?: boolean
  readonly steps: readonly Step[]
}

/** Reads all vectors. They share a herd: each has its own clients. */
export function loadVectors(): readonly Vector[] {
  const text = readFileSync(new URL('vectors.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { vectors: readonly Vector[] }).vectors
}

/** The bytes that a step sends. */
export function bytesOf(step: Step): Buffer {
  return Buffer.from(step.send, 'latin1')
}

/**
 * Checks a whole reply.
 *
 * @param clockIsSet whether the servers' clocks stand where the vector says: then differences are compared.
 * @returns what is wrong, or `null`.
 */
export function checkReply(
  expect: readonly Expectation[],
  reply: Buffer,
  clockIsSet: boolean = false,
): string | null {
  let rest = reply.toString('latin1')
  for (const expectation of expect) {
    const checked = checkPiece(expectation, rest, clockIsSet)
    if (typeof checked === 'string') return `${checked}\nexpected ${JSON.stringify(expectation)}`
    rest = rest.slice(checked.length)
  }
  return rest === '' ? null : `more than expected: ${show(rest)}`
}

/** How long the piece at the beginning of `reply` is; or what is wrong with it. */
function checkPiece(
  expectation: Expectation,
  reply: string,
  clockIsSet: boolean,
): { length: number } | string {
  if (typeof expectation === 'string') {
    return reply.startsWith(expectation) ? { length: expectation.length } : `other bytes: ${show(reply)}`
  }
  return 'at' in expectation
    ? checkAt(expectation.at, reply, clockIsSet)
    : checkPlaces(expectation.places.itemsMax, reply)
}

function checkAt(expected: ExpectedAt, reply: string, clockIsSet: boolean): { length: number } | string {
  const lineEnd = reply.indexOf('\n')
  if (lineEnd === -1) return `no line: ${show(reply)}`
  const [word, server, skew = '', ...copies] = reply.slice(0, lineEnd).split(' ')
  if (word !== 'AT' || server !== expected.server) return `no AT line of ${expected.server}: ${show(reply)}`
  if (copies.join(' ') !== [expected.client, expected.position, expected.time].join(' ')) {
    return `other copies: ${show(reply)}`
  }
  const skewFits = clockIsSet && expected.skew !== undefined ? skew === expected.skew : isSkew(skew)
  return skewFits ? { length: lineEnd + 1 } : `another difference: ${show(reply)}`
}

/** A sign, seconds without needless zeros, nine digits; and zero is positive. */
function isSkew(text: string): boolean {
  return /^[+-](?:0|[1-9]\d*)\.\d{9}$/.test(text) && text !== '-0.000000000'
}

/** JSON as Google's Places API answers, without adjacent newlines, then two of them. */
function checkPlaces(itemsMax: number, reply: string): { length: number } | string {
  const end = reply.indexOf('\n\n')
  if (end === -1) return `no empty line: ${show(reply)}`
  const text = Buffer.from(reply.slice(0, end), 'latin1').toString('utf8')
  const body = parseBody(text)
  if (body === null) return `no JSON of places: ${show(text)}`
  if (body.results.length > itemsMax) return `${body.results.length} results are more than ${itemsMax}`
  return { length: end + 2 }
}

function parseBody(text: string): { readonly results: readonly unknown[] } | null {
  try {
    const body = JSON.parse(text) as Record<string, unknown>
    const { results, status, html_attributions: attributions } = body
    const fits = text.startsWith('{') && Array.isArray(attributions) && typeof status === 'string'
    return fits && Array.isArray(results) ? { results } : null
  } catch {
    return null
  }
}

function show(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text)
}
