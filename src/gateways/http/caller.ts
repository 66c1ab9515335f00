import type { FastifyRequest } from 'fastify'
import { type Gatekeeper, isRefused } from '../access/grant.ts'
import type { Caller } from '../calls/calls.ts'
import { NotAdmitted } from './problem.ts'

const BEARER = /^Bearer +(\S+)$/i
const BASIC = /^Basic +(\S+)$/i

/**
 * Who sends a request: by its bearer token, or the password of Basic authentication, which is what phones can send.
 *
 * @throws {NotAdmitted} when it is not.
 */
export function callerOf(request: FastifyRequest, gatekeeper: Gatekeeper): Caller {
  return admittedBy(gatekeeper, tokenOf(request.headers.authorization), request.socket.remoteAddress)
}

/** Who shows a token. @param token `null`: nothing is shown. @throws {NotAdmitted} when it is not. */
export function admittedBy(gatekeeper: Gatekeeper, token: string | null, address: string = ''): Caller {
  const grant = gatekeeper.admit(token, address)
  if (isRefused(grant)) throw new NotAdmitted(grant.reason)
  return { address, grant }
}

/** The token in an `Authorization` header; `null`: there is none. */
export function tokenOf(authorization: string | undefined): string | null {
  if (authorization === undefined) return null
  const bearer = BEARER.exec(authorization)?.[1]
  if (bearer !== undefined) return bearer
  const basic = BASIC.exec(authorization)?.[1]
  if (basic === undefined) return null
  const text = Buffer.from(basic, 'base64').toString('utf8')
  const password = text.slice(text.indexOf(':') + 1)
  return password === '' ? null : password
}
