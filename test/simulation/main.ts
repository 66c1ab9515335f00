import { simulate } from './simulation.ts'

const n = Number(process.argv[2] ?? 10),
  m = Number(process.argv[3] ?? 25),
  from = Number(process.argv[4] ?? 1)
const t = performance.now()
let fails = 0
for (let s = from; s < from + n; s++) {
  const t0 = performance.now()
  const o = simulate(s, { serversMax: m, isCalm: false })
  const { failure, ...rest } = o
  if (n < 50) process.stdout.write(`${JSON.stringify(rest)} ${(performance.now() - t0).toFixed(0)} ms\n`)
  if (failure) {
    fails++
    process.stdout.write(`*** ${s} ${failure.message}\n`)
    if (n === 1) process.stdout.write(failure.story.join('\n') + '\n')
  }
}
process.stdout.write(`${fails} failures, ${((performance.now() - t) / n).toFixed(1)} ms per seed\n`)
