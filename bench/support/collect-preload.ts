/**
 * For `node --expose-gc --import`: collects garbage on a signal, so that the memory of the process is read without it.
 * How much garbage there is at a moment is chance, and as much as some 100,000 clients need.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('SIGUSR2', () => {
    // The flavor that gives back all pages, too: a usual one keeps some for the next objects.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  })
}
