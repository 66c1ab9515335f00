/** The live map in a real browser, before real servers: `npm run setup` installs the browser, `npm install` builds the map. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { makeToken } from '../../src/gateways/access/tokens.ts'
import { openPage, startBrowser, VIEWPORT } from '../support/browser.ts'
import { LiveHerd, timeNow, waitUntil } from '../support/live-herd.ts'
import { setTokens } from '../support/live-tokens.ts'

const TWO = { servers: ['Alford', 'Ball'], links: [['Alford', 'Ball']] } as const
const PHONE = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
} as const
/** Long: seven other things may run on the machine. Playwright gives up after it. */
const PATIENCE = { timeout: 40_000 }

async function start(t: TestContext): Promise<{ herd: LiveHerd; address: string }> {
  const herd = await LiveHerd.start(t, TWO)
  await herd.linked()
  return { herd, address: `http://127.0.0.1:${herd.port('Alford')}/` }
}

async function report(herd: LiveHerd, server: string, fix: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${herd.port(server)}/v1/fixes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fix),
  })
  assert.equal(response.status, 200, await response.text())
}

function tally(page: Page, clients: string): Promise<void> {
  return page.locator('#tally', { hasText: clients }).waitFor(PATIENCE)
}

async function choose(page: Page, typed: string): Promise<void> {
  await page.keyboard.press('/')
  await page.keyboard.type(typed)
  await page.keyboard.press('Enter')
  await page.locator('#card').waitFor(PATIENCE)
}

function fact(page: Page, name: string): Promise<string> {
  return text(page.locator(`#card dt:text-is("${name}") + dd`))
}

async function text(locator: Locator): Promise<string> {
  return (await locator.textContent(PATIENCE)) ?? ''
}

test('a fix appears, moves, grows stale and is fresh again, with every other host out of reach', async (t) => {
  const { herd, address } = await start(t)
  const { page, strangers, complaints, shot } = await openPage(await startBrowser(t), `${address}?stale=6s`)
  await page.getByText('Nobody is on the map yet').waitFor(PATIENCE)
  assert.match(await text(page.locator('#welcome')), new RegExp(`curl ${address}v1/fixes`))
  await shot('map-empty')

  // Reported to the other server: the map is told by its own.
  await report(herd, 'Ball', {
    client: 'kiwi',
    lat: 34.0689,
    lon: -118.4451,
    speed_mps: 10,
    heading_deg: 90,
    accuracy_m: 40,
    battery_pct: 15,
  })
  await tally(page, '1 client')
  await page.getByText('Nobody is on the map yet').waitFor({ state: 'hidden', ...PATIENCE })
  await choose(page, 'kiw')
  assert.equal(await page.locator('#card h2').textContent(), 'kiwi')
  assert.equal(await fact(page, 'Position'), '34.06890° N, 118.44510° W')
  assert.equal(await fact(page, 'Heard by'), 'Ball')
  // Known as soon as the herd has told of its links.
  await page.locator('#card dt:text-is("Hops") + dd', { hasText: /^1$/ }).waitFor(PATIENCE)
  assert.equal(await fact(page, 'Speed'), '36 km/h')
  assert.equal(await fact(page, 'Course'), '90° E')
  assert.equal(await fact(page, 'Accuracy'), '± 40 m')
  assert.equal(await fact(page, 'Battery'), '15 %')
  assert.match(await fact(page, 'Skew'), /^[+−]\d/)

  await report(herd, 'Alford', { client: 'kiwi', lat: 34.07, lon: -118.44, time: timeNow() })
  await page.locator('#card dd', { hasText: '34.07000° N, 118.44000° W' }).waitFor(PATIENCE)
  assert.equal(await fact(page, 'Heard by'), 'Alford')
  assert.match(await fact(page, 'Hops'), /^0: this page asks/)
  await page.locator('#card .age.stale').waitFor(PATIENCE)
  assert.match(await text(page.locator('#card .age')), /^Stale: /)
  await shot('map-stale')
  await report(herd, 'Alford', { client: 'kiwi', lat: 34.071, lon: -118.441, time: timeNow() })
  await page.locator('#card .age.stale').waitFor({ state: 'detached', ...PATIENCE })

  assert.deepEqual(strangers, [])
  assert.deepEqual(complaints, [])
})

