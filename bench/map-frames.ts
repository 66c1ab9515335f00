/**
 * Opens a server's map in a headless Chromium, waits until it has all movers, and times its frames. Prints what it counted as one line
 * of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    browser: { type: 'string', default: '/usr/bin/chromium' },
    movers: { type: 'string', default: '10000' },
    'warm-up-seconds': { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
  },
})
const ALL_HERE_MS_MAX = 60_000
const VIEW = { width: 1280, height: 800 } as const

/** Whether the page says that all are there, whatever separates its thousands. */
const ALL_HERE = `document.body.innerText.replace(/(\\d)[,.\\s](?=\\d{3})/g, '$1').includes('${values.movers}')`
/** The milliseconds between the page's frames, for a while. Text, because it runs there and not here. */
const FRAMES = `new Promise((resolve) => {
  const frames = []
  const endMs = performance.now() + ${Number(values.seconds) * 1000}
  let lastMs = performance.now()
  const next = () => {
    const nowMs = performance.now()
    frames.push(nowMs - lastMs)
    lastMs = nowMs
    if (nowMs < endMs) requestAnimationFrame(next)
    else resolve(frames)
  }
  requestAnimationFrame(next)
})`

const browser = await chromium.launch({
  executablePath: values.browser,
  // No graphics card: WebGL is drawn by the CPU.
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
})
try {
  const page = await browser.newPage({ viewport: VIEW, bypassCSP: true })
  const problems: string[] = []
  page.on('pageerror', ({ message }) => problems.push(message))
  await page.goto(values.url)
  await page.waitForFunction(ALL_HERE, undefined, { timeout: ALL_HERE_MS_MAX })
  await sleep(Number(values['warm-up-seconds']) * 1000)
  const frames = await page.evaluate<number[]>(FRAMES)
  if (problems.length > 0) throw new Error(`the page failed: ${problems[0]}`)
  process.stdout.write(`${JSON.stringify(summary(frames))}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await browser.close()
}

function summary(frames: readonly number[]): object {
  const sorted = frames.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
  const seconds = frames.reduce((sum, ms) => sum + ms, 0) / 1000
  return { frames: frames.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
