import type { Counters } from '../../counters.ts'
import { type CommandParser, fieldEnd, fieldStart } from '../../protocol/index.ts'
import { type Gatekeeper, type Grant, isRefused, NOTHING } from '../access/grant.ts'

/** What access needs. */
export interface LineAccessContext {
  readonly parser: CommandParser
  readonly counters: Counters
  readonly gatekeeper: Gatekeeper
}

/** What a command asks for: to report as its client, to read it, or only to be let in. */
export type Asked = 'report' | 'read' | 'ask'

/** Index of the field that names the client, or is the token. */
const OPERAND = 1

/** What the client of one connection may do: by the token that it has shown, or without one. */
export class LineAccess {
  readonly #context: LineAccessContext
  readonly #address: string
  readonly #say: (line: string) => void
  /** `null` until it is known, and when it holds no more. */
  #grant: Grant | null = null
  /** Whether it may do everything: then no line is looked at. */
  #isFree = false
  #forgetGrant: () => void = () => {}

  /** @param say appends a line to the replies. */
  constructor(context: LineAccessContext, address: string, say: (line: string) => void) {
    this.#context = context
    this.#address = address
    this.#say = say
  }

  /** What it may do; `null` if it isn't let in: then it has been told why. */
  get grant(): Grant | null {
    return this.#grant ?? this.#admit(null)
  }

  /** What it may do, for a command that `isAllowed` has let through. */
  get admitted(): Grant {
    return this.#grant ?? NOTHING
  }

  /** Whether the client may do what the command at hand asks for; if not, it is told why. */
  isAllowed(buffer: Buffer, asked: Asked): boolean {
    if (this.#isFree) return true
    const { grant } = this
    if (grant === null || asked === 'ask') return grant !== null
    const client = this.operand(buffer)
    if (asked === 'report' ? grant.mayReport(client) : grant.mayRead(client)) return true
    this.#context.counters.notAllowed++
    this.#say(`? ${grant.name} may not ${asked === 'report' ? 'report as' : 'read'} that client`)
    return false
  }

  /** `TOKEN`: what it says goes nowhere but to the gatekeeper. A wrong one leaves the one before as it is. */
  token(buffer: Buffer): void {
    const grant = this.#admit(this.operand(buffer))
    if (grant !== null) this.#say(`TOKEN ${grant.name}`)
  }

  /** The first operand of the command at hand. */
  operand(buffer: Buffer): string {
    const { fields } = this.#context.parser
    return buffer.toString('utf8', fieldStart(fields, OPERAND), fieldEnd(fields, OPERAND))
  }

  /** The connection is gone, or somebody else's. */
  end(): void {
    this.#forgetGrant()
  }

  #admit(token: string | null): Grant | null {
    const admitted = this.#context.gatekeeper.admit(token, this.#address)
    if (isRefused(admitted)) {
      this.#say(`? ${admitted.reason}`)
      return null
    }
    this.#forgetGrant()
    this.#grant = admitted
    this.#isFree = admitted.reportsAll && admitted.readsAll
    this.#forgetGrant = admitted.whenRevoked(() => {
      this.#grant = null
      this.#isFree = false
    })
    return admitted
  }
}
