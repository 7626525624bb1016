import { LxdError } from '@lxd-ts/core';
import type { Cluster, ClusterMember } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import type { Entity } from '../../base/entity.ts';
import { apiPath } from '../../base/names.ts';

/** A member of the cluster, as a thing that has a configuration. */
export const member: Entity = {
  collection: 'cluster/members',
  noun: 'cluster member',
  words: 'cluster',
  argument: 'member',
  editable: ['roles', 'failure_domain', 'description', 'config', 'groups'],
};

export const clusterGroup: Entity = {
  collection: 'cluster/groups',
  noun: 'cluster group',
  words: 'cluster group',
  argument: 'group',
  editable: ['description', 'members'],
};

export const memberPath = (name: string, ...rest: readonly string[]): string =>
  apiPath('cluster', 'members', name, ...rest);

export const groupPath = (name: string): string => apiPath('cluster', 'groups', name);

/** What may be changed of a member. */
type Editable = Pick<ClusterMember, 'roles' | 'failure_domain' | 'description' | 'config' | 'groups'>;

/** Reads a member, changes it, writes it back guarded by its ETag. */
export async function updateMember(
  context: Context,
  name: string,
  change: (current: Editable) => Partial<Editable>,
): Promise<void> {
  const { metadata, etag } = await context.client.getWithEtag<ClusterMember>(memberPath(name));
  const { roles, failure_domain, description, config, groups } = metadata;
  const current: Editable = { roles, failure_domain, description, config, groups };
  await context.change('PUT', memberPath(name), { body: { ...current, ...change(current) }, etag });
}

/** Fails unless the server belongs to a cluster. */
export async function requireCluster({ client }: Context): Promise<void> {
  const { enabled } = await client.get<Cluster>('/1.0/cluster');
  if (!enabled) throw new LxdError('invalid', "LXD server isn't part of a cluster");
}

/** Words separated by commas. */
export const splitList = (text: string): string[] => text.split(',').filter(Boolean);
