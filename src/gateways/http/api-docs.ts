import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** All that the page needs comes from the server itself. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"

/**
 * Adds `/openapi.json`, and the page that shows it, at `/docs`; both are made of the routes' own schemas, and need nothing from
 * elsewhere. To be added before the routes.
 */
export async function addApiDocs(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Herd',
        description: 'Report a location to any server of a herd, and ask any server about it.',
        version,
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // No validator on the net is asked, and plain HTTP from another machine does.
    uiConfig: {
      validatorUrl: null,
      docExpansion: 'list',
      tryItOutEnabled: true,
      persistAuthorization: false,
    },
    staticCSP: CSP,
    theme: { title: 'Herd: the HTTP API' },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
