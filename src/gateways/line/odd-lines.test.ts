import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHttpRequestLine, isTokenLine } from './odd-lines.ts'

const isToken = (line: string): boolean => isTokenLine(Buffer.from(`x${line}x`, 'latin1'), 1, line.length + 1)

test('a line may hold a token however badly it is written', () => {
  for (const line of [
    'TOKEN herd_x',
    ' \tTOKEN\vherd_x y',
    'TOKEN',
    'token herd_x',
    'Token\therd_x',
    '\rTOKEN x',
  ])
    assert.ok(isToken(line), line)
  for (const line of ['TOKENS x', 'IAMAT TOKEN +1+1 1', 'xTOKEN y', '', 'TOKEN:x'])
    assert.ok(!isToken(line), line)
})

test('an HTTP request line is one by its end', () => {
  const isHttp = (line: string): boolean => isHttpRequestLine(Buffer.from(line), 0, line.length)
  for (const line of ['GET / HTTP/1.1\r', 'PRI * HTTP/2.0', 'x HTTP/1']) assert.ok(isHttp(line), line)
  for (const line of ['GET /', 'IAMAT HTTP/1.1 +1+1 1', 'HTTP/1.1', '']) assert.ok(!isHttp(line), line)
})
