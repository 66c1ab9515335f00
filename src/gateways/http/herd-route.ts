import type { FastifyInstance } from 'fastify'
import { callerOf } from './caller.ts'
import type { HttpContext } from './http-context.ts'
import { answers, herdSchema } from './schemas.ts'
import type { HerdJson } from './shapes.ts'

/** Adds `/v1/herd`: servers, links, and how they are. */
export function addHerdRoute(app: FastifyInstance, { gatekeeper, view }: HttpContext): void {
  app.get(
    '/v1/herd',
    {
      schema: {
        summary: 'The herd as this server sees it: servers, links, and how they are',
        tags: ['herd'],
        response: answers(herdSchema, null),
      },
    },
    async (request, reply): Promise<HerdJson> => {
      callerOf(request, gatekeeper)
      void reply.header('cache-control', 'no-store')
      return view()
    },
  )
}
