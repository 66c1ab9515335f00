import type { Grant } from './grant.ts'

/** What a grant is for. */
export interface GrantRules {
  readonly reportsAll: boolean
  readonly readsAll: boolean
  readonly mayReport: (client: string) => boolean
  readonly mayRead: (client: string) => boolean
}

/** A grant that can be taken back: then nothing is allowed any more, whoever still holds it. */
export class RevocableGrant implements Grant {
  readonly name: string
  readonly #rules: GrantRules
  readonly #callbacks = new Set<() => void>()
  #isRevoked = false

  constructor(name: string, rules: GrantRules) {
    this.name = name
    this.#rules = rules
  }

  get isRevoked(): boolean {
    return this.#isRevoked
  }

  get reportsAll(): boolean {
    return !this.#isRevoked && this.#rules.reportsAll
  }

  get readsAll(): boolean {
    return !this.#isRevoked && this.#rules.readsAll
  }

  mayReport(client: string): boolean {
    return !this.#isRevoked && this.#rules.mayReport(client)
  }

  mayRead(client: string): boolean {
    return !this.#isRevoked && this.#rules.mayRead(client)
  }

  whenRevoked(callback: () => void): () => void {
    // Each its own entry, though somebody should come twice with the same function.
    const entry = (): void => callback()
    if (this.#isRevoked) queueMicrotask(entry)
    else this.#callbacks.add(entry)
    return () => this.#callbacks.delete(entry)
  }

  /** Takes it back, and tells everybody who asked to be told. */
  revoke(): void {
    if (this.#isRevoked) return
    this.#isRevoked = true
    const told = [...this.#callbacks]
    this.#callbacks.clear()
    for (const callback of told) callback()
  }
}
