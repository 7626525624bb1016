import { LxdError } from '@lxd-ts/core';
import type { NetworkRecord } from '@lxd-ts/state';
import { created, empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { memberAsked, targetOf } from '../shared/members.ts';
import type { NetworkPut, NetworksPost, NetworksService } from './service.ts';
import { interfacesOf, interfaceView, leasesOf, networkView, stateOf } from './view.ts';

const nameOf = (request: RequestContext): string => request.params['name'] ?? '';
const urlOf = (name: string): string => `/1.0/networks/${encodeURIComponent(name)}`;

const tag = (record: NetworkRecord): unknown => [
  record.name,
  record.type,
  record.description,
  record.config,
  record.memberConfig,
];

/** Every route below `/1.0/networks` that there is. */
export function networksRoutes(services: Services, service: NetworksService): Route[] {
  const named = (request: RequestContext): number | undefined => {
    const { value, revision } = service.find(request.project, nameOf(request));
    request.checkETag(tag(value));
    return request.headers['if-match'] === undefined ? undefined : revision;
  };

  /** Managed ones, then the interfaces of the host that are not. */
  const list: Route = {
    operationId: 'networksGet',
    async handle({ project, query, signal, caller }) {
      // As LXD: a list is of the server that is asked.
      const asked = caller.via ?? services.server;
      const managed = services.records.list('networks', project).map(({ value }) => value);
      const names = new Set(managed.map(({ name }) => name));
      const found = await interfacesOf(services, asked, signal).catch(() => []);
      const others = found.filter(({ name }) => !names.has(name));
      if (query.get('recursion') !== '1')
        return sync([...managed, ...others].map(({ name }) => urlOf(name)).sort());
      return sync([
        ...managed.map((record) => networkView(services, record, undefined)),
        ...others.map((found) => interfaceView(services, project, found)),
      ]);
    },
  };

  const post: Route<NetworksPost> = {
    operationId: 'networksPost',
    async handle({ project, body, caller, query }) {
      await service.create(project, body, caller, query.get('target'));
      return created(urlOf(body.name ?? ''));
    },
  };

  const get: Route = {
    operationId: 'networkGet',
    async handle(request) {
      const { project, query, signal } = request;
      const name = nameOf(request);
      const target = targetOf(services, query.get('target'));
      const record = services.records.get('networks', project, name)?.value;
      if (record) return sync(networkView(services, record, target), tag(record));
      const interfaces = await interfacesOf(services, memberAsked(services, request), signal);
      const other = interfaces.find((found) => found.name === name);
      if (!other) throw new LxdError('not-found', 'Network not found');
      return sync(interfaceView(services, project, other), other);
    },
  };

  const put: Route<NetworkPut> = {
    operationId: 'networkPut',
    async handle(request) {
      const { project, body, caller, query } = request;
      const options = { caller, revision: named(request), target: query.get('target') };
      await service.put(project, nameOf(request), body, options);
      return empty;
    },
  };

  const patch: Route<NetworkPut> = {
    operationId: 'networkPatch',
    async handle(request) {
      const { project, body, caller, query } = request;
      const options = { caller, revision: named(request), target: query.get('target') };
      await service.patch(project, nameOf(request), body, options);
      return empty;
    },
  };

  const rename: Route<{ name?: string }> = {
    operationId: 'networkPost',
    async handle(request) {
      const to = request.body.name ?? '';
      await service.rename(request.project, nameOf(request), to, request.caller);
      return created(urlOf(to));
    },
  };

  const remove: Route = {
    operationId: 'networkDelete',
    async handle(request) {
      await service.delete(request.project, nameOf(request), request.caller);
      return empty;
    },
  };

  const state: Route = {
    operationId: 'networkStateGet',
    async handle(request) {
      const member = memberAsked(services, request);
      return sync(await stateOf(services, nameOf(request), member, request.signal));
    },
  };

  const leases: Route = {
    operationId: 'networkLeasesGet',
    async handle(request) {
      const { value } = service.find(request.project, nameOf(request));
      return sync(await leasesOf(services, value, request.signal));
    },
  };

  return [list, post, get, put, patch, rename, remove, state, leases];
}
