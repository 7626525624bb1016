export { createServer, partsOf, type ApiServer, type ApiServerOptions } from './create-server.ts';
export { listenUnix } from './http/listen.ts';
export type { Logger } from './services.ts';
