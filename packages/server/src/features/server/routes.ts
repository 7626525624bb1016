import { empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { ServerConfig, ServerService } from './service.ts';

interface ServerPut {
  config?: ServerConfig | null;
}

export function serverRoutes(service: ServerService): Route[] {
  const change = (
    operationId: 'serverPut' | 'serverPatch',
    next: (body: ServerPut) => ServerConfig,
  ): Route<ServerPut> => ({
    operationId,
    handle: async (request: RequestContext<ServerPut>) => {
      request.checkETag(service.config);
      await service.update(next(request.body), request.caller, request.signal);
      return empty;
    },
  });
  const root: Route = {
    operationId: 'apiGet',
    untrusted: true,
    handle: () => Promise.resolve(sync(['/1.0'])),
  };
  const get: Route = {
    operationId: 'serverGet',
    untrusted: true,
    handle: async (request) => {
      const { project, caller } = request;
      if (!caller.trusted) return Promise.resolve(sync(service.stranger()));
      return sync(service.view(project, caller, service.memberAsked(request)), service.config);
    },
  };
  return [
    root,
    get,
    change('serverPut', ({ config }) => config ?? {}),
    change('serverPatch', ({ config }) => ({ ...service.config, ...config })),
  ];
}
