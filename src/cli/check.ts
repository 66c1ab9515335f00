/** `herd check`: a herd file's problems, or what it comes to. */
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { HerdFileInvalid } from '../config.ts'
import { addFolderOptions, type FolderOptions, herdOf } from './herd-options.ts'
import { EXIT, type ExitCode, print, type Terminal } from './terminal.ts'

interface CheckOptions extends FolderOptions {
  readonly json?: boolean
}

/** Adds `herd check`. */
export function addCheck(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addFolderOptions(program.command('check'))
    .summary('check a herd file and print what it comes to')
    .description(
      'Checks a herd file and prints every setting as the servers will use it: default, file, environment ' +
        'and options taken together. Secrets and keys are never printed.',
    )
    .argument('[herd file]', 'a herd that comes with Herd, or the path of a herd file', 'ucla')
    .option('--json', 'print an object')
    .addHelpText(
      'after',
      `
Example:
  herd check herds/lakers.yaml

Exit code: 0 valid, 1 invalid, 2 usage or no such file.`,
    )
    .action(async (herd: string, options: CheckOptions) => finish(await check(terminal, herd, options)))
}

async function check(terminal: Terminal, herd: string, options: CheckOptions): Promise<ExitCode> {
  try {
    const config = await herdOf(terminal, herd, options)
    for (const warning of config.warnings) await print(terminal.errors, `herd: warning: ${warning}\n`)
    await print(
      terminal.output,
      options.json ? `${JSON.stringify({ ok: true, config })}\n` : stringify(config),
    )
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof HerdFileInvalid) || !options.json) throw error
    const { file, problems } = error
    await print(terminal.output, `${JSON.stringify({ ok: false, file, problems })}\n`)
    return EXIT.failed
  }
}
