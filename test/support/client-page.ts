/** Chromium, with the client on a page that a server of the herd did not make. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import { buildClient } from '../../scripts/build-client.ts'

const CHROMIUM = '/usr/bin/chromium'

/** A page, and where it comes from. */
export interface ClientPage {
  readonly page: Page
  readonly origin: string
}

/** Serves a page that has the client as `window.herd`, before a herd is there that may allow its origin. */
export async function serveClient(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'herd-page-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'client.js')
  await buildClient(file)
  const script = await readFile(file)
  const server = createServer((request, response) => {
    const isScript = request.url === '/client.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' })
    response.end(isScript ? script : '<!doctype html><title>client</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

/** Opens a page in Chromium. */
export async function openPage(t: TestContext, origin: string): Promise<Page> {
  assert.ok(existsSync(CHROMIUM), `${CHROMIUM} is missing: install Debian’s chromium (npm run setup)`)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(origin)
  return page
}
