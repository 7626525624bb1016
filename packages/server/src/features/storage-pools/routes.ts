import { created, empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { memberAsked, targetOf } from '../shared/members.ts';
import type { StoragePoolPut, StoragePoolsPost, StoragePoolsService } from './service.ts';

const param = (request: RequestContext, name: string): string => request.params[name] ?? '';

/** Every route below `/1.0/storage-pools` that there is. */
export function storagePoolsRoutes(services: Services, service: StoragePoolsService): Route[] {
  const named = (request: RequestContext): number | undefined => {
    const { value, revision } = service.find(param(request, 'name'));
    request.checkETag([value.name, value.driver, value.description, value.config, value.memberConfig]);
    return request.headers['if-match'] === undefined ? undefined : revision;
  };

  const list: Route = {
    operationId: 'storagePoolsGet',
    handle: ({ query }) => {
      const pools = services.records.list('pools').map(({ value }) => value);
      const full = query.get('recursion') === '1';
      return Promise.resolve(
        sync(
          full
            ? pools.map((pool) => service.view(pool, undefined))
            : pools.map(({ name }) => `/1.0/storage-pools/${encodeURIComponent(name)}`),
        ),
      );
    },
  };

  const post: Route<StoragePoolsPost> = {
    operationId: 'storagePoolsPost',
    async handle({ body, caller, query }) {
      await service.create(body, caller, query.get('target'));
      return created(`/1.0/storage-pools/${encodeURIComponent(body.name ?? '')}`);
    },
  };

  const get: Route = {
    operationId: 'storagePoolGet',
    handle: (request) => {
      const target = targetOf(services, request.query.get('target'));
      const { value } = service.find(param(request, 'name'));
      return Promise.resolve(
        sync(service.view(value, target), [
          value.name,
          value.driver,
          value.description,
          value.config,
          value.memberConfig,
        ]),
      );
    },
  };

  const put: Route<StoragePoolPut> = {
    operationId: 'storagePoolPut',
    async handle(request) {
      const revision = named(request);
      const target = request.query.get('target');
      await service.put(param(request, 'name'), request.body, { caller: request.caller, revision, target });
      return empty;
    },
  };

  const patch: Route<StoragePoolPut> = {
    operationId: 'storagePoolPatch',
    async handle(request) {
      const revision = named(request);
      const target = request.query.get('target');
      await service.patch(param(request, 'name'), request.body, { caller: request.caller, revision, target });
      return empty;
    },
  };

  const remove: Route = {
    operationId: 'storagePoolDelete',
    async handle(request) {
      await service.delete(param(request, 'name'), request.caller);
      return empty;
    },
  };

  const resources: Route = {
    operationId: 'storagePoolResourcesGet',
    async handle(request) {
      const member = memberAsked(services, request);
      return sync(await service.resources(param(request, 'name'), member, request.signal));
    },
  };

  return [list, post, get, put, patch, remove, resources];
}
