import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { locationOf, memberOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';

const types = ['container', 'virtual-machine', 'image', 'custom'];

const inProject = (project: string): string =>
  project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;

function instancesOn(services: Services, pool: string, project: string): InstanceRecord[] {
  return services.records
    .list('instances', project)
    .map(({ value }) => value)
    .filter((record) => rootDisk(expandIn(services, project, record).devices)?.[1]['pool'] === pool);
}

/** LXD's StorageVolume of an instance's root. */
const view = (services: Services, { project, name }: InstanceRecord): Record<string, unknown> => ({
  config: {},
  description: '',
  name,
  type: 'container',
  used_by: [`/1.0/instances/${name}${inProject(project)}`],
  location: locationOf(services, memberOf(services, project, name)),
  content_type: 'filesystem',
  project,
  created_at: '0001-01-01T00:00:00Z',
});

/**
 * The volumes of a pool that records know of, all or of one type.
 * @throws LxdError `not-found`, `invalid` for a type there is not
 */
export function listVolumes(
  services: Services,
  pool: string,
  project: string,
  type: string | undefined,
  full: boolean,
): unknown[] {
  if (!services.records.get('pools', pool)) throw new LxdError('not-found', 'Storage pool not found');
  if (type !== undefined && !types.includes(type))
    throw new LxdError('invalid', 'Invalid storage volume type name');
  if (type !== undefined && type !== 'container') return [];
  return instancesOn(services, pool, project).map((record) =>
    full
      ? view(services, record)
      : `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/container/${record.name}${inProject(project)}`,
  );
}

/** @throws LxdError `not-found`, `invalid` */
export function getVolume(
  services: Services,
  pool: string,
  project: string,
  type: string,
  name: string,
): Record<string, unknown> {
  if (!services.records.get('pools', pool)) throw new LxdError('not-found', 'Storage pool not found');
  if (!types.includes(type)) throw new LxdError('invalid', 'Invalid storage volume type name');
  const found =
    type === 'container'
      ? instancesOn(services, pool, project).find((record) => record.name === name)
      : undefined;
  if (!found) throw new LxdError('not-found', 'Storage pool volume not found');
  return view(services, found);
}
