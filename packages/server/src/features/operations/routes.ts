import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import { empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';

const idOf = ({ params }: RequestContext): string => params['id'] ?? '';

/** Operations by their status in small letters, as LXD groups them. */
function grouped<T>(
  operations: readonly OperationView[],
  show: (operation: OperationView) => T,
): Record<string, T[]> {
  const groups: Record<string, T[]> = {};
  for (const operation of operations) (groups[operation.status.toLowerCase()] ??= []).push(show(operation));
  return groups;
}

/** @throws LxdError `invalid` */
function timeoutOf(query: URLSearchParams): number {
  const text = query.get('timeout') || '-1';
  if (!/^-?\d+$/.test(text))
    throw new LxdError('invalid', '"timeout" must be a whole number of seconds, -1 for no limit');
  return Number(text) < 0 ? -1 : Number(text) * 1000;
}

export function operationsRoutes({ operations }: Services): Route[] {
  const found = (request: RequestContext): OperationView => {
    const operation = operations.get(idOf(request));
    if (!operation) throw new LxdError('not-found', 'Operation not found');
    return operation;
  };
  return [
    {
      operationId: 'operationsGet',
      handle: ({ query, project }) => {
        const all = operations.list(query.get('all-projects') === 'true' ? undefined : project);
        const show = (operation: OperationView) =>
          query.get('recursion') === '1' ? operation : `/1.0/operations/${operation.id}`;
        return Promise.resolve(sync(grouped(all, show)));
      },
    },
    { operationId: 'operationGet', handle: async (request) => Promise.resolve(sync(found(request))) },
    {
      operationId: 'operationDelete',
      handle: async (request) => {
        await operations.cancel(found(request).id);
        return empty;
      },
    },
    {
      operationId: 'operationWaitGet',
      handle: async (request) =>
        sync(await operations.wait(found(request).id, timeoutOf(request.query), { signal: request.signal })),
    },
    {
      operationId: 'operationWebsocketGet',
      handle: async (request) => {
        const secret = request.query.get('secret');
        if (!secret) throw new LxdError('invalid', 'Missing secret');
        const accept = operations.socket(found(request).id, secret);
        return Promise.resolve({ kind: 'websocket', accept });
      },
    },
  ];
}
