import { sync, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { memberAsked } from '../shared/members.ts';

export const resourcesRoutes = (services: Services): Route[] => [
  {
    operationId: 'resourcesGet',
    handle: async (request) => {
      const agent = services.agents.get(memberAsked(services, request));
      return sync(await agent.resources({ signal: request.signal }));
    },
  },
];
