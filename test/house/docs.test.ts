import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { docsBlocks, fillBlocks } from '../../scripts/docs-blocks.ts'
import * as errors from '../../src/errors.ts'

for (const [file, blocks] of Object.entries(docsBlocks)) {
  test(`${file} has what the code says (npm run docs writes it)`, () => {
    const text = readFileSync(file, 'utf8')
    assert.equal(text, fillBlocks(text, blocks))
  })
}

test('docs/operating.md explains every named error, and no other', () => {
  const text = readFileSync('docs/operating.md', 'utf8')
  const section = text.slice(text.indexOf('## Errors'))
  const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])
  assert.deepEqual(new Set(documented), new Set(Object.keys(errors)))
})

test('links between the docs lead somewhere', () => {
  for (const file of globSync(['*.md', 'docs/**/*.md', 'data/*.md'])) {
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue
      assert.ok(existsSync(join(dirname(file), target)), `${file} links to ${target}`)
    }
  }
})

test('every decision is in the list of decisions', () => {
  const list = readFileSync('docs/decisions/README.md', 'utf8')
  for (const file of globSync('docs/decisions/0*.md')) {
    assert.ok(list.includes(`(${file.slice('docs/decisions/'.length)})`), file)
  }
})
