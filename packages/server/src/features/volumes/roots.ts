import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { findPool, type VolumeAsked } from './context.ts';

const inProject = (project: string): string =>
  project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;

/** Of an instance's root, or of a snapshot of it. */
export const containerUrl = (
  pool: string,
  { project, name }: Pick<InstanceRecord, 'project' | 'name'>,
  snapshot?: string,
): string => {
  const below = snapshot === undefined ? '' : `/snapshots/${encodeURIComponent(snapshot)}`;
  return `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/container/${name}${below}${inProject(project)}`;
};

/** The instance whose root is in this pool. @throws LxdError `not-found` */
export function findRoot(
  services: Services,
  { pool, project, name }: Pick<VolumeAsked, 'pool' | 'project' | 'name'>,
): InstanceRecord {
  findPool(services, pool);
  const found = services.records.get('instances', project, name)?.value;
  if (!found || rootDisk(expandIn(services, project, found).devices)?.[1]['pool'] !== pool)
    throw new LxdError('not-found', 'Storage pool volume not found');
  return found;
}

/** REST paths of the snapshots of instances whose roots are in the pool. */
export function snapshotsIn(services: Services, pool: string): string[] {
  const of = new Map<string, boolean>();
  const isHere = (project: string, name: string): boolean => {
    const key = `${project}/${name}`;
    const known = of.get(key);
    if (known !== undefined) return known;
    const record = services.records.get('instances', project, name)?.value;
    const here =
      record !== undefined && rootDisk(expandIn(services, project, record).devices)?.[1]['pool'] === pool;
    of.set(key, here);
    return here;
  };
  return services.records
    .list('snapshots')
    .map(({ value }) => value)
    .filter(({ project, instance }) => isHere(project, instance))
    .map(
      ({ project, instance, name }) =>
        `/1.0/instances/${instance}/snapshots/${encodeURIComponent(name)}${inProject(project)}`,
    );
}
