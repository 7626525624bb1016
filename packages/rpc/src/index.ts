export * from './agent.ts';
export type * from './images.ts';
export type * from './found-volume.ts';
export type * from './network-state.ts';
export type { InstanceMetadata } from './instance-metadata.ts';
export type { MembershipChange } from './membership-change.ts';
export { hubName, startAgentHub, type AgentHub, type AgentHubOptions } from './agent-hub.ts';
export { bulkName, openBulkPort, type Bulk, type BulkPort, type BulkTicket } from './bulk.ts';
export { openHubConnections, type HubConnections } from './hub-connections.ts';
export { aheadBytes, pourFrom, Spout, type PourOptions } from './pour.ts';
export { connectionLost } from './incoming.ts';
export * from './message-channel.ts';
export * as wire from './migration-messages.gen.ts';
export { decodeJoinToken, encodeJoinToken, type JoinToken } from './join.ts';
export { localBulk } from './local-bulk.ts';
export { openMemberPort, splitAddress, type Accept, type MemberPort } from './member-port.ts';
export * as sftp from './sftp/packets.ts';
export { openFlags, SftpClient, type Handle } from './sftp/sftp-client.ts';
export * as fakeSftp from './sftp/testing.ts';
export {
  certify,
  createAuthority,
  createRequest,
  fingerprintOf,
  issue,
  selfSigned,
  type Authority,
  type Identity,
  type Subject,
} from './pki.ts';
