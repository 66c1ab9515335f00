/** Writes the parts of the docs that are made from the code: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { docsBlocks, fillBlocks } from './docs-blocks.ts'

for (const [file, blocks] of Object.entries(docsBlocks)) {
  writeFileSync(file, fillBlocks(readFileSync(file, 'utf8'), blocks))
}
