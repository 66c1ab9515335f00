/** What the routes of phones share: bodies as they are, and fields of queries and forms. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Gatekeeper } from '../access/grant.ts'
import type { Caller } from '../calls/calls.ts'
import { admittedBy, callerOf } from './caller.ts'

/** Hands bodies to the routes of `app` as they came, whatever type they are said to have, empty ones too. */
export function takeBodiesAsTheyAre(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** The body of a request whose route takes bodies as they are; without one, it is empty. */
export function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

/** The fields of a request's query, whatever its encoding is worth. */
export function queryOf({ url }: Pick<FastifyRequest, 'url'>): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1))
}

/**
 * Who sends a request that may bring its token in a field, as apps do that send no headers of one's choice.
 *
 * @throws {CallRefused} when it is not admitted.
 */
export function phoneCallerOf(
  request: FastifyRequest,
  gatekeeper: Gatekeeper,
  fields: URLSearchParams,
): Caller {
  const token = fields.get('token')
  if (token === null || token === '') return callerOf(request, gatekeeper)
  return admittedBy(gatekeeper, token, request.socket.remoteAddress)
}
