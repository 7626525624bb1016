import { created, empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import { groupUrl } from './context.ts';
import type { GroupsPost, GroupsService } from './groups.ts';

const nameOf = ({ params }: RequestContext): string => params['name'] ?? '';

interface GroupPatch {
  description?: string | null;
  members?: string[] | null;
}

/** Every route below `/1.0/cluster/groups`. */
export function groupRoutes(service: GroupsService): Route[] {
  const named = (request: RequestContext): number | undefined => {
    const { value, revision } = service.find(nameOf(request));
    request.checkETag(service.view(value));
    return request.headers['if-match'] === undefined ? undefined : revision;
  };
  const list: Route = {
    operationId: 'clusterGroupsGet',
    handle: ({ query }) => {
      const all = service.list();
      const full = query.get('recursion') === '1';
      return Promise.resolve(sync(all.map((group) => (full ? service.view(group) : groupUrl(group.name)))));
    },
  };
  const post: Route<GroupsPost> = {
    operationId: 'clusterGroupsPost',
    handle: async ({ body, caller }) => {
      await service.create(body, caller);
      return created(groupUrl(body.name ?? ''));
    },
  };
  const get: Route = {
    operationId: 'clusterGroupGet',
    handle: (request) => {
      const view = service.view(service.find(nameOf(request)).value);
      return Promise.resolve(sync(view, view));
    },
  };
  const put: Route<GroupPatch> = {
    operationId: 'clusterGroupPut',
    handle: async (request) => {
      const { description, members } = request.body;
      const change = { description: description ?? '', members: members ?? [] };
      await service.update(nameOf(request), change, { caller: request.caller, revision: named(request) });
      return empty;
    },
  };
  const patch: Route<GroupPatch> = {
    operationId: 'clusterGroupPatch',
    handle: async (request) => {
      const { description, members } = request.body;
      const change = { description: description ?? undefined, members: members ?? undefined };
      await service.update(nameOf(request), change, { caller: request.caller, revision: named(request) });
      return empty;
    },
  };
  const rename: Route<{ name?: string }> = {
    operationId: 'clusterGroupPost',
    handle: async (request) => {
      const to = request.body.name ?? '';
      await service.rename(nameOf(request), to, request.caller);
      return created(groupUrl(to));
    },
  };
  const remove: Route = {
    operationId: 'clusterGroupDelete',
    handle: async (request) => {
      await service.delete(nameOf(request), request.caller);
      return empty;
    },
  };
  return [list, post, get, put, patch, rename, remove];
}
