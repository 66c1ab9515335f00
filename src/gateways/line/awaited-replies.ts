import type { ReplyWriter } from './reply-writer.ts'
import type { Turn } from './turn.ts'

/** Replies of one connection whose rest comes later: those that come at about the same time go out in one write. */
export class AwaitedReplies {
  readonly #replies: ReplyWriter
  readonly #turn: Turn
  readonly #resume: () => void
  /** Replies are there, and will be sent when this turn is over. */
  #isResuming = false

  /** @param resume called when there is something to be sent. */
  constructor(replies: ReplyWriter, turn: Turn, resume: () => void) {
    this.#replies = replies
    this.#turn = turn
    this.#resume = resume
  }

  /** Begins a reply at a mark of the output; what it returns is to be called with the rest, in another turn. */
  await(mark: number): (rest: Buffer) => void {
    const resolve = this.#replies.await(mark)
    this.#turn.measureRoom()
    return (rest) => {
      resolve(rest)
      if (this.#isResuming) return
      this.#isResuming = true
      process.nextTick(() => {
        this.#isResuming = false
        this.#resume()
      })
    }
  }
}
