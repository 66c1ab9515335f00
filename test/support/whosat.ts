/** WHOSAT asked of a server in memory, or its answer taken apart. */
import assert from 'node:assert/strict'
import type { WhosatKind } from '../../src/gateways/line/whosat.ts'
import type { Search } from '../../src/locations/index.ts'
import type { MemoryServer } from './memory-herd.ts'

/** Begins the search that a line asks for; `null` when it is answered as an invalid command. */
export function begin(server: MemoryServer, line: string): Search | null {
  const buffer = Buffer.from(line, 'latin1')
  const kind = server.parser.parse(buffer, 0, buffer.length)
  assert.match(kind, /^whosat/, line)
  return server.whosat.begin(kind as WhosatKind, buffer)
}

/** What a line is answered with; `null` when that is as an invalid command. */
export function ask(server: MemoryServer, line: string): string | null {
  const search = begin(server, line)
  if (search === null) return null
  while (!search.step());
  server.whosat.append(search)
  return server.output.take().toString('latin1')
}

/** The clients of an answer, in its order. */
export function clientsOf(answer: string | null): string[] | null {
  if (answer === null) return null
  assert.match(answer, /^(?:AT [^\n]+\n)*\n$/)
  return answer
    .split('\n')
    .slice(0, -2)
    .map((line) => line.split(' ')[3] ?? '')
}

/** The clients that a server answers a line with; `null` when it is answered as an invalid command. */
export function who(server: MemoryServer, line: string): string[] | null {
  return clientsOf(ask(server, line))
}
