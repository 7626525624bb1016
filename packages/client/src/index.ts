export * from './client.ts';
export * from './console.ts';
export * from './endpoint.ts';
export { openEnvelope as openResponse, type Reply } from './envelope.ts';
export * from './events.ts';
export * from './exec.ts';
export * from './files.ts';
export * from './operation.ts';
export * from './relay.ts';
export type * from './types.ts';

export { loadTls } from './load-tls.ts';