test('a client can be found on the map by pointing at it, and what is around it', async (t) => {
  const { herd, address } = await start(t)
  const browser = await startBrowser(t)
  await report(herd, 'Alford', { client: 'anna/phone', lat: 34.0689, lon: -118.4451, time: timeNow() })
  const { page, strangers, complaints, shot } = await openPage(browser, address, { reducedMotion: 'reduce' })
  await tally(page, '1 client')
  // The only client is in the middle of what the map shows, below the bar.
  const [x, y] = [VIEWPORT.width / 2, VIEWPORT.height / 2 + 20]
  let step = 0
  await waitUntil(
    async () => {
      await page.mouse.move(x + (step++ % 2), y)
      return (await page.locator('canvas').getAttribute('style'))?.includes('cursor: pointer') ?? false
    },
    'the arrow says that there is something to point at',
    40_000,
  )
  await page.mouse.click(x, y)
  await page.locator('#card').waitFor(PATIENCE)
  assert.equal(await page.locator('#card h2').textContent(), 'anna/phone')
  await page.keyboard.press('w')
  const places = page.locator('#card .places li')
  await places.first().waitFor(PATIENCE)
  assert.ok((await places.count()) > 3)
  assert.match(await text(page.locator('#card .attribution')), /GeoNames/)
  await shot('map-places')

  await page.keyboard.press('Escape')
  await page.locator('#card').waitFor({ state: 'hidden', ...PATIENCE })
  await page.mouse.click(200, 300, { button: 'right' })
  await page
    .getByText(/No client is at that point\. Within 10 km of anna\/phone, the nearest one/)
    .waitFor(PATIENCE)
  assert.deepEqual(strangers, [])
  assert.deepEqual(complaints, [])
})

test('the servers: one that is killed is shown, and the page lives on when its own is', async (t) => {
  const { herd, address } = await start(t)
  const { page, strangers, complaints, shot } = await openPage(await startBrowser(t), `${address}#herd`)
  await page.getByText('All tables agree').waitFor(PATIENCE)
  assert.equal(await page.locator('.server-card').count(), 2)
  await page.locator('.server-card[data-name=Ball] .pill', { hasText: 'ready' }).waitFor(PATIENCE)
  await shot('herd')
  await herd.kill('Ball')
  await page.locator('.server-card[data-name=Ball].down', { hasText: 'not reached' }).waitFor(PATIENCE)
  await page.getByText('Ball is not reached').waitFor(PATIENCE)
  assert.equal(await page.locator('.graph .link.down').count(), 1)
  await shot('herd-killed')
  await herd.startServer('Ball')
  await page.getByText('All tables agree').waitFor(PATIENCE)

  await herd.kill('Alford')
  await page.locator('.lost', { hasText: 'Alford does not answer' }).waitFor(PATIENCE)
  const link = page.locator('.lost a')
  assert.equal(await link.getAttribute('href'), `http://127.0.0.1:${herd.port('Ball')}/#herd`)
  await herd.startServer('Alford')
  await page.locator('.lost').waitFor({ state: 'detached', ...PATIENCE })
  assert.deepEqual(strangers, [])
  assert.deepEqual(complaints, [])
})

test('the map goes on where it was when its server comes back', async (t) => {
  const { herd, address } = await start(t)
  const { page } = await openPage(await startBrowser(t), address)
  await report(herd, 'Alford', { client: 'one', lat: 1, lon: 1, time: timeNow() })
  await tally(page, '1 client')
  await herd.kill('Alford')
  await page.getByText('Reconnecting …').waitFor(PATIENCE)
  await report(herd, 'Ball', { client: 'two', lat: 2, lon: 2, time: timeNow() })
  await herd.startServer('Alford')
  await page.locator('#state', { hasText: /^Live$/ }).waitFor(PATIENCE)
  await tally(page, '2 clients')
})

