export * from './agent.ts';
export { startAgentHub, type AgentHub, type AgentHubOptions } from './agent-hub.ts';
export { connectAgent } from './connect-agent.ts';
export { decodeJoinToken, encodeJoinToken, enroll, type JoinToken } from './join.ts';
export {
  certify,
  createAuthority,
  fingerprintOf,
  issue,
  selfSigned,
  type Authority,
  type Identity,
  type Subject,
} from './pki.ts';
