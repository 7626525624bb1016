export { createAgent, type AgentOptions } from './create-agent.ts';
