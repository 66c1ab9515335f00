import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Latencies } from '../load/latencies.ts'
import type { BenchContext, Contender, Sample } from './contender.ts'

/** As many bytes as the line of a report. */
const RECORD = Buffer.alloc(88, 'a')

/**
 * One line appended and synced after the other: what the disk itself takes. Whoever answers 50 connections by less than
 * 50 times as many reports has something else to wait for.
 */
export const syncs: Contender = {
  name: 'fdatasync',
  title: 'one write and fdatasync at a time',
  missing: () => undefined,
  measure: (_shape, context) => measure(context),
}

async function measure(context: BenchContext): Promise<Sample> {
  const path = join(context.folder, 'syncs')
  const file = await open(path, 'a')
  const latencies = new Latencies()
  const startMs = performance.now()
  let nowMs = startMs
  let count = 0
  try {
    while (nowMs - startMs < context.seconds * 1000) {
      await file.write(RECORD)
      await file.datasync()
      const doneMs = performance.now()
      latencies.add(doneMs - nowMs)
      nowMs = doneMs
      count += 1
    }
  } finally {
    await file.close()
    await rm(path)
  }
  return {
    messagesPerSecond: (count * 1000) / (nowMs - startMs),
    batchP50Us: latencies.quantileUs(0.5),
    batchP99Us: latencies.quantileUs(0.99),
    serverCpu: undefined,
    loadCpu: undefined,
    details: { count, bytes: RECORD.length, maxUs: latencies.maxUs },
  }
}
