/** A provider that the user wrote: a file of theirs, loaded and checked when the server starts. */
import { stat } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { GuardedProvider, type GuardLimits } from './guarded-provider.ts'
import type { Provider } from './provider.ts'
import type { PlacesWorld } from './world.ts'

/** What `createProvider` is given. */
export interface CreateProviderOptions {
  /** What the provider is to be called: the name of its file, without what follows the dot. */
  readonly name: string
  /** The folder of the herd file, absolute: where relative paths in `options` should start. */
  readonly folder: string
  /** `places.own.<name>.options` of the herd file, as it stands there. */
  readonly options: Readonly<Record<string, unknown>>
  /** `places.language`. */
  readonly language: string | undefined
  /** `places.limits.bodyBytesMax`: a longer answer is not taken. */
  readonly bodyBytesMax: number
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
}

/** What the file exports as `createProvider`. */
export type CreateProvider = (options: CreateProviderOptions) => Provider | Promise<Provider>

/** The file of a provider can't be used; the message says why, and what would be right. */
export class OwnProviderUnusable extends Error {
  override readonly name = 'OwnProviderUnusable'
}

/** Time for a file to be loaded and for its `createProvider`, milliseconds. */
export const CREATE_MS_MAX = 30_000

/** What authors import; whichever Herd they have installed, or none, it is this one that they get. */
const AUTHORS = 'herd/places'
let isProvided = false

/**
 * Loads a provider.
 *
 * @param file absolute
 * @throws {OwnProviderUnusable}
 */
export async function loadOwnProvider(
  file: string,
  options: CreateProviderOptions,
  around: { readonly limits: GuardLimits; readonly world: PlacesWorld },
): Promise<Provider> {
  const says = (text: string, error?: unknown): OwnProviderUnusable =>
    new OwnProviderUnusable(`the provider ${file} ${text}`, error === undefined ? {} : { cause: error })
  const late = Promise.withResolvers<never>()
  const stopTimer = around.world.after(CREATE_MS_MAX, () =>
    late.reject(says(`was not there within ${CREATE_MS_MAX} ms; a createProvider must not wait for ever`)),
  )
  try {
    const made = await Promise.race([providerOf(file, options, says), late.promise])
    return new GuardedProvider(checked(made, options.name, says), around)
  } finally {
    stopTimer()
  }
}

type Says = (text: string, error?: unknown) => OwnProviderUnusable

async function providerOf(file: string, options: CreateProviderOptions, says: Says): Promise<unknown> {
  if (!(await isFile(file))) throw says('is not there: places.providers names a file that does not exist')
  provideAuthors()
  let exported: unknown
  try {
    exported = await import(pathToFileURL(file).href)
  } catch (error) {
    throw says(`can't be loaded: ${wordsOf(error)}`, error)
  }
  const create = memberOf(exported, 'createProvider')
  if (!isFunction(create)) {
    throw says('exports no function createProvider; it takes: export function createProvider(options)')
  }
  try {
    return await create(options)
  } catch (error) {
    throw says(`has a createProvider that failed: ${wordsOf(error)}`, error)
  }
}

/** What each member of a provider must be. */
const MEMBERS: readonly (readonly [keyof Provider, string, (value: unknown) => boolean])[] = [
  ['local', 'true or false', isBoolean],
  ['snaps', 'true or false', isBoolean],
  ['search', 'a function', isFunction],
  ['close', 'a function, or left out', (value) => value === undefined || isFunction(value)],
]

function checked(made: unknown, name: string, says: Says): Provider {
  const problems = MEMBERS.filter(([member, , holds]) => !holds(memberOf(made, member))).map(
    ([member, kind]) => `${member} must be ${kind}`,
  )
  const itsName = memberOf(made, 'name')
  if (itsName !== name) problems.unshift(`name must be ${JSON.stringify(name)}, as its file is called`)
  if (memberOf(made, 'local') !== true && !isKeeping(memberOf(made, 'keeping'))) {
    problems.push(
      'keeping must be { freshMs, staleMs }, milliseconds of 0 or more; { freshMs: 0, staleMs: 0 } keeps nothing',
    )
  }
  if (problems.length > 0 || !isProvider(made)) {
    throw says(`has a createProvider that gives no provider: ${problems.join('; ')}`)
  }
  return made
}

/** To be asked last: it takes it from `checked` that the members are right. */
function isProvider(made: unknown): made is Provider {
  return typeof made === 'object' && made !== null
}

function isKeeping(value: unknown): boolean {
  return ['freshMs', 'staleMs'].every((name) => {
    const ms = memberOf(value, name)
    return typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY
  })
}

/** A member of whatever it is, its own or inherited. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined
  return Reflect.get(value, name)
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isFunction(value: unknown): value is (options: CreateProviderOptions) => unknown {
  return typeof value === 'function'
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'it threw something that is no Error'
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  )
}

/**
 * Makes `herd/places` mean this very program, wherever the file lies: with a copy of its own beside the file, a
 * `ProviderFailed` would be of another class, and where Herd is installed globally there is none.
 */
function provideAuthors(): void {
  if (isProvided) return
  isProvided = true
  const here = import.meta.url.endsWith('.ts') ? './authors.ts' : './authors.js'
  const { href } = new URL(here, import.meta.url)
  registerHooks({
    resolve: (specifier, context, next) => next(specifier === AUTHORS ? href : specifier, context),
  })
}
