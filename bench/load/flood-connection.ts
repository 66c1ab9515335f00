import { connect, type Socket } from 'node:net'
import { LOOPBACK } from '../support/ports.ts'

/** What a connection of a flood says, and how it is answered. */
export interface FloodSpeech {
  /** Said first, and answered by one answer; empty: nothing. */
  readonly hello: string
  /** Answers to a batch. */
  readonly answersPerBatch: number
  /** The next batch; its bytes stay as they are until all of it is answered. */
  batch(): Uint8Array
  /** How many answers the first `length` bytes of `chunk` complete. */
  read(chunk: Uint8Array, length: number): number
}

/** Sends one batch at a time, when it is told to. */
export class FloodConnection {
  readonly ready: Promise<void>
  readonly #speech: FloodSpeech
  readonly #socket: Socket
  readonly #onIdle: () => void
  #owed = 0
  #isIdle = false

  /**
   * @param readBuffer shared: a read is handled to its end before the next one begins.
   * @param onIdle told when it is ready, and each time that a batch is answered.
   */
  constructor(
    port: number,
    speech: FloodSpeech,
    readBuffer: Buffer,
    onIdle: () => void,
    fail: (error: unknown) => void,
  ) {
    this.#speech = speech
    this.#onIdle = onIdle
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    this.#socket = connect({
      host: LOOPBACK,
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, chunk) => {
          try {
            this.#receive(speech.read(chunk, length))
            if (this.#isIdle) resolve()
            return true
          } catch (error) {
            fail(error)
            return false
          }
        },
      },
    })
    this.#socket.once('connect', () => {
      if (speech.hello === '') {
        this.#isIdle = true
        resolve()
      } else {
        this.#owed = 1
        this.#socket.write(speech.hello)
      }
    })
    this.#socket.once('error', fail)
    this.#socket.once('close', () => fail(new Error('the server closed a connection')))
  }

  /** Whether everything was answered. */
  get isIdle(): boolean {
    return this.#isIdle
  }

  send(): void {
    this.#isIdle = false
    this.#owed = this.#speech.answersPerBatch
    this.#socket.write(this.#speech.batch())
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #receive(answers: number): void {
    this.#owed -= answers
    if (this.#owed < 0) throw new Error(`${-this.#owed} more answers than were asked for`)
    if (answers === 0 || this.#owed > 0) return
    this.#isIdle = true
    this.#onIdle()
  }
}
