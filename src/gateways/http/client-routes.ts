import type { FastifyInstance } from 'fastify'
import { callerOf } from './caller.ts'
import { fixJson } from './fix-json.ts'
import type { HttpContext } from './http-gateway.ts'
import { fixSchema, problemSchema } from './schemas.ts'
import type { FixJson } from './shapes.ts'

/** Adds what tells of clients. */
export function addClientRoutes(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  app.get<{ Params: { client: string } }>(
    '/v1/clients/:client',
    {
      schema: {
        summary: 'Where a client is',
        response: { 200: fixSchema, default: problemSchema },
      },
    },
    async (request): Promise<FixJson> => {
      const caller = callerOf(request, gatekeeper)
      return fixJson(calls.fix(request.params.client, caller), calls.now)
    },
  )
}
