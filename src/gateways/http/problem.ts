import type { FastifyReply } from 'fastify'
import { CallRefused, type RefusalCode } from '../calls/call-refused.ts'
import type { ProblemJson } from './shapes.ts'

/** The type of an error's body: RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json'

const STATUS: Readonly<Record<RefusalCode, readonly [status: number, title: string]>> = {
  invalid: [400, 'Bad Request'],
  'not-allowed': [403, 'Forbidden'],
  'unknown-client': [404, 'Not Found'],
  'too-many': [422, 'Too Many Answers'],
  rate: [429, 'Too Many Requests'],
  'clock-off': [503, 'Clock Off'],
  'table-full': [507, 'Table Full'],
  late: [504, 'Not Held Widely Enough In Time'],
}

/** Whoever asks shows no token, or none that holds. */
export class NotAdmitted extends CallRefused {
  constructor(reason: string) {
    super('not-allowed', reason)
  }
}

/** The HTTP status of a refusal. */
export function statusOf(code: RefusalCode): number {
  return STATUS[code][0]
}

/** What a call was refused for, as JSON. */
export function problemOf({ code, message }: Pick<CallRefused, 'code' | 'message'>): ProblemJson {
  const [status, title] = STATUS[code]
  return { type: `urn:herd:${code}`, title, status, detail: message }
}

/** A problem as the text of a body. */
export function problemText(status: number, code: string, title: string, detail: string): string {
  const problem: ProblemJson = { type: `urn:herd:${code}`, title, status, detail }
  return JSON.stringify(problem)
}

/** Answers with a problem. @param code for programs. @param detail what was wrong, and what would be right. */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  code: string,
  title: string,
  detail: string,
): FastifyReply {
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send({ type: `urn:herd:${code}`, title, status, detail })
}

/** Answers with what a call was refused for. */
export function sendRefusal(reply: FastifyReply, refused: CallRefused): FastifyReply {
  const { code, message, waitMs } = refused
  if (refused instanceof NotAdmitted) {
    void reply.header('www-authenticate', 'Bearer realm="herd"')
    return sendProblem(reply, 401, 'not-admitted', 'Unauthorized', message)
  }
  const [status, title] = STATUS[code]
  if (waitMs !== null) void reply.header('retry-after', Math.max(1, Math.ceil(waitMs / 1000)))
  return sendProblem(reply, status, code, title, message)
}
