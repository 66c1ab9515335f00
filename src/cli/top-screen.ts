/** A terminal's whole screen, and its keys. */
import { ReadStream, WriteStream } from 'node:tty'
import type { Terminal } from './terminal.ts'

const ESC = '\u001B['
const ENTER = `${ESC}?1049h${ESC}?25l`
const LEAVE = `${ESC}?25h${ESC}?1049l`
/** Terminals that know these show what is between them at once; the others ignore them. */
const BEGIN = `${ESC}?2026h`
const END = `${ESC}?2026l`
const HOME = `${ESC}H`
const CLEAR_LINE = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

/** What a screen tells. */
export interface ScreenEvents {
  /** A key, or the keys that came together, such as an arrow's. */
  readonly key: (keys: string) => void
  readonly resized: () => void
}

/** A screen of its own: what was there before is back when it is closed. */
export class Screen {
  readonly #output: WriteStream
  readonly #input: ReadStream | null
  readonly #events: ScreenEvents
  readonly #onData = (chunk: Buffer): void => this.#events.key(chunk.toString('utf8'))
  readonly #onResize = (): void => this.#events.resized()
  #lines: readonly string[] = []

  private constructor(output: WriteStream, input: ReadStream | null, events: ScreenEvents) {
    this.#output = output
    this.#input = input
    this.#events = events
    input?.setRawMode(true)
    input?.on('data', this.#onData)
    input?.resume()
    output.on('resize', this.#onResize)
    output.write(ENTER)
  }

  /** Takes the screen; `null`: there is none, but a pipe or a file. */
  static open({ input, output }: Terminal, events: ScreenEvents): Screen | null {
    if (!(output instanceof WriteStream) || !output.isTTY) return null
    return new Screen(output, input instanceof ReadStream && input.isTTY ? input : null, events)
  }

  get width(): number {
    return this.#output.columns || 80
  }

  get height(): number {
    return this.#output.rows || 24
  }

  /** Shows lines in place of those before. Only what has changed is written, so nothing flickers. */
  show(lines: readonly string[], isWhole: boolean = false): void {
    let text = ''
    for (const [index, line] of lines.entries()) {
      if (!isWhole && this.#lines[index] === line) continue
      text += `${ESC}${index + 1};1H${line}${CLEAR_LINE}`
    }
    if (isWhole || lines.length < this.#lines.length) text += `${ESC}${lines.length + 1};1H${CLEAR_BELOW}`
    this.#lines = lines
    if (text !== '') this.#output.write(`${BEGIN}${HOME}${text}${END}`)
  }

  /** Gives the terminal back. */
  close(): void {
    this.#input?.off('data', this.#onData)
    this.#input?.setRawMode(false)
    this.#input?.pause()
    this.#output.off('resize', this.#onResize)
    this.#output.write(LEAVE)
  }
}
