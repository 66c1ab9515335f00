/** The parts of the docs that are made from the code, so that they can't disagree with it. */
import { settingsTable } from '../src/config.ts'
import { counterMeanings } from '../src/counters.ts'

/** A file of the docs, and the blocks in it by the name in their markers. */
export const docsBlocks: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'docs/operating.md': { settings: settingsTable, counters: countersTable },
}

/** Puts the blocks of a file between their markers, `<!-- made:NAME -->` and `<!-- /made:NAME -->`. */
export function fillBlocks(text: string, blocks: Readonly<Record<string, () => string>>): string {
  let filled = text
  for (const [name, make] of Object.entries(blocks)) {
    const open = `<!-- made:${name} -->`
    const start = filled.indexOf(open)
    const end = filled.indexOf(`<!-- /made:${name} -->`)
    if (start === -1 || end < start) throw new Error(`no place for the block ${name}`)
    filled = `${filled.slice(0, start + open.length)}\n${make().trim()}\n${filled.slice(end)}`
  }
  return filled
}

function countersTable(): string {
  const rows = Object.entries(counterMeanings).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  return ['| counter | counts |', '|---|---|', ...rows].join('\n')
}
