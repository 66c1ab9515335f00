/** Asks the server that this page came from, and nobody else. */
import type { ProblemJson } from '../gateways/http/shapes.ts'

/** What the server refuses, or that it does not answer. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  /** Of HTTP; 0: there was no answer. */
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** Where tokens come from when the server wants one. */
export interface TokenSource {
  /** The token to use; `null`: none yet. */
  readonly token: string | null
  /** Asks the person for a token. @param reason what the server said. @returns whether there is another one now. */
  ask(reason: string): Promise<boolean>
}

/** The calls of the server. */
export class Api {
  readonly #base: string
  readonly #tokens: TokenSource

  /** @param base where the page is; paths are relative to it, so that it may lie anywhere behind a proxy. */
  constructor(base: string, tokens: TokenSource) {
    this.#base = base
    this.#tokens = tokens
  }

  /** Asks for JSON of a shape that the server promises. @throws {ApiProblem} */
  async get<Shape>(path: string, signal: AbortSignal | null = null): Promise<Shape> {
    const response = await this.open(path, { accept: 'application/json' }, signal)
    const json: Shape = await response.json()
    return json
  }

  /** Asks, with a token where there is one, and again with another when it is refused. @throws {ApiProblem} */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal | null): Promise<Response> {
    for (;;) {
      const { token } = this.#tokens
      const response = await this.#fetch(path, token === null ? headers : withToken(headers, token), signal)
      if (response.ok) return response
      const reason = await problemOf(response)
      const isRefused = response.status === 401 || response.status === 403
      if (!isRefused || !(await this.#tokens.ask(reason))) throw new ApiProblem(response.status, reason)
    }
  }

  async #fetch(path: string, headers: Record<string, string>, signal: AbortSignal | null): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#base), { headers, signal, cache: 'no-store' })
    } catch (error) {
      if (signal?.aborted) throw error
      throw new ApiProblem(0, 'the server does not answer', { cause: error })
    }
  }
}

function withToken(headers: Record<string, string>, token: string): Record<string, string> {
  return { ...headers, authorization: `Bearer ${token}` }
}

async function problemOf(response: Response): Promise<string> {
  try {
    const problem: Partial<ProblemJson> = await response.json()
    if (typeof problem.detail === 'string') return problem.detail
  } catch {
    // Whatever came instead says no more than the status does.
  }
  return `the server answered ${response.status}`
}
