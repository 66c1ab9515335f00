/** Places from a table in PostgreSQL with PostGIS: one's own, on this machine or another. */
import { Client, type ClientConfig, DatabaseError, Pool, type PoolClient } from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import { type ClassicPlace, classicBody } from '../classic-place.ts'
import {
  type FailureOptions,
  type FailureStatus,
  type KeepingTerms,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
  ProviderFailed,
} from '../provider.ts'
import { nearestSql, prominentSql } from './postgis-sql.ts'
import { redactionOf } from './redaction.ts'

/** Time for a connection, or for one of ours to become free, milliseconds. */
export const POSTGIS_CONNECT_MS_MAX = 2_000
/** A connection that nobody uses is closed after so long, milliseconds. */
const IDLE_MS = 30_000
/** What is one's own may change at any time, and is asked for again soon; when the database is away, an older answer will do. */
const KEEPING: KeepingTerms = { freshMs: 5_000, staleMs: 300_000 }

/** What the provider is made of. */
export interface PostgisOptions {
  /** The database, without a password. */
  readonly url: string
  /** A secret. Without one, `PGPASSWORD` and `.pgpass` are looked at, as all PostgreSQL clients do. */
  readonly password?: string | undefined
  /** The table, with a schema and a dot before it if need be. */
  readonly table: string
  /** Connections at a time; further asks wait for one. */
  readonly connectionsMax: number
  /** A query, milliseconds. Whoever asks may give up earlier. */
  readonly queryMsMax: number
}

/** A row of the answer. */
interface Row {
  readonly id: string
  readonly name: string
  readonly types: readonly string[]
  readonly vicinity: string | null
  readonly credit: string | null
  readonly latitude: number
  readonly longitude: number
}

/** What PostgreSQL's error codes mean to us. Codes: its manual, appendix A. */
const FAILURES: Readonly<Record<string, readonly [says: string, FailureStatus, FailureOptions?]>> = {
  '28000': ['The database refuses our login.', 'REQUEST_DENIED'],
  '28P01': [
    'The database refuses our password: look at PGPASSWORD or places.postgis.passwordFile.',
    'REQUEST_DENIED',
  ],
  '42501': ['The database lets us not read the table of places: GRANT SELECT on it.', 'REQUEST_DENIED'],
  '3D000': ['There is no such database: look at places.postgis.url.', 'REQUEST_DENIED'],
  '3F000': [
    'There is no such table of places: look at places.postgis.table, or make it (docs/places.sql).',
    'REQUEST_DENIED',
  ],
  '42P01': [
    'There is no such table of places: look at places.postgis.table, or make it (docs/places.sql).',
    'REQUEST_DENIED',
  ],
  '42703': ['The table of places lacks a column: docs/places.sql has all of them.', 'REQUEST_DENIED'],
  '42704': ['The database has no PostGIS: CREATE EXTENSION postgis.', 'REQUEST_DENIED'],
  '42883': ['The database has no PostGIS: CREATE EXTENSION postgis.', 'REQUEST_DENIED'],
  '53300': ['The database has no connection free.', 'UNKNOWN_ERROR', { mayRetry: true }],
  '57014': ['The database took too long.', 'UNKNOWN_ERROR', { mayRetry: true }],
  '57P01': ['The database is stopping.', 'UNKNOWN_ERROR', { mayRetry: true }],
  '57P02': ['The database has crashed.', 'UNKNOWN_ERROR', { mayRetry: true }],
  '57P03': ['The database is starting.', 'UNKNOWN_ERROR', { mayRetry: true }],
}

/** Places from PostGIS. */
export class PostgisPlaces implements Provider {
  readonly name = 'postgis'
  readonly local = false
  readonly snaps = false
  readonly keeping: KeepingTerms = KEEPING
  readonly #config: ClientConfig
  readonly #pool: Pool
  readonly #redact: (text: string) => string
  readonly #nearest: string
  readonly #prominent: string

