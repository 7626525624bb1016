import type { ProfileRecord } from '@lxd-ts/state';
import { created, empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { ProfilePut, ProfilesService } from './service.ts';

const nameOf = ({ params }: RequestContext): string => params['name'] ?? '';

const tag = ({ config, description, devices }: ProfileRecord): unknown => [config, description, devices];

export function profilesRoutes(service: ProfilesService): Route[] {
  const view = (record: ProfileRecord) => ({
    name: record.name,
    description: record.description,
    config: record.config,
    devices: record.devices,
    used_by: service.usedBy(record.project, record.name),
  });
  /** The revision to guard by, when the caller named the version it means. */
  const named = (request: RequestContext): number | undefined => {
    const { value, revision } = service.find(request.project, nameOf(request));
    request.checkETag(tag(value));
    return request.headers['if-match'] === undefined ? undefined : revision;
  };

  const list: Route = {
    operationId: 'profilesGet',
    handle: ({ project, query }) => {
      const all = service.list(project);
      const urls = () => all.map(({ name }) => `/1.0/profiles/${encodeURIComponent(name)}`);
      return Promise.resolve(sync(query.get('recursion') === '1' ? all.map(view) : urls()));
    },
  };
  const post: Route<ProfilePut & { name?: string }> = {
    operationId: 'profilesPost',
    handle: async ({ project, body, caller, signal }) =>
      created(await service.create(project, body, caller, signal)),
  };
  const get: Route = {
    operationId: 'profileGet',
    handle: async (request) => {
      const { value } = service.find(request.project, nameOf(request));
      return Promise.resolve(sync(view(value), tag(value)));
    },
  };
  const put: Route<ProfilePut> = {
    operationId: 'profilePut',
    handle: async (request) => {
      const { config = {}, devices = {}, description = '' } = request.body;
      const next = (profile: ProfileRecord) => ({ ...profile, config, devices, description });
      const revision = named(request);
      await service.update(request.project, nameOf(request), next, request.caller, {
        revision,
        signal: request.signal,
      });
      return empty;
    },
  };
  const patch: Route<ProfilePut> = {
    operationId: 'profilePatch',
    handle: async (request) => {
      const { config, devices, description } = request.body;
      const next = (profile: ProfileRecord) => ({
        ...profile,
        config: { ...profile.config, ...config },
        devices: { ...profile.devices, ...devices },
        description: description ?? profile.description,
      });
      const revision = named(request);
      await service.update(request.project, nameOf(request), next, request.caller, {
        revision,
        signal: request.signal,
      });
      return empty;
    },
  };
  const rename: Route<{ name?: string }> = {
    operationId: 'profilePost',
    handle: async (request) =>
      created(
        await service.rename(
          request.project,
          nameOf(request),
          request.body.name,
          request.caller,
          request.signal,
        ),
      ),
  };
  const remove: Route = {
    operationId: 'profileDelete',
    handle: async (request) => {
      await service.delete(request.project, nameOf(request), request.caller, request.signal);
      return empty;
    },
  };
  return [list, post, get, put, patch, rename, remove];
}
