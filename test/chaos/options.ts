/** What one may ask of `npm run chaos`. */
import { parseArgs } from 'node:util'

/** The choice. */
export interface ChaosOptions {
  readonly isShort: boolean
  /** How long to go on from the start; 0: once through. */
  readonly minutes: number
  /** Names of scenarios, or beginnings of names; empty: all. */
  readonly only: readonly string[]
  readonly isListing: boolean
}

export const HELP = `Usage: npm run chaos -- [options]

Does to real servers what the world does, and sees that all end with the same tables and nothing is lost.
Some scenarios need root (network namespaces, mounts) and say so without it. Exits with 1 if one fails.

  --short          few rounds and small numbers: some minutes in all
  --minutes <n>    again and again, until so many minutes are over
  --only <name>    scenarios whose name begins so; may be given several times
  --list           what there is, and what each proves
  --help           this text
`

/** Reads the command line; a text is for people who asked for it, or asked for something else. */
export function readOptions(args: readonly string[]): ChaosOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        short: { type: 'boolean', default: false },
        minutes: { type: 'string', default: '0' },
        only: { type: 'string', multiple: true, default: [] },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return HELP
    const minutes = Number(values.minutes)
    if (!Number.isFinite(minutes) || minutes < 0) return `--minutes: a number, please\n\n${HELP}`
    return { isShort: values.short, minutes, only: values.only, isListing: values.list }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`
  }
}
