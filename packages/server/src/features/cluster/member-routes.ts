import type { Config } from '@lxd-ts/core';
import type { MemberRecord } from '@lxd-ts/state';
import { empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import { findMember, isShadow, memberUrl, mustBeClustered, type ClusterContext } from './context.ts';
import { memberTag, memberView } from './member-view.ts';
import { updateMember } from './update-member.ts';

const nameOf = ({ params }: RequestContext): string => params['name'] ?? '';

interface MemberPut {
  roles?: string[] | null;
  failure_domain?: string | null;
  description?: string | null;
  config?: Config | null;
  groups?: string[] | null;
}

/** What is shown of members, and what can be said of them. */
export function memberRoutes(context: ClusterContext): Route[] {
  const { services, control } = context;
  const view = (record: MemberRecord) => memberView(services, control, record);

  /** The revision that the caller means, if it says so. */
  const named = (request: RequestContext): number | undefined => {
    mustBeClustered(context);
    const { value, revision } = findMember(services, nameOf(request));
    request.checkETag(memberTag(value));
    return request.headers['if-match'] === undefined ? undefined : revision;
  };

  const list: Route = {
    operationId: 'clusterMembersGet',
    handle: ({ query }) => {
      mustBeClustered(context);
      const all = services.records
        .list('members')
        .map(({ value }) => value)
        .filter((record) => !isShadow(record));
      const full = query.get('recursion') === '1';
      return Promise.resolve(sync(all.map((record) => (full ? view(record) : memberUrl(record.name)))));
    },
  };
  const get: Route = {
    operationId: 'clusterMemberGet',
    handle: (request) => {
      mustBeClustered(context);
      const { value } = findMember(services, nameOf(request));
      return Promise.resolve(sync(view(value), memberTag(value)));
    },
  };
  const put: Route<MemberPut> = {
    operationId: 'clusterMemberPut',
    handle: async (request) => {
      const { roles, failure_domain, description, config, groups } = request.body;
      const change = {
        roles: roles ?? [],
        failure_domain: failure_domain ?? '',
        description: description ?? '',
        config: config ?? {},
        groups: groups ?? [],
      };
      const options = { caller: request.caller, revision: named(request) };
      await updateMember(context, nameOf(request), () => change, options);
      return empty;
    },
  };
  const patch: Route<MemberPut> = {
    operationId: 'clusterMemberPatch',
    handle: async (request) => {
      const { roles, failure_domain, description, config, groups } = request.body;
      const options = { caller: request.caller, revision: named(request) };
      await updateMember(
        context,
        nameOf(request),
        (record) => ({
          roles: roles ?? undefined,
          failure_domain: failure_domain ?? undefined,
          description: description ?? undefined,
          config: config ? { ...record.config, ...config } : undefined,
          groups: groups ?? undefined,
        }),
        options,
      );
      return empty;
    },
  };
  return [list, get, put, patch];
}
