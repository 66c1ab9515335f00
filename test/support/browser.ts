/** Debian's Chromium with nobody before it, for tests of the map. */
import { mkdir } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
const ARTIFACTS = fileURLToPath(new URL('../artifacts/', import.meta.url))

/** Small, because every pixel is drawn by the processor. */
export const VIEWPORT = { width: 1000, height: 680 } as const

/** A page, and what went wrong on it. */
export interface TestPage {
  readonly page: Page
  /** Requests for other origins than the page's own: each was kept from leaving. */
  readonly strangers: readonly string[]
  /** What the page, or the browser about it, complained of: scripts, styles that its policy forbids. */
  readonly complaints: readonly string[]
  /** Keeps a picture of it in test/artifacts. */
  readonly shot: (name: string) => Promise<void>
}

/** Starts the browser; it is gone when the test is over. It draws without a graphics card. */
export async function startBrowser(t: TestContext): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  })
  t.after(() => browser.close())
  return browser
}

/** Loads a page with all other hosts blocked. */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<TestPage> {
  const { origin } = new URL(address)
  const context = await browser.newContext({ viewport: VIEWPORT, ...options })
  const page = await context.newPage()
  const strangers: string[] = []
  const complaints: string[] = []
  await context.route(
    (url) => url.origin !== origin && url.protocol !== 'data:' && url.protocol !== 'blob:',
    (route) => {
      strangers.push(route.request().url())
      return route.abort()
    },
  )
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A server that is killed, or that refuses, is told of here too.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text())
  })
  await page.goto(address)
  return {
    page,
    strangers,
    complaints,
    shot: async (name) => {
      await mkdir(ARTIFACTS, { recursive: true })
      await page.screenshot({ path: `${ARTIFACTS}${name}.png` })
    },
  }
}
