/** `node test/support/canary-search.ts <folder>`: fails when anything in a folder has a canary in it, and says where. */
import { tracesUnder } from './canary.ts'

const [folder = '.'] = process.argv.slice(2)
const { traces, bytes } = tracesUnder(folder)
for (const { where, excerpt } of traces) process.stderr.write(`a key in ${where}: ${excerpt}\n`)
if (bytes === 0) process.stderr.write(`nothing was searched in ${folder}\n`)
else process.stdout.write(`${traces.length} keys in ${bytes} bytes\n`)
process.exitCode = traces.length === 0 && bytes > 0 ? 0 : 1
