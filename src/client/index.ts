/** The client of a herd, for Node and browsers: reports, questions, watching. */
export type {
  FixJson as Fix,
  HerdJson as HerdState,
  ReportedJson as Reported,
  ReportJson as Report,
} from '../gateways/http/shapes.ts'
export type { BackoffLimits } from './backoff.ts'
export {
  type Attempt,
  HerdClosed,
  HerdProblem,
  HerdQueueFull,
  HerdStoreFailed,
  HerdUnreachable,
} from './errors.ts'
export {
  HerdClient,
  type HerdClientEvents,
  type HerdClientOptions,
  QUEUE_LIMITS,
  type QueueOptions,
  type Timeouts,
} from './herd-client.ts'
export type { Platform } from './platform.ts'
export type {
  Box,
  CallOptions,
  Circle,
  Found,
  NearQuestion,
  Place,
  Places,
  PlacesQuestion,
  Polygon,
  Wanted,
} from './questions.ts'
export type { Pressure, QueueLimits } from './report-queue.ts'
export { type KeptReport, MemoryStore, type ReportStore } from './stores/report-store.ts'
export { type WebStorage, WebStore } from './stores/web-store.ts'
export type { Watch, WatchEvent, WatchHandlers, WatchQuestion } from './watch.ts'
