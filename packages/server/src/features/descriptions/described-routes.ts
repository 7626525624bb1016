import type { Route } from '../../http/route.ts';
import type { Descriptions } from './descriptions.ts';

/** Changes of instances that are answered at once, without an operation. */
const changing: ReadonlySet<string> = new Set([
  'instancePatch',
  'instanceSnapshotPut',
  'instanceSnapshotPatch',
]);

/** Answered when what they changed is described beside the instance's root, too. */
export const describedRoutes = (routes: readonly Route[], descriptions: Descriptions): Route[] =>
  routes.map((route) =>
    changing.has(route.operationId)
      ? {
          ...route,
          handle: async (request) => {
            const reply = await route.handle(request);
            await descriptions.settle(request.project, { instances: [request.params['name'] ?? ''] });
            return reply;
          },
        }
      : route,
  );
