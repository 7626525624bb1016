import type { Server } from 'node:http';
import { routes as described } from '@lxd-ts/api-types';
import { LxdError } from '@lxd-ts/core';
import { internalRoutes, type InternalOptions } from './features/internal/routes.ts';
import { createApp } from './http/app.ts';
import { sync, type Route } from './http/route.ts';
import type { Logger } from './services.ts';

/** What a member answers that is only a node: whether it is up, and to end. All else is the control plane's. */
export function createNodeServer(options: { log: Logger; internal: InternalOptions }): Server {
  const own: Route[] = [
    ...internalRoutes(options.internal),
    { operationId: 'apiGet', handle: () => Promise.resolve(sync(['/1.0'])) },
  ];
  const refused = described
    .filter(({ operationId }) => !own.some((route) => route.operationId === operationId))
    .map(({ operationId }): Route => ({
      operationId,
      handle: () =>
        Promise.reject(
          new LxdError('unavailable', 'This member is only a node; ask a member of the control plane'),
        ),
    }));
  return createApp({
    routes: [...own, ...refused],
    log: options.log,
    callerOf: () => ({ protocol: 'unix', username: 'root' }),
  });
}
