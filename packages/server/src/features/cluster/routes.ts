import { LxdError } from '@lxd-ts/core';
import { started, sync, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { ClusterControl } from './control.ts';

export interface ClusterOptions {
  control: ClusterControl;
  /** Makes a one-use token for a new member; undefined where no cluster address is served. */
  joinToken?: ((name: string) => Promise<{ token: string; expiresAt: string }>) | undefined;
}

/** @throws LxdError `invalid` */
function checkName(name: string | undefined): string {
  if (name === undefined || !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(name)) {
    throw new LxdError('invalid', '"server_name" must be a host name: letters, digits, dashes and dots');
  }
  return name;
}

export function clusterRoutes(
  { records, agents, operations, server }: Services,
  { control, joinToken }: ClusterOptions,
): Route[] {
  const clustered = () => control.clustered();
  const members = () => {
    if (!clustered()) throw new LxdError('internal', 'Server is not clustered');
    const online = agents.online();
    return records.list('members').map(({ value }) => {
      const up = value.name === server || online.includes(value.name);
      return {
        server_name: value.name,
        url: '',
        database: value.roles.includes('control-plane'),
        status: up ? 'Online' : 'Offline',
        message: up ? 'Fully operational' : 'No agent of this member is connected',
        architecture: value.architecture,
        failure_domain: 'default',
        description: '',
        config: {},
        groups: ['default'],
        roles: value.roles.includes('control-plane') ? ['database'] : [],
      };
    });
  };
  const get: Route = {
    operationId: 'clusterGet',
    handle: () => {
      const view = { server_name: clustered() ? server : '', enabled: clustered(), member_config: [] };
      return Promise.resolve(sync(view, view));
    },
  };
  const list: Route = {
    operationId: 'clusterMembersGet',
    handle: async ({ query }) => {
      const all = members();
      const shown =
        query.get('recursion') === '1'
          ? all
          : all.map((member) => `/1.0/cluster/members/${member.server_name}`);
      return Promise.resolve(sync(shown));
    },
  };
  const add: Route<{ server_name?: string }> = {
    operationId: 'clusterMembersPost',
    handle: async ({ body, project }) => {
      if (!joinToken) throw new LxdError('invalid', 'This server is not clustered');
      const name = checkName(body.server_name);
      if (records.get('members', name)) {
        throw new LxdError('conflict', `The cluster already has a member with name: ${name}`);
      }
      const { token, expiresAt } = await joinToken(name);
      return started(
        await operations.start({
          class: 'token',
          description: 'Executing operation',
          project,
          resources: { cluster: [] },
          metadata: { serverName: name, joinToken: token, expiresAt },
          run: () => Promise.resolve(),
        }),
      );
    },
  };
  return [get, list, add];
}
