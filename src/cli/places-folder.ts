/** The options that say where imported places are, the same for every command of `herd places`. */
import type { Command } from 'commander'
import { addHerdOption, herdOf } from './herd-options.ts'
import type { Terminal } from './terminal.ts'

/** What they come to. */
export interface PlacesFolderOptions {
  readonly herd?: string
  readonly stateFolder?: string
}

/** Adds --herd and --state-folder: whoever starts a herd with them imports with them. */
export function addPlacesFolderOptions(command: Command): Command {
  return addHerdOption(command).option(
    '--state-folder <path>',
    'where the herd keeps what must last (HERD_STATE_FOLDER)',
  )
}

/** The folder of the indexes. */
export async function placesFolderOf(
  terminal: Terminal,
  { herd, stateFolder }: PlacesFolderOptions,
): Promise<string> {
  const options = stateFolder === undefined ? {} : { stateFolder }
  return (await herdOf(terminal, herd, options)).places.folder
}