test('a herd that wants a token: the page asks for one, again when it is wrong, and who has none is left alone', async (t) => {
  const { herd, address } = await start(t)
  await report(herd, 'Alford', { client: 'kiwi', lat: 1, lon: 1, time: timeNow() })
  const token = makeToken()
  const browser = await startBrowser(t)
  const { page, complaints, shot } = await openPage(browser, address)
  await tally(page, '1 client')
  // The stream that was open to all ends.
  await setTokens(herd, 'Alford', { map: { token, read: ['*'] } })
  const dialog = page.locator('#token-dialog')
  await dialog.getByText(/wants a client token/).waitFor(PATIENCE)
  await shot('token')
  await page.locator('#token').fill(makeToken())
  await page.keyboard.press('Enter')
  await dialog.getByText(/none of this herd/).waitFor(PATIENCE)
  await page.locator('#token').fill(token)
  await page.keyboard.press('Enter')
  await page.locator('#state', { hasText: /^Live$/ }).waitFor(PATIENCE)
  await tally(page, '1 client')
  assert.deepEqual(complaints, [])

  const other = await openPage(browser, address)
  await other.page.locator('#token-cancel').click(PATIENCE)
  await other.page.locator('#state', { hasText: /^Not allowed/ }).waitFor(PATIENCE)
  assert.equal(await other.page.locator('#token-dialog').isVisible(), false)
})

test('on a phone, in the dark, by keyboard alone, and with less motion', async (t) => {
  const { herd, address } = await start(t)
  const browser = await startBrowser(t)
  for (const [index, client] of ['bus-1', 'bus-2', 'walker-1'].entries()) {
    await report(herd, 'Alford', {
      client,
      lat: 34 + index / 50,
      lon: -118.4 - index / 50,
      time: timeNow(),
      heading_deg: 45,
      speed_mps: 3,
    })
  }
  const phone = await openPage(browser, address, { ...PHONE, colorScheme: 'dark', reducedMotion: 'reduce' })
  await tally(phone.page, '3 clients')
  const width: unknown = await phone.page.evaluate('document.documentElement.scrollWidth')
  assert.equal(width, PHONE.viewport.width, 'nothing is wider than the phone')
  await choose(phone.page, 'bus-2')
  await phone.shot('phone-dark')
  await phone.page.locator('#card .close').tap()
  await phone.page.locator('#to-herd').tap()
  await phone.page.locator('.server-card').first().waitFor(PATIENCE)
  await phone.shot('phone-herd-dark')
  assert.deepEqual(phone.complaints, [])

  const { page, complaints, shot } = await openPage(browser, address, { colorScheme: 'light' })
  await tally(page, '3 clients')
  await page.keyboard.press('/')
  await page.keyboard.type('bus')
  await page.keyboard.press('ArrowDown')
  assert.equal(await text(page.locator('#results [aria-selected=true] .name')), 'bus-2')
  await page.keyboard.press('Enter')
  assert.equal(await text(page.locator('#card h2')), 'bus-2')
  const theme = (): Promise<string | null> => page.locator('html').getAttribute('data-theme')
  assert.equal(await theme(), 'light')
  await page.keyboard.press('d')
  assert.equal(await theme(), 'dark')
  await page.keyboard.press('h')
  await page.locator('.server-card').first().waitFor(PATIENCE)
  await page.keyboard.press('m')
  await page.keyboard.press('?')
  await page.locator('#keys-dialog').waitFor(PATIENCE)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await page.locator('#card').waitFor({ state: 'hidden', ...PATIENCE })
  await shot('map-dark')
  assert.deepEqual(complaints, [])
})
