import { LxdError } from '@lxd-ts/core';
import type { Route } from '../../http/route.ts';
import { EventHub } from './hub.ts';

export function eventsRoutes(hub: EventHub): Route[] {
  return [
    {
      operationId: 'eventsGet',
      handle: ({ query, project }) => {
        const all = query.get('all-projects') === 'true';
        if (all && query.has('project')) {
          throw new LxdError('invalid', 'Cannot specify a project when requesting all projects');
        }
        const types = EventHub.parseTypes(query.get('type'));
        return Promise.resolve({
          kind: 'websocket',
          accept: (socket) => hub.add(socket, types, all ? undefined : project),
        });
      },
    },
    {
      operationId: 'internalEventsGet',
      handle: () => Promise.resolve({ kind: 'websocket', accept: (socket) => hub.addServer(socket) }),
    },
  ];
}
