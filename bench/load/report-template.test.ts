import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientId, positionOf } from './city.ts'
import { DIALECTS, dialectOf } from './dialects.ts'
import { ReportTemplate } from './report-template.ts'
import { encodeResp } from './resp.ts'

const START = 1_479_413_884

function write(template: string, client: number, move: number, tick: number): string {
  const reports = new ReportTemplate(template, START)
  const buffer = Buffer.alloc(reports.bytes + 2, '#')
  assert.equal(reports.write(buffer, 1, client, move, tick), reports.bytes + 1)
  const text = buffer.toString('latin1')
  assert.ok(text.startsWith('#') && text.endsWith('#'), 'nothing is written outside')
  return text.slice(1, -1)
}

test('a report to herd is an IAMAT line, with the position that the city knows', () => {
  const text = write(DIALECTS.herd.template, 1234, 5, 34_567_890)
  const [, id, latitude, longitude, time] =
    /^IAMAT (\S{20}) \+(\d\d\.\d{6})(-\d{3}\.\d{6}) (\d{10}\.\d{9})\n$/.exec(text) ?? assert.fail(text)
  assert.equal(id, clientId(1234))
  assert.deepEqual({ latitude: Number(latitude), longitude: Number(longitude) }, positionOf(1234, 5))
  assert.equal(time, `${START + 3}.456789000`)
})

test('a report to Redis is a command with right lengths', () => {
  const { latitude, longitude } = positionOf(49_999_999, 0)
  const member = clientId(49_999_999)
  const geoadd = encodeResp(['GEOADD', 'fleet', longitude.toFixed(6), latitude.toFixed(6), member])
  assert.equal(write(DIALECTS.redis.template, 49_999_999, 0, 0), geoadd)

  const facts = write(DIALECTS['redis-facts'].template, 49_999_999, 0, 12)
  assert.ok(facts.startsWith(`${geoadd}*10\r\n$4\r\nHSET\r\n$22\r\nc:${member}\r\n$4\r\ntext\r\n$21\r\n`))
  for (const [, length, word = ''] of facts.matchAll(/\$(\d+)\r\n(.*)\r\n/g)) {
    assert.equal(word.length, Number(length), word)
  }
})

test('lengths are those of the arguments', () => {
  assert.equal(encodeResp(['ECHO', '']), '*2\r\n$4\r\nECHO\r\n$0\r\n\r\n')
})

test('an unknown dialect is refused', () => {
  assert.equal(dialectOf('redis'), DIALECTS.redis)
  assert.throws(() => dialectOf('toString'), /no dialect is called toString/)
})
