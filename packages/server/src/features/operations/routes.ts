import { createHash, timingSafeEqual } from 'node:crypto';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import { ask, peerOf } from '../../cluster/peers.ts';
import { empty, sync, type Reply, type RequestContext, type Route } from '../../http/route.ts';
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

/** How long it takes tells nothing of how much of it was right. */
const isSame = (known: string, given: string): boolean =>
  timingSafeEqual(createHash('sha256').update(known).digest(), createHash('sha256').update(given).digest());

/** How long a list waits for what the other servers have. */
const peerTimeoutMs = 2_000;

export function operationsRoutes({ operations, peers, server, log, events }: Services): Route[] {
  /** Has the server answer that runs the operation, where it is not this one. */
  const atOwner = (id: string, here: (request: RequestContext) => Promise<Reply>): Route => ({
    operationId: id,
    handle: async (request) => {
      const peer = operations.isLive(idOf(request)) ? undefined : peerOf(peers, server, idOf(request));
      return peer ? { kind: 'forward', connect: peer.connect } : here(request);
    },
  });

  /** What only lives in the memory of the other servers. */
  const elsewhere = async (query: string): Promise<OperationView[]> => {
    const lists = await Promise.all(
      peers.reachable().map(async (peer) => {
        try {
          return (await ask(peer, `/internal/operations?${query}`, peerTimeoutMs)) as OperationView[];
        } catch (error) {
          log.warn('a list of operations is without those of a member', { error: toLxdError(error).message });
          return [];
        }
      }),
    );
    return lists.flat();
  };
  const found = (request: RequestContext): OperationView => {
    const operation = operations.get(idOf(request));
    if (!operation) throw new LxdError('not-found', 'Operation not found');
    return operation;
  };
  const waited = async (request: RequestContext): Promise<Reply> =>
    sync(await operations.wait(found(request).id, timeoutOf(request.query), { signal: request.signal }));
  const wait = atOwner('operationWaitGet', waited);
  return [
    {
      operationId: 'operationsGet',
      handle: async ({ query, project }) => {
        const allProjects = query.get('all-projects') === 'true';
        const all = new Map(operations.list(allProjects ? undefined : project).map((one) => [one.id, one]));
        const scope = allProjects ? { 'all-projects': 'true' } : { project };
        for (const one of await elsewhere(new URLSearchParams(scope).toString())) all.set(one.id, one);
        const show = (operation: OperationView) =>
          query.get('recursion') === '1' ? operation : `/1.0/operations/${operation.id}`;
        return sync(grouped([...all.values()], show));
      },
    },
    {
      operationId: 'internalOperationsGet',
      handle: ({ query, project }) => {
        const all = operations.list(query.get('all-projects') === 'true' ? undefined : project);
        return Promise.resolve(sync(all.filter(({ id }) => operations.isLive(id))));
      },
    },
    atOwner('operationGet', async (request) => Promise.resolve(sync(found(request)))),
    atOwner('operationDelete', async (request) => {
      const { id } = found(request);
      await operations.cancel(id);
      const { project, caller } = request;
      events.lifecycle({
        action: 'operation-cancelled',
        source: `/1.0/operations/${id}`,
        project,
        requestor: { username: caller.username, protocol: caller.protocol },
      });
      return empty;
    }),
    {
      operationId: 'operationWaitGet',
      // Another server that has begun it here, and knows its secret.
      untrusted: true,
      handle: (request) => {
        if (request.caller.trusted) return wait.handle(request);
        const secret = operations.get(idOf(request))?.metadata?.['secret'];
        if (typeof secret !== 'string' || !isSame(secret, request.query.get('secret') ?? ''))
          throw new LxdError('forbidden', 'not authorized');
        return waited(request);
      },
    },
    {
      // Its secret is what it takes: other servers come with nothing else.
      untrusted: true,
      ...atOwner('operationWebsocketGet', async (request) => {
        const secret = request.query.get('secret');
        if (!secret) throw new LxdError('invalid', 'Missing secret');
        const accept = operations.socket(found(request).id, secret);
        return Promise.resolve({ kind: 'websocket', accept });
      }),
    },
  ];
}
