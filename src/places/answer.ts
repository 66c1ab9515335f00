/** A provider's answer as it is kept and cut, and what goes wrong instead of one. Pure. */
import { findResults, type ResultsSpan, squeezeNewlines } from './json-text.ts'
import { type FailureStatus, type PlacesBody, ProviderFailed } from './provider.ts'

/** What is told of a source's own words, characters. */
const SAID_LENGTH_MAX = 200

/** Squeezed and scanned once, cut often. */
export interface Answer {
  readonly text: string
  readonly results: ResultsSpan
  readonly status: string
}

/** Makes an answer of a body. @throws {ProviderFailed} when it has no list of places. */
export function readAnswer(body: PlacesBody): Answer {
  if (body.results !== undefined) return { text: body.text, results: body.results, status: body.status }
  const text = squeezeNewlines(body.text)
  return { text, results: findResults(text, body.list), status: body.status }
}

/** The source itself says, in a body of its own, that it failed. Where nobody else answers, clients get that body. */
export class AnswerFailed extends ProviderFailed {
  readonly answer: Answer

  constructor(answer: Answer, status: FailureStatus, message: string) {
    super(message, status, { mayRetry: status === 'UNKNOWN_ERROR' })
    this.answer = answer
  }
}

/** Throws what an answer says that is no answer. @throws {AnswerFailed} */
export function assertUsable(answer: Answer, provider: string): void {
  const { status } = answer
  if (!isFailureStatus(status)) return
  const said = saidBy(answer.text)
  throw new AnswerFailed(answer, status, `${provider} answered ${status}${said === '' ? '' : `: ${said}`}`)
}

/** The source's own words about its failure. The text is JSON, and its provider has taken the key out. */
function saidBy(text: string): string {
  const body: unknown = JSON.parse(text)
  if (typeof body !== 'object' || body === null || !('error_message' in body)) return ''
  return typeof body.error_message === 'string' ? body.error_message.slice(0, SAID_LENGTH_MAX).trim() : ''
}

/** Whatever was thrown, as what a client may see. */
export function asProviderFailed(error: unknown): ProviderFailed {
  if (error instanceof ProviderFailed) return error
  return new ProviderFailed('The places provider failed.', 'UNKNOWN_ERROR', { cause: error })
}

function isFailureStatus(status: string): status is FailureStatus {
  switch (status) {
    case 'INVALID_REQUEST':
    case 'OVER_QUERY_LIMIT':
    case 'REQUEST_DENIED':
    case 'UNKNOWN_ERROR':
      return true
    default:
      return false
  }
}
