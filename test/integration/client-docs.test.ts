/** The examples of docs/client.md, as they stand there, against a herd. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { LiveHerd } from '../support/live-herd.ts'

const EXAMPLE = /<!-- runs: node -->\n```ts\n([\s\S]*?)\n```/g
/** What each example prints. */
const PRINTED = [
  [
    /^new AT \w+ \S+ kiwi /m,
    /^34\.06893 Alford /m,
    /^0 false$/m,
    /^\[ 'kiwi' \]$/m,
    /^fix kiwi 34\.06893 -118\.445127$/m,
  ],
  [/^online http/m, /^waiting 2$/m, /^refused .*white space.* no white space$/m, /^waiting 0$/m],
]

test('the examples do what they say', async (t) => {
  const live = await LiveHerd.start(t, { servers: ['Alford', 'Ball'], links: [['Alford', 'Ball']] })
  await live.linked()
  const folder = await mkdtemp(join(tmpdir(), 'herd-docs-'))
  t.after(() => rm(folder, { recursive: true }))
  const client = new URL('../../src/client/', import.meta.url)
  const examples = [...(await readFile('docs/client.md', 'utf8')).matchAll(EXAMPLE)]
  assert.equal(examples.length, PRINTED.length)
  for (const [index, [, text = '']] of examples.entries()) {
    const file = join(folder, `example-${index}.ts`)
    const code = text
      .replaceAll("'herd/client'", `'${new URL('index.ts', client).href}'`)
      .replaceAll("'herd/client/file-store'", `'${new URL('stores/file-store.ts', client).href}'`)
      .replaceAll('localhost:12000', `127.0.0.1:${live.port('Alford')}`)
      .replaceAll('localhost:12001', `127.0.0.1:${live.port('Ball')}`)
    await writeFile(file, code)
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
    for (const wanted of PRINTED[index] ?? []) assert.match(stdout, wanted)
  }
})
