import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Where `npm run build:web` puts the map: the same from `src/` and from `dist/`. */
const BUILT = fileURLToPath(new URL('../../../dist/web/', import.meta.url))
const PAGE = 'index.html'

/**
 * What the page may do: ask the server that it is from, and nobody else. Styles come from its own file, the map's worker too; pictures
 * may be made by the page itself, street tiles among them.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What the map needs of its server. */
export interface MapContext {
  /** Absolute path of an archive of street tiles; `undefined`: there is none. */
  readonly pmtiles: string | undefined
  /** Where the built page is, if elsewhere than in this package. */
  readonly folder?: string
}

/** Answers a request for `/`. */
export type PageHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** Adds what the live map loads. @returns what answers `/`, which other gateways may have a claim to. */
export async function addMapRoutes(
  app: FastifyInstance,
  { pmtiles, folder = BUILT }: MapContext,
): Promise<PageHandler> {
  await app.register(fastifyStatic, {
    root: `${folder}/assets`,
    prefix: '/assets/',
    index: false,
    preCompressed: true,
    // What is in them is in their names.
    immutable: true,
    maxAge: '365d',
    setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
  })
  const hidden = { schema: { hide: true } }
  app.get('/map.json', hidden, () => ({ tiles: pmtiles === undefined ? null : 'map/tiles.pmtiles' }))
  if (pmtiles !== undefined) {
    app.get('/map/tiles.pmtiles', hidden, (request, reply) => {
      // A browser reads a few kilobytes of it here and there: of the archive, not of its like that lies beside it, compressed.
      request.headers['accept-encoding'] = 'identity'
      return reply.sendFile(basename(pmtiles), dirname(pmtiles), { maxAge: 0, immutable: false })
    })
  }
  return async (_request, reply) => {
    void reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
    void reply.header('content-security-policy', PAGE_POLICY)
    if (!existsSync(`${folder}/${PAGE}`))
      return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT)
    return reply.sendFile(PAGE, folder, { maxAge: 0, immutable: false, cacheControl: false })
  }
}

const NOT_BUILT = `The live map is not built.

In a checkout of Herd, make it with

    npm install
    npm run build:web

and load this page again. Everything else works without it: the API is described at /docs.
`
