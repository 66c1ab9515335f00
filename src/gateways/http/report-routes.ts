import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { CallRefused } from '../calls/call-refused.ts'
import type { Caller, Calls } from '../calls/calls.ts'
import { callerOf } from './caller.ts'
import { reportOf } from './fix-json.ts'
import { GEOJSON_TYPE, isObject, reportOfFeature, reportsOfGeojson } from './geojson.ts'
import type { HttpContext } from './http-context.ts'
import { problemOf } from './problem.ts'
import { reportAnswers, reportBody, reportSchema } from './schemas.ts'
import type { NotReportedJson, ReportedJson, ReportJson } from './shapes.ts'
import { type Check, makeCheck } from './validation.ts'

/** Reports that one request may bring. */
export const BATCH_MAX = 1000

const report: Check<ReportJson> = makeCheck(reportSchema, 'the report')

/** Reads bodies of JSON. Nothing of ours trips over a member `__proto__`: it is one like any other. */
export function addJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const types = ['application/json', GEOJSON_TYPE]
  app.addContentTypeParser(types, { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    try {
      done(null, parseJson(body))
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new CallRefused('invalid', 'the body is no UTF-8, as JSON must be')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CallRefused('invalid', `the body is no JSON: ${reason}`)
  }
}

/** Adds what takes reports. */
export function addReportRoutes(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  app.post<{ Body: unknown }>(
    '/v1/fixes',
    {
      schema: {
        summary: 'Report where clients are',
        description: `One report, or up to ${BATCH_MAX} of them: a list, or GeoJSON. Of several each has its own result, in their order, and those that were wrong keep none of the others back.`,
        tags: ['reports'],
        body: reportBody,
        response: reportAnswers,
      },
    },
    (request) => {
      const { body } = request
      const caller = callerOf(request, gatekeeper)
      const many = Array.isArray(body) ? body : reportsOfGeojson(body)
      return many === null ? reportOne(calls, body, caller) : reportMany(calls, many, caller)
    },
  )
}

/**
 * Takes a report as JSON, or as a Feature.
 *
 * @throws {CallRefused} as `Calls.report`, and when it is no report.
 */
export async function reportOne(calls: Calls, json: unknown, caller: Caller): Promise<ReportedJson> {
  report.check(json)
  const reported = await calls.report(reportOf(json), caller)
  return { client: json.client, ...reported }
}

async function reportMany(
  calls: Calls,
  many: readonly unknown[],
  caller: Caller,
): Promise<(ReportedJson | NotReportedJson)[]> {
  if (many.length > BATCH_MAX) {
    throw new CallRefused('invalid', `${many.length} reports came; one request may bring ${BATCH_MAX}`)
  }
  return await Promise.all(
    many.map(async (one) => {
      let json: unknown = one
      try {
        json = reportOfFeature(one)
        return await reportOne(calls, json, caller)
      } catch (error) {
        if (!(error instanceof CallRefused)) throw error
        const client = isObject(json) && typeof json.client === 'string' ? json.client : null
        return { client, problem: problemOf(error) }
      }
    }),
  )
}
