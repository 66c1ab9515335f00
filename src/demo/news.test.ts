import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DemoNews } from './news.ts'
import type { Turn } from './phone.ts'

const where = { server: 'Ball', protocol: 'http' } as const
const taken: Turn = { ...where, outcome: 'reported' }
const silent: Turn = {
  ...where,
  outcome: 'failed',
  reason: 'ECONNREFUSED',
  ...{ isRefused: false, isNotAllowed: false },
}

test('a summary, once', () => {
  const news = new DemoNews(1)
  for (const protocol of ['http', 'line', 'http'] as const)
    news.note({ ...where, outcome: 'reported', protocol })
  const text = '3 reports taken by 1 server: 2 by http, 1 by line'
  assert.deepEqual([news.take(), news.take()], [[{ level: 'info', text }], []])
})

test('a server that is gone, and back', () => {
  const news = new DemoNews(100)
  for (const turn of [silent, silent, taken, silent, silent]) news.note(turn)
  assert.deepEqual(news.take(), [], 'two in a row are nothing')
  for (const turn of [silent, silent]) news.note(turn)
  assert.deepEqual(
    news.take().map(({ text }) => text),
    ['Ball is gone, and its phones go on with others: ECONNREFUSED'],
  )
  for (const turn of [taken, taken]) news.note(turn)
  assert.deepEqual(
    news.take().map(({ text }) => text),
    ['Ball is back'],
  )
})

test('a protocol that is not taken, once', () => {
  const news = new DemoNews(100)
  for (const server of ['Ball', 'Alford']) {
    news.note({
      outcome: 'failed',
      server,
      protocol: 'osmand',
      reason: '404',
      ...{ isRefused: true, isNotAllowed: false },
    })
  }
  assert.deepEqual(news.take(), [
    { level: 'warning', text: 'osmand is not taken here, and those phones use line commands: 404' },
  ])
})

test('phones that may not report: once, whatever they speak, and what to do', () => {
  const news = new DemoNews(100)
  for (const protocol of ['http', 'line', 'mqtt'] as const)
    news.note({
      ...where,
      outcome: 'failed',
      protocol,
      reason: '401 …',
      ...{ isRefused: true, isNotAllowed: true },
    })
  const [line, ...more] = news.take()
  assert.match(line?.text ?? '', /^phones may not report: 401 …; .*HERD_TOKEN or --token$/)
  assert.deepEqual(more, [])
})
