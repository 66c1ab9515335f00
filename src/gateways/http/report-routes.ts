import type { FastifyInstance } from 'fastify'
import { callerOf } from './caller.ts'
import { reportOf } from './fix-json.ts'
import type { HttpContext } from './http-gateway.ts'
import { problemSchema, reportedSchema, reportSchema } from './schemas.ts'
import type { ReportedJson, ReportJson } from './shapes.ts'

/** Adds what takes reports. */
export function addReportRoutes(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  app.post<{ Body: ReportJson }>(
    '/v1/fixes',
    {
      schema: {
        summary: 'Report where a client is',
        body: reportSchema,
        response: { 200: reportedSchema, default: problemSchema },
      },
    },
    async (request): Promise<ReportedJson> => {
      const reported = await calls.report(reportOf(request.body), callerOf(request, gatekeeper))
      return { client: request.body.client, ...reported }
    },
  )
}
