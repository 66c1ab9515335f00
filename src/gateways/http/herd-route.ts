import type { FastifyInstance } from 'fastify'
import { callerOf } from './caller.ts'
import { healthJson, herdJson, Rate } from './herd-json.ts'
import type { HttpContext } from './http-gateway.ts'
import { answers, herdSchema } from './schemas.ts'
import type { HerdJson } from './shapes.ts'

/** How often rates are measured. */
const SAMPLE_MS = 2000

/** Adds `/v1/herd`: servers, links, and how they are. */
export function addHerdRoute(app: FastifyInstance, context: HttpContext): void {
  const { gatekeeper, system, counters, status, version } = context
  const rate = new Rate(() => counters.fixesNew, system.nowMs)
  let cancel = system.after(SAMPLE_MS, sample)
  function sample(): void {
    rate.sample()
    cancel = system.after(SAMPLE_MS, sample)
  }
  app.addHook('onClose', async () => cancel())
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
      const now = status()
      const own = healthJson(now, version, rate.perSecond)
      return herdJson(now, new Map([...(context.health?.() ?? []), [now.server, own]]))
    },
  )
}
