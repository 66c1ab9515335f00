import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { isLoopbackHost, plainAddress } from '../../replication/addresses.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { callerOf } from './caller.ts'
import type { HttpContext } from './http-context.ts'
import type { Metrics } from './metrics.ts'

/** Adds `/metrics`. From the server's own machine nobody needs a token; from elsewhere one that reads all. */
export function addMetricsRoute(app: FastifyInstance, { gatekeeper }: HttpContext, metrics: Metrics): void {
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics, for Prometheus',
        description: 'From other machines than the server’s a token is needed that may read all.',
        tags: ['health'],
        response: { 200: { description: 'Metrics.', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const address = plainAddress(request.socket.remoteAddress ?? '')
      if (!isLoopbackHost(address) && !callerOf(request, gatekeeper).grant.readsAll) {
        throw new CallRefused('not-allowed', 'metrics are for those who may read all')
      }
      return await reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.text())
    },
  )
}
