import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DIALECTS } from './dialects.ts'
import { FIELDS, ReportTemplate } from './report-template.ts'
import { UpdateLines } from './update-lines.ts'

test('updates are found between other lines, by the ticks that a template wrote', () => {
  const at = `AT Alford +0.1 ${FIELDS.client} ${FIELDS.position} ${FIELDS.time}`
  const template = new ReportTemplate(`MSG herd.1 1 88\r\n${at}\r\nPING\r\n`, 1_700_000_000)
  const bytes = Buffer.alloc(template.bytes * 3)
  let end = 0
  for (const tick of [0, 7, 1_234_567]) end = template.write(bytes, end, 5, 0, tick)
  const ticks: number[] = []
  const others: string[] = []
  const lines = new UpdateLines(
    (tick) => ticks.push(tick),
    (line) => others.push(line),
  )
  for (const byte of bytes) lines.push(Buffer.from([byte]))
  assert.deepEqual(ticks, [0, 7, 1_234_567])
  assert.deepEqual(others, ['MSG herd.1 1 88', 'PING', 'MSG herd.1 1 88', 'PING', 'MSG herd.1 1 88', 'PING'])
})

test('the reports of the dialect end in their tick too', () => {
  const template = new ReportTemplate(DIALECTS.herd.template.replace('IAMAT', 'AT'), 1_700_000_000)
  const bytes = Buffer.alloc(template.bytes)
  template.write(bytes, 0, 1, 2, 3)
  const ticks: number[] = []
  new UpdateLines((tick) => ticks.push(tick)).push(bytes)
  assert.deepEqual(ticks, [3])
})
