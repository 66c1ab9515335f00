/** The schemas of what is sent to `/v1/socket`. */
import Type from 'typebox'
import { EARTH_RADIUS_M } from './areas.ts'
import { nearMembers } from './query-schemas.ts'
import { clientId, latitude, longitude, object, reportSchema } from './schemas.ts'
import type { CircleJson, SocketAskJson } from './shapes.ts'
import { type Check, makeCheck } from './validation.ts'

/** A message with this `op`. */
export type Ask<Op extends SocketAskJson['op']> = Extract<SocketAskJson, { readonly op: Op }>

const ID_LENGTH_MAX = 64
const id = Type.String({
  minLength: 1,
  maxLength: ID_LENGTH_MAX,
  description: 'Chosen by who asks; what belongs to it has the same.',
})
const circle = object<CircleJson>('A circle.', {
  lat: latitude,
  lon: longitude,
  radius_m: Type.Number({ minimum: 0, maximum: EARTH_RADIUS_M, description: 'Metres.' }),
})
const op = (name: SocketAskJson['op']): Type.TLiteral => Type.Literal(name)

const token = object<Ask<'token'>>('Shows a token.', { op: op('token'), token: Type.String() })
const report = object<Ask<'report'>>('Reports where a client is.', {
  op: op('report'),
  id: Type.Optional(id),
  report: reportSchema,
})
const watch = object<Ask<'watch'>>('Watches.', {
  ...{ op: op('watch'), id },
  clients: Type.Optional(Type.Array(clientId, { description: 'Only these.' })),
  circle: Type.Optional(circle),
  box: Type.Optional(
    Type.Array(Type.Number(), { minItems: 4, maxItems: 4, description: 'West, south, east, north.' }),
  ),
  from: Type.Optional(
    Type.Union([
      Type.Enum(['all', 'now']),
      Type.Object({ cursor: Type.String() }, { additionalProperties: false }),
    ]),
  ),
})
const unwatch = object<Ask<'unwatch'>>('Watches no more.', { op: op('unwatch'), id })
const get = object<Ask<'get'>>('Asks for a client.', { op: op('get'), id, client: clientId })
const near = object<Ask<'near'>>('Asks who is near.', {
  ...{ op: op('near'), id },
  ...nearMembers,
})
const ping = object<Ask<'ping'>>('Asks for a pong.', { op: op('ping') })

/** The check of each message, by its `op`. */
export const SOCKET_CHECKS: { readonly [Op in SocketAskJson['op']]: Check<Ask<Op>> } = {
  token: makeCheck(token, 'the message'),
  report: makeCheck(report, 'the message'),
  watch: makeCheck(watch, 'the message'),
  unwatch: makeCheck(unwatch, 'the message'),
  get: makeCheck(get, 'the message'),
  near: makeCheck(near, 'the message'),
  ping: makeCheck(ping, 'the message'),
}

/** Everything that may be sent, for the documentation. */
export const socketAskSchema: Type.TSchema = Type.Union([token, report, watch, unwatch, get, near, ping])
