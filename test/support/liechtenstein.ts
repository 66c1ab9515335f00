/**
 * A real extract of OpenStreetMap: Liechtenstein on 2013-08-03, © OpenStreetMap contributors, ODbL. It comes out of
 * Debian's source package osm2pgsql, by `npm run setup`; tests that want it are skipped where it isn't there.
 */
import { fileURLToPath } from 'node:url'

/** Where the file is, if it is. */
export const liechtenstein: string = fileURLToPath(
  new URL('../../.cache/liechtenstein-2013-08-03.osm.pbf', import.meta.url),
)
/** Why a test is skipped. */
export const LIECHTENSTEIN = 'needs the extract of Liechtenstein: npm run setup'
