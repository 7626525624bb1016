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
    handle: ({ project, caller }) =>
      Promise.resolve(
        caller.trusted ? sync(service.view(project, caller), service.config) : sync(service.stranger()),
      ),
  };
  return [
    root,
    get,
    change('serverPut', ({ config }) => config ?? {}),
    change('serverPatch', ({ config }) => ({ ...service.config, ...config })),
  ];
}
