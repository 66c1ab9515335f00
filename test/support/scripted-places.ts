/** A provider of places that answers when, and as, a test says, and the sources and finder around it. */
import assert from 'node:assert/strict'
import type { CallBudget } from '../../src/places/admission.ts'
import { AnswerCache } from '../../src/places/answer-cache.ts'
import { AddressRates } from '../../src/places/call-rate.ts'
import { PlacesFinder } from '../../src/places/finder.ts'
import { defaultPlacesLimits, type PlacesLimits } from '../../src/places/limits.ts'
import {
  type KeepingTerms,
  type NextCall,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
  ProviderFailed,
} from '../../src/places/provider.ts'
import { makeSource, type Source } from '../../src/places/source.ts'
import type { SourceCounters } from '../../src/places/source-counters.ts'
import { FakeWorld } from './google-stand-in.ts'

/** Where asks come from that don't say. */
export const HERE = '10.0.0.1'

/** One search that the provider was asked for. */
export interface ScriptedSearch {
  readonly query: PlacesQuery
  readonly signal: AbortSignal
  readonly nextCall: NextCall
  readonly answer: (text: string, usd?: number) => void
  readonly fail: (error: unknown) => void
}

/** How a provider differs from a remote one that snaps nothing. */
export interface ScriptedOptions {
  readonly name?: string
  readonly local?: boolean
  readonly snaps?: boolean
  readonly keeping?: KeepingTerms
}

/** A provider in a test's hand. */
export class ScriptedProvider implements Provider {
  readonly name: string
  readonly local: boolean
  readonly snaps: boolean
  readonly keeping: KeepingTerms | undefined
  /** The oldest first. */
  readonly asked: ScriptedSearch[] = []
  closed = false
  /** Does what it says to each search that comes, at once. */
  habit: ((search: ScriptedSearch) => void) | undefined

  constructor({ name = 'scripted', local = false, snaps = false, keeping }: ScriptedOptions = {}) {
    this.name = name
    this.local = local
    this.snaps = snaps
    this.keeping = keeping
  }

  search(query: PlacesQuery, signal: AbortSignal, nextCall: NextCall = () => {}): Promise<PlacesBody> {
    const { promise, resolve, reject } = Promise.withResolvers<PlacesBody>()
    const answer = (text: string, usd = 0) => resolve({ text, status: statusIn(text), usd })
    const search = { query, signal, nextCall, answer, fail: reject }
    this.asked.push(search)
    this.habit?.(search)
    return promise
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }

  /** Answers the newest search. */
  answer(text: string): void {
    this.asked.at(-1)?.answer(text)
  }

  /** Fails the newest search. */
  fail(error: unknown): void {
    this.asked.at(-1)?.fail(error)
  }
}

/** What a test may set of the surroundings. */
export interface StageOptions extends Partial<PlacesLimits> {
  /** Provider names with budgets of their own; all others have none. */
  readonly budgets?: Readonly<Record<string, CallBudget>>
}

/** Providers with all that stands around them, in virtual time. */
export interface Stage {
  readonly world: FakeWorld
  readonly cache: AnswerCache
  readonly sources: readonly Source[]
  readonly finder: PlacesFinder
  readonly failures: ProviderFailed[]
  /** `name openMs` of each breaker that opened. */
  readonly opened: string[]
}

/** Sets it up. Addresses have no limit unless the options say so. */
export function stageOf(providers: readonly Provider[], { budgets = {}, ...set }: StageOptions = {}): Stage {
  const limits = { ...defaultPlacesLimits, callsPerSecondMax: 0, callsPerSecondPerAddressMax: 0, ...set }
  const world = new FakeWorld()
  const failures: ProviderFailed[] = []
  const opened: string[] = []
  const cache = new AnswerCache(limits, world)
  const addressRates = new AddressRates(limits.callsPerSecondPerAddressMax)
  const sources = providers.map((provider) =>
    makeSource({
      ...{ provider, limits, world, cache, addressRates },
      budget: budgets[provider.name] ?? { take: () => 'granted' },
      onFailed: (_, failure) => failures.push(failure),
      onBreakerOpened: (name, openMs) => opened.push(`${name} ${openMs}`),
    }),
  )
  return { world, cache, sources, finder: new PlacesFinder({ sources, limits, world }), failures, opened }
}

/** One provider's source, and short ways to it. */
export interface SourceStage extends Stage {
  readonly provider: ScriptedProvider
  readonly source: Source
  readonly counters: SourceCounters
  readonly find: (longitude: number, items?: number, address?: string) => Promise<string>
}

/** Sets one up, around a remote provider by default. */
export function stageSource(
  options: StageOptions = {},
  provider: ScriptedProvider = new ScriptedProvider(),
): SourceStage {
  const staged = stageOf([provider], options)
  const [source] = staged.sources
  assert.ok(source)
  const find: SourceStage['find'] = (longitude, items = 5, address = HERE) =>
    staged.finder.find(queryOf(longitude), items, address)
  return { ...staged, provider, source, find, counters: source.counters }
}

/** A question. */
export function queryOf(longitude: number, more: Partial<PlacesQuery> = {}): PlacesQuery {
  const locationText = `34,${longitude}`
  return { latitude: 34, longitude, locationText, radiusMetres: 10_000, rank: 'distance', ...more }
}

/** A body with so many results. */
export function bodyOf(status: string, count = 1): string {
  const results = Array.from({ length: count }, (_, index) => index)
  return JSON.stringify({ html_attributions: [], results, status })
}

/** A failure that may pass. */
export function passing(message = 'It stumbled.', waitMs = 0): ProviderFailed {
  return new ProviderFailed(message, 'UNKNOWN_ERROR', { mayRetry: true, waitMs })
}

/** The `status` of a body. */
export function statusIn(text: string): string {
  try {
    return JSON.parse(text).status
  } catch {
    return 'OK'
  }
}

/** How many results a body has. */
export function resultsIn(text: string): number {
  return JSON.parse(text).results.length
}

/** Lets all promises settle that wait for nothing else. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
