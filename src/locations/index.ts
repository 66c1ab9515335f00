export {
  type Area,
  type Circle,
  type LonLat,
  makeBox,
  makePolygons,
  type PolygonRings,
  type Shape,
} from './areas.ts'
export { type Fix, makeFix } from './fix.ts'
export { type HashKey, keyedHash } from './keyed-hash.ts'
export {
  FORGOTTEN,
  LiveTable,
  NOT_NEWER,
  type TableLimits,
  TEXT_FULL,
  TOO_MANY_CLIENTS,
} from './live-table.ts'
export { AHEAD_SECONDS_MAX, compareFixes, effectiveTime, type Ordered } from './order.ts'
export type { Query, Search } from './search.ts'
export { ServerNames } from './server-names.ts'
export type { StoredFix } from './stored-fixes.ts'
export { tableMemory } from './table-memory.ts'
