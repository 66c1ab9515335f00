import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type BudgetRow, readBudgetRow, writeBudgetRow } from './budget-rows.ts'

/** What a server remembers of its budgets. */
export interface BudgetMemory {
  /** Its life, as its rows say it. */
  readonly life: string
  readonly rows: readonly BudgetRow[]
  /** The latest periods that are over for good, by budget and unit. */
  readonly over: ReadonlyMap<string, string>
  /** Calls that are set aside in a row of its own and were not made, by the row's name: only after it was stopped in order. */
  readonly left: ReadonlyMap<string, number>
}

/** A file that is larger is none of ours. */
const FILE_BYTES_MAX = 64 * 1024 * 1024
const VERSION = 1

/**
 * Reads a server's file; `null` if there is none, or what it holds is not what `saveBudgetMemory` wrote.
 *
 * @throws what the file system says, when there is one that can't be read
 */
export function loadBudgetMemory(file: string): BudgetMemory | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  return text.length > FILE_BYTES_MAX ? null : readMemory(text)
}

/**
 * Writes a server's file: after a crash at any instant it is the old one or this one, and once this returns it is this one.
 * Blocks until the disk has it; that is once for a block of calls, not for each.
 *
 * @throws what the file system says
 */
export function saveBudgetMemory(file: string, { life, rows, over, left }: BudgetMemory): void {
  const draft = `${file}.draft`
  const text = JSON.stringify({
    version: VERSION,
    life,
    rows: rows.map(writeBudgetRow),
    over: Object.fromEntries(over),
    left: Object.fromEntries(left),
  })
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    writeSynced(draft, text)
    renameSync(draft, file)
    syncFolder(dirname(file))
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

function writeSynced(file: string, text: string): void {
  const handle = openSync(file, 'w', 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** The new name is in the folder, so that is what has to be synced. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function readMemory(text: string): BudgetMemory | null {
  const memory = parse(text)
  if (!isObject(memory)) return null
  const { version, life, rows, over, left } = memory
  if (version !== VERSION || typeof life !== 'string' || !/^[0-9a-f]{1,32}$/.test(life)) return null
  if (!Array.isArray(rows) || !isObject(over) || !isObject(left)) return null
  const read = rows.map((row) => (typeof row === 'string' ? readBudgetRow(row) : null))
  const kept = read.filter((row) => row !== null)
  const overTexts = Object.entries(over).filter((entry): entry is [string, string] => isText(entry[1]))
  const leftCalls = Object.entries(left).filter((entry): entry is [string, number] => isCount(entry[1]))
  if (kept.length !== read.length) return null
  return { life, rows: kept, over: new Map(overTexts), left: new Map(leftCalls) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
