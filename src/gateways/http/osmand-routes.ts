import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CallRefused } from '../calls/call-refused.ts'
import type { Report } from '../calls/report.ts'
import { hasDevice, readOsmAndFields, readOsmAndJson } from '../osmand/osmand.ts'
import type { HttpContext } from './http-context.ts'
import { OriginGuard } from './origin-guard.ts'
import { bodyOf, phoneCallerOf, queryOf, takeBodiesAsTheyAre } from './phone-requests.ts'
import { problemSchema } from './schemas.ts'

/** Answers a request of OsmAnd or Traccar Client. */
export type OsmAndHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

const SCHEMA = {
  summary: 'Report a position as OsmAnd and Traccar Client do',
  description:
    'As https://www.traccar.org/osmand/ has it: `id` or `deviceid`, `lat` and `lon` or `location`, `timestamp`, `speed` (knots), `bearing` or `heading`, `altitude`, `accuracy`, `batt` and others, in a query or a form; or JSON. A token may be the field `token`.',
  response: { default: problemSchema },
} as const

/**
 * Whether a request to `/` is one of OsmAnd or Traccar Client: it names a device in its query, or brings something. What is
 * not is for the map.
 */
export function isOsmAnd({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): boolean {
  return method === 'POST' || (method === 'GET' && hasDevice(queryOf({ url })))
}

/** Makes what answers OsmAnd and Traccar Client, for a route whose bodies are taken as they are. */
export function osmAndHandler(
  context: Pick<HttpContext, 'calls' | 'gatekeeper' | 'system' | 'allowedOrigins' | 'allowedHosts'>,
): OsmAndHandler {
  const { calls, gatekeeper, system } = context
  const guard = new OriginGuard(context)
  return async (request, reply) => {
    // A GET changes something here: a picture in a page of another origin would be enough.
    if (!guard.admits(request)) {
      throw new CallRefused('not-allowed', 'pages of other origins may not report here (http.allowedOrigins)')
    }
    const query = queryOf(request)
    const body = bodyOf(request)
    const isJson = isJsonBody(request, body)
    const fields = isJson ? query : new URLSearchParams([...query, ...new URLSearchParams(body.toString())])
    const caller = phoneCallerOf(request, gatekeeper, fields)
    const reports: readonly Report[] = isJson ? readOsmAndJson(body) : [readOsmAndFields(fields)]
    await reportAll(reports, {
      report: (report) => calls.report(report, caller),
      wait: (ms) => new Promise((resolve) => void system.after(ms, resolve)),
      isGone: () => request.socket.destroyed,
    })
    return reply.code(200).send()
  }
}

/**
 * Takes all reports that came in one request. A phone sends them again until all are taken, and they may be more than its address
 * may ever send in a second: then the newest stands for those that were too many, which are no news once it is known.
 *
 * @throws {CallRefused} when one was refused for another reason, or all were too many.
 */
async function reportAll(
  reports: readonly Report[],
  how: {
    readonly report: (report: Report) => Promise<unknown>
    readonly wait: (ms: number) => Promise<void>
    readonly isGone: () => boolean
  },
): Promise<void> {
  const outcomes = await Promise.allSettled(reports.map(how.report))
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (reasons.length === 0) return
  if (reasons.length === reports.length || !reasons.every(isRate)) {
    throw reasons.find((reason) => !isRate(reason)) ?? reasons[0]
  }
  const timeOf = ({ time }: Report): number => (time === null ? Number.POSITIVE_INFINITY : Number(time))
  const newest = reports.reduce((most, report) => (timeOf(report) >= timeOf(most) ? report : most))
  for (;;) {
    try {
      await how.report(newest)
      return
    } catch (error) {
      if (!isRate(error) || how.isGone()) throw error
      await how.wait(error.waitMs ?? 0)
    }
  }
}

function isRate(error: unknown): error is CallRefused {
  return error instanceof CallRefused && error.code === 'rate'
}

function isJsonBody({ headers }: FastifyRequest, body: Buffer): boolean {
  return (
    body.length > 0 &&
    (/\bjson\b/i.test(headers['content-type'] ?? '') || body.toString().trimStart()[0] === '{')
  )
}

/**
 * Adds `/osmand`, and reports at `/`. @param otherwise answers what else is asked of `/`: the map.
 */
export function addOsmAndRoutes(app: FastifyInstance, context: HttpContext, otherwise: OsmAndHandler): void {
  const handle = osmAndHandler(context)
  void app.register((scope, _options, done) => {
    takeBodiesAsTheyAre(scope)
    const hidden = { ...SCHEMA, hide: true }
    scope.route({ method: ['GET', 'POST'], url: '/osmand', schema: SCHEMA, handler: handle })
    scope.post('/', { schema: hidden }, handle)
    scope.get('/', { schema: hidden }, (request, reply) =>
      isOsmAnd(request) ? handle(request, reply) : otherwise(request, reply),
    )
    done()
  })
}
