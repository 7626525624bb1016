export { partsOf } from './features/shared/parts/restore.ts';
export { createServer, type ApiServer, type ApiServerOptions } from './create-server.ts';
export { createNodeServer } from './create-node-server.ts';
export { renameMember } from './features/cluster/rename-member.ts';
export { listenUnix, type UnixListener } from './http/listen.ts';
export type { Duty, Term } from './cluster/leader.ts';
export { taggedUuid, type Peers } from './cluster/peers.ts';
export type { Logger } from './services.ts';
export {
  standalone,
  type ClusterControl,
  type JoinRequest,
  type MemberConfigKey,
} from './features/cluster/control.ts';
export { upgrades } from './http/upgrades.ts';
