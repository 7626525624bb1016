import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { routes as described } from '@lxd-ts/api-types';
import { LxdError } from '@lxd-ts/core';
import { internalRoutes, type InternalOptions } from './features/internal/routes.ts';
import { createApp } from './http/app.ts';
import { forwardRequest, forwardUpgrade, type Connect } from './http/forward.ts';
import type { Route } from './http/route.ts';
import type { Logger } from './services.ts';

/**
 * What a member answers that is only a node: itself, whether it is up, and to end; all else is the control plane's.
 * @param options.connect to a control-plane member's API
 */
export function createNodeServer(options: {
  log: Logger;
  internal: Omit<InternalOptions, 'stopMember'>;
  connect: Connect;
}): Server {
  const own: Route[] = internalRoutes({
    ...options.internal,
    stopMember: () => Promise.reject(new LxdError('invalid', 'This member is only a node')),
  });
  const isOwn = (operationId: string) => own.some((route) => route.operationId === operationId);
  const elsewhere = described
    .filter(({ operationId }) => !isOwn(operationId))
    .map(({ operationId }): Route => ({
      operationId,
      handle: () => Promise.reject(new LxdError('internal', 'not answered here')),
    }));
  const app = createApp({
    routes: [...own, ...elsewhere],
    log: options.log,
    callerOf: () => ({ protocol: 'unix', username: 'root', trusted: true }),
  });
  const paths = new Set(described.filter(({ operationId }) => isOwn(operationId)).map(({ path }) => path));
  const server = createHttpServer((request, response) => {
    if (paths.has((request.url ?? '').split('?', 1)[0] ?? '')) app.emit('request', request, response);
    else void forwardRequest(request, response, options.connect);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    forwardUpgrade(request, socket, head, options.connect),
  );
  return server;
}
