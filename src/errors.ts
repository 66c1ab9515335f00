/**
 * Every named error that somebody outside the code can meet. docs/operating.md says what to do about each, and a
 * test holds the two equal. What a client sends wrong is no error here: it is answered, counted, and that is all.
 */
export { HerdFileInvalid, HerdFileNotFound } from './config.ts'
export { TokensInvalid } from './gateways/access/tokens.ts'
export { ImportFailed } from './places/import/imported-place.ts'
export { IndexBusy } from './places/index/index-writer.ts'
export { PlacesIndexBroken } from './places/index/places-index.ts'
export { OwnProviderUnusable } from './places/own-provider.ts'
export { ProviderFailed } from './places/provider.ts'
export { PlaceTableBroken } from './places/providers/place-table.ts'
export { ProxyUnusable } from './places/providers/proxies.ts'
export { StatusUnavailable } from './replication/status-client.ts'
export { SecretUnusable } from './secret.ts'
export { NoSuchServer } from './server/server.ts'
export { JournalUnusable } from './storage/index.ts'
