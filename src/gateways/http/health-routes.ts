import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { ServerStatus } from '../../replication/status.ts'
import type { HttpContext } from './http-context.ts'

const text = { 200: { description: 'Yes.', content: { 'text/plain': { schema: Type.String() } } } }
const textOrNot = {
  ...text,
  503: { description: 'Not now.', content: { 'text/plain': { schema: Type.String() } } },
}
/** `?verbose` has no value. */
const verbose = Type.Object(
  { verbose: Type.Optional(Type.String({ description: 'Says what was looked at.' })) },
  { additionalProperties: false },
)

/** One thing that was looked at. */
interface Looked {
  readonly what: string
  readonly isWell: boolean
  readonly says: string
}

/** Adds what supervisors and load balancers ask. Nobody needs a token for that, and nothing is told of clients. */
export function addHealthRoutes(app: FastifyInstance, { status }: HttpContext): void {
  app.get(
    '/livez',
    { schema: { summary: 'Whether it lives', tags: ['health'], response: text } },
    (_request, reply) => send(reply, 200, 'ok\n'),
  )
  app.get<{ Querystring: { readonly verbose?: string } }>(
    '/readyz',
    {
      schema: {
        summary: 'Whether it knows what its herd knows',
        description:
          'It is not ready while it catches up, or reaches none of its neighbors. It answers all the same.',
        ...{ tags: ['health'], querystring: verbose, response: textOrNot },
      },
    },
    (request, reply) => {
      const looks = readyLooks(status())
      return answer(reply, looks, request.query.verbose !== undefined)
    },
  )
  app.get<{ Querystring: { readonly verbose?: string } }>(
    '/healthz',
    {
      schema: {
        summary: 'Whether all is well with it',
        description:
          'Besides being ready: its journal is written, no table was found to differ, no other server has its name.',
        ...{ tags: ['health'], querystring: verbose, response: textOrNot },
      },
    },
    (request, reply) => {
      const now = status()
      return answer(reply, [...readyLooks(now), ...wellLooks(now)], request.query.verbose !== undefined)
    },
  )
}

function readyLooks({ readiness }: ServerStatus): Looked[] {
  return [{ what: 'herd', isWell: readiness === 'ready', says: readiness }]
}

function wellLooks({ journal, hasTwin, counters }: ServerStatus): Looked[] {
  const { auditsFailed: audits = 0 } = counters
  return [
    { what: 'journal', isWell: journal !== 'failing', says: journal },
    { what: 'name', isWell: !hasTwin, says: hasTwin ? 'another server has it' : 'its own' },
    { what: 'tables', isWell: audits === 0, says: audits === 0 ? 'agree' : `${audits} audits failed` },
  ]
}

function answer(reply: Sends, looks: readonly Looked[], isVerbose: boolean): unknown {
  const isWell = looks.every((look) => look.isWell)
  const lines = looks.map(({ what, isWell: well, says }) => `[${well ? '+' : '-'}] ${what}: ${says}\n`)
  const verdict = isWell
    ? 'ok\n'
    : `not ok: ${looks
        .filter((look) => !look.isWell)
        .map(({ says }) => says)
        .join(', ')}\n`
  return send(reply, isWell ? 200 : 503, isVerbose ? lines.join('') + verdict : verdict)
}

/** What of a reply is used here. */
interface Sends {
  code(status: number): this
  type(type: string): this
  header(name: string, value: string): this
  serializer(serialize: (payload: string) => string): this
  send(payload: string): unknown
}

function send(reply: Sends, status: number, body: string): unknown {
  return reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .serializer(String)
    .send(body)
}
