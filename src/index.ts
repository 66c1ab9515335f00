/** Herd as a library: load a herd file, start servers, ask them how they are. */

export { type HerdConfig, type HerdSource, loadHerd, packagedHerds } from './config.ts'
export * from './errors.ts'
export type { ClientCertificate } from './gateways/client-tls.ts'
export type { LinkCertificates, LinkEncryption } from './replication/link-security.ts'
export type { HerdStatus, LinkStatus, MemberStatus, Readiness, ServerStatus } from './replication/status.ts'
export { askStatus, type StatusTarget } from './replication/status-client.ts'
export {
  type HerdSecret,
  loadClientCertificate,
  loadLinkCertificates,
  loadMqttBridgeSecrets,
  loadOrMakeSecret,
  loadPlacesSecrets,
  loadSecret,
} from './secret.ts'
export type { RunningServer, ServerEvent, ServerOptions } from './server/options.ts'
export { startServer } from './server/server.ts'