  /** Opens no connection yet. @throws when the URL isn't one of a database. */
  constructor({ url, password, table, connectionsMax, queryMsMax }: PostgisOptions) {
    this.#config = {
      ...parseIntoClientConfig(url),
      ...(password === undefined ? {} : { password }),
      application_name: 'herd',
      connectionTimeoutMillis: POSTGIS_CONNECT_MS_MAX,
      // The server ends it by itself, should nobody be left to say so.
      statement_timeout: queryMsMax,
      keepAlive: true,
    }
    this.#pool = new Pool({ ...this.#config, max: connectionsMax, idleTimeoutMillis: IDLE_MS })
    // A connection that breaks while nobody uses it is replaced when there is need.
    this.#pool.on('error', () => undefined)
    this.#redact = redactionOf(password === undefined ? [] : [password])
    this.#nearest = nearestSql(table)
    this.#prominent = prominentSql(table)
  }

  async search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesBody> {
    try {
      signal.throwIfAborted()
      const rows = await this.#rows(query, signal)
      const credits = new Set(rows.flatMap(({ credit }) => credit ?? []))
      return classicBody(rows.map(toClassic), [...credits])
    } catch (error) {
      throw this.#failed(error, signal)
    }
  }

  /** Ends every connection, once what is asked over it is answered. */
  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end()
  }

  /** Resolves as soon as there are rows, or whoever asked gives up; the connection is free again when the database says so. */
  #rows(query: PlacesQuery, signal: AbortSignal): Promise<Row[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Row[]>()
    const giveUp = (): void => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    this.#ask(query, signal)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', giveUp))
    return promise
  }

  async #ask(query: PlacesQuery, signal: AbortSignal): Promise<Row[]> {
    const client = await this.#pool.connect()
    let cancelled: Promise<void> | undefined
    const cancel = (): void => {
      cancelled ??= this.#cancel(client)
    }
    let isBroken = false
    // One that breaks while it is used says so twice: to the query, and to everybody.
    const broken = (): void => {
      isBroken = true
    }
    client.on('error', broken)
    signal.addEventListener('abort', cancel, { once: true })
    try {
      // It may have taken a while until a connection was free.
      signal.throwIfAborted()
      const { latitude, longitude, radiusMetres, rank, type, keyword = '' } = query
      const words = keyword.split(/\s+/).filter((word) => word !== '')
      const { rows } = await client.query<Row>({
        name: `herd-places-${rank}`,
        text: rank === 'distance' ? this.#nearest : this.#prominent,
        values: [latitude, longitude, radiusMetres, type ?? null, words.length === 0 ? null : words],
      })
      return rows
    } catch (error) {
      isBroken ||= !(error instanceof DatabaseError) && error !== signal.reason
      throw error
    } finally {
      signal.removeEventListener('abort', cancel)
      // A cancel that came late would hit whoever has the connection next.
      await cancelled
      client.off('error', broken)
      client.release(isBroken)
    }
  }

  /** Stops what a connection is asked, over another one: the protocol knows no other way. If it can't, `queryMsMax` does. */
  async #cancel(busy: PoolClient): Promise<void> {
    if (!('processID' in busy) || typeof busy.processID !== 'number') return
    const client = new Client(this.#config)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('SELECT pg_cancel_backend($1)', [busy.processID])
    } catch {
      // The database is away, or full; then the query ends by itself.
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  #failed(error: unknown, signal: AbortSignal): ProviderFailed {
    if (error instanceof ProviderFailed) return error
    if (signal.aborted) return new ProviderFailed('The question was withdrawn.', 'UNKNOWN_ERROR')
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const said = error instanceof Error ? error.message : String(error)
    const cause = new Error(this.#redact(code === '' ? said : `${code}: ${said}`))
    if (error instanceof DatabaseError) {
      const [says, status, options] = FAILURES[code] ?? ['The database failed.', 'UNKNOWN_ERROR']
      return new ProviderFailed(says, status, { ...options, cause })
    }
    return new ProviderFailed('The connection to the database failed.', 'UNKNOWN_ERROR', {
      cause,
      mayRetry: true,
    })
  }
}

function toClassic({ id, name, types, vicinity, latitude, longitude }: Row): ClassicPlace {
  return {
    geometry: { location: { lat: latitude, lng: longitude } },
    name,
    place_id: id,
    reference: id,
    scope: 'POSTGIS',
    types,
    vicinity: vicinity ?? undefined,
  }
}
