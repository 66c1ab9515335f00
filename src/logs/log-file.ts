import { closeSync, mkdirSync, openSync, readdirSync, rmSync, write } from 'node:fs'
import { join } from 'node:path'

/** Bounds of a server's log. */
export interface LogLimits {
  /** Bytes of a file before the next is begun. */
  readonly fileBytesMax: number
  /** Files kept for each server. */
  readonly filesMax: number
  /** Bytes that wait for the disk at most; what is beyond is dropped. */
  readonly bufferBytesMax: number
}

/** Who hears how the file fares. */
export interface LogFileListener {
  /** Told once when writing begins to fail, and with `null` once when it works again. */
  readonly trouble: (error: Error | null) => void
  /** Told how many events were in what could not be written. */
  readonly lost: (events: number) => void
}

const LF = 0x0a
const FLUSH_MS = 100
/** Enough for one write to be worth its system call. */
const FLUSH_BYTES = 65_536

/**
 * A file per server that is written in big pieces beside the server's work: one buffer is filled while the other is
 * written. When both are full or the disk takes no more, what comes is dropped and counted: a log never makes
 * a server wait or stop.
 */
export class LogFile {
  readonly #folder: string
  readonly #server: string
  readonly #limits: LogLimits
  readonly #listener: LogFileListener
  readonly #timer: NodeJS.Timeout
  #filling: Buffer
  #filled = 0
  #spare: Buffer | null
  #descriptor: number
  #fileBytes = 0
  #name = ''
  #inSecond = 1
  #failing = false
  #idle: (() => void) | null = null

  /**
   * Opens `<folder>/<server>_YYYY-MM-DD_HH_MM_SS.log` (UTC), making the folder if need be.
   *
   * @throws the error of the file system when the folder or file can't be made.
   */
  constructor(folder: string, server: string, limits: LogLimits, listener: LogFileListener) {
    this.#folder = folder
    this.#server = server
    this.#limits = limits
    this.#listener = listener
    const half = Math.floor(limits.bufferBytesMax / 2)
    this.#filling = Buffer.allocUnsafeSlow(half)
    this.#spare = Buffer.allocUnsafeSlow(half)
    mkdirSync(folder, { recursive: true })
    this.#descriptor = this.#open()
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS).unref()
  }

  /**
   * Finds room for an event of at most `bytes`: fill `buffer` from `length` on, then `advance`. `false` when there
   * is none: the event is lost.
   */
  room(bytes: number): boolean {
    if (this.#filled + bytes > this.#filling.length) this.#flush()
    return this.#filled + bytes <= this.#filling.length
  }

  /** Where events are written, from `length` on. */
  get buffer(): Buffer {
    return this.#filling
  }

  get length(): number {
    return this.#filled
  }

  /** Whether the last piece could not be written. */
  get isFailing(): boolean {
    return this.#failing
  }

  /** Says that events were written up to `length`. */
  advance(length: number): void {
    this.#filled = length
    if (length >= FLUSH_BYTES) this.#flush()
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (let rounds = 0; rounds < 2; rounds++) {
      if (this.#spare === null) await new Promise<void>((resolve) => (this.#idle = resolve))
      this.#flush()
    }
    if (this.#spare === null) await new Promise<void>((resolve) => (this.#idle = resolve))
    closeSync(this.#descriptor)
  }

  /** Hands the filled buffer to the disk, if the last one is back. */
  #flush(): void {
    if (this.#spare === null || this.#filled === 0) return
    const full = this.#filling
    const bytes = this.#filled
    this.#filling = this.#spare
    this.#filled = 0
    this.#spare = null
    if (this.#fileBytes > 0 && this.#fileBytes + bytes > this.#limits.fileBytesMax) this.#rotate()
    this.#write(full, 0, bytes)
  }

  #write(buffer: Buffer, start: number, end: number): void {
    write(this.#descriptor, buffer, start, end - start, null, (error, written) => {
      if (error === null && written < end - start) {
        this.#fileBytes += written
        this.#write(buffer, start + written, end)
        return
      }
      if (error === null) this.#fileBytes += written
      else this.#listener.lost(countLines(buffer, start, end))
      if ((error !== null) !== this.#failing) {
        this.#failing = error !== null
        this.#listener.trouble(error)
      }
      this.#spare = buffer
      this.#idle?.()
      this.#idle = null
    })
  }

  #rotate(): void {
    try {
      const next = this.#open()
      closeSync(this.#descriptor)
      this.#descriptor = next
    } catch (error) {
      // Without a next file the old one goes on: a bound overrun is better than a log lost.
      if (!this.#failing) this.#listener.trouble(error as Error)
      this.#failing = true
    }
    this.#fileBytes = 0
  }

  #open(): number {
    const name = `${this.#server}_${stamp(new Date())}`
    // A name holds a second: what is begun in the same one is numbered, so that no file outgrows its bound.
    this.#inSecond = name === this.#name ? this.#inSecond + 1 : 1
    this.#name = name
    const number = this.#inSecond === 1 ? '' : `_${String(this.#inSecond).padStart(3, '0')}`
    // Appending: a server may start twice in one second.
    const file = `${name}${number}.log`
    this.#forgetOldest(file)
    return openSync(join(this.#folder, file), 'a', 0o640)
  }

  #forgetOldest(current: string): void {
    const pattern = new RegExp(
      `^${this.#server.replaceAll('.', '\\.')}_\\d{4}-\\d\\d-\\d\\d_\\d\\d_\\d\\d_\\d\\d(?:_\\d{3,})?\\.log$`,
    )
    // A clock that was ahead leaves names that sort behind the file at hand: that one stays in any case.
    const files = readdirSync(this.#folder).filter((file) => pattern.test(file) && file !== current)
    const surplus = files.toSorted().slice(0, Math.max(0, files.length - this.#limits.filesMax + 1))
    for (const file of surplus) rmSync(join(this.#folder, file), { force: true })
  }
}

/** `2026-11-20_10_18_00`, in UTC. */
function stamp(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '_')
}

function countLines(buffer: Buffer, start: number, end: number): number {
  let lines = 0
  for (let at = buffer.indexOf(LF, start); at !== -1 && at < end; at = buffer.indexOf(LF, at + 1)) lines++
  return lines
}
