import type { Config } from '@lxd-ts/core';
import { empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { ServerService } from './service.ts';

interface ServerPut {
  config?: Config;
}

export function serverRoutes(service: ServerService): Route[] {
  const change = (
    operationId: 'serverPut' | 'serverPatch',
    next: (body: ServerPut) => Config,
  ): Route<ServerPut> => ({
    operationId,
    handle: async (request: RequestContext<ServerPut>) => {
      request.checkETag(service.config);
      await service.update(next(request.body), request.caller, request.signal);
      return empty;
    },
  });
  const root: Route = { operationId: 'apiGet', handle: () => Promise.resolve(sync(['/1.0'])) };
  const get: Route = {
    operationId: 'serverGet',
    handle: ({ project }) => Promise.resolve(sync(service.view(project), service.config)),
  };
  return [
    root,
    get,
    change('serverPut', ({ config = {} }) => config),
    change('serverPatch', ({ config = {} }) => ({ ...service.config, ...config })),
  ];
}
