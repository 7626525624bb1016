import { LxdError } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { locationOf, memberOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { findPool, findVolume, volumeUrl, type VolumeAsked } from './context.ts';
import { snapshotsOf } from './snapshots.ts';
import { snapshotsOf as snapshotsOfInstance } from '../instances/snapshot-records.ts';
import { containerUrl, findRoot } from './roots.ts';
import { volumeUsersOf } from './users.ts';
import { snapshotAsVolume, volumeView } from './view.ts';
import { listImageVolumes } from './image-volumes.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

export const types = ['container', 'virtual-machine', 'image', 'custom'];

const inProject = (project: string): string =>
  project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;

function instancesOn(services: Services, pool: string, project: string): InstanceRecord[] {
  return services.records
    .list('instances', project)
    .map(({ value }) => value)
    .filter((record) => rootDisk(expandIn(services, project, record).devices)?.[1]['pool'] === pool);
}

/** LXD's StorageVolume of an instance's root, or of a snapshot of it. */
const view = (
  services: Services,
  { project, name }: InstanceRecord,
  snapshot?: string,
): Record<string, unknown> => ({
  config: {},
  description: '',
  name: snapshot === undefined ? name : `${name}/${snapshot}`,
  type: 'container',
  used_by: [
    `/1.0/instances/${name}${snapshot === undefined ? '' : `/snapshots/${encodeURIComponent(snapshot)}`}${inProject(project)}`,
  ],
  location: locationOf(services, memberOf(services, project, name)),
  content_type: 'filesystem',
  project,
  created_at: '0001-01-01T00:00:00Z',
});

export interface ListedVolume {
  url: string;
  view(): Record<string, unknown>;
}

/** Custom ones and their snapshots, in order. */
function customOn(services: Services, { pool, project, target }: VolumesAsked): ListedVolume[] {
  const usersOf = volumeUsersOf(services);
  return services.records
    .list('volumes', pool, project)
    .map(({ value }) => value)
    .filter(({ member }) => target === undefined || member === target)
    .flatMap((volume) => [
      { url: volumeUrl(volume), view: () => volumeView(services, volume, usersOf) },
      ...snapshotsOf(services, volume).map(({ value }) => ({
        url: volumeUrl(volume, value.name),
        view: () => snapshotAsVolume(services, volume, value),
      })),
    ]);
}

export interface VolumesAsked {
  pool: string;
  project: string;
  type?: string | undefined;
  /** Only of this member. */
  target?: string | undefined;
}

/**
 * The volumes of a pool that records know of, all or of one type.
 * @throws LxdError `not-found`, `invalid` for a type there is not
 */
export function listVolumes(services: Services, asked: VolumesAsked): ListedVolume[] {
  const { pool, project, type, target } = asked;
  findPool(services, pool);
  if (type !== undefined && !types.includes(type)) throw invalid('Invalid storage volume type name');
  const custom = type === undefined || type === 'custom' ? customOn(services, asked) : [];
  const instances =
    type === undefined || type === 'container'
      ? instancesOn(services, pool, project).filter(
          (record) => target === undefined || memberOf(services, project, record.name) === target,
        )
      : [];
  const of = (record: InstanceRecord, snapshot?: string): ListedVolume => ({
    url: containerUrl(pool, record, snapshot),
    view: () => view(services, record, snapshot),
  });
  return [
    ...instances.flatMap((record) => [
      of(record),
      ...snapshotsOfInstance(services, project, record.name).map((snapshot) => of(record, snapshot.name)),
    ]),
    ...custom,
    ...(type === undefined || type === 'image' ? listImageVolumes(services, pool, target) : []),
  ];
}

/** @throws LxdError `not-found`, `invalid` */
export function getVolume(services: Services, asked: VolumeAsked, type: string): Record<string, unknown> {
  const { pool, project, name } = asked;
  if (type === 'custom') return volumeView(services, findVolume(services, asked).value);
  findPool(services, pool);
  if (!types.includes(type)) throw invalid('Invalid storage volume type name');
  const [instance = '', snapshot] = name.split('/', 2);
  const found = type === 'container' ? findRoot(services, { pool, project, name: instance }) : undefined;
  const there =
    snapshot === undefined ||
    snapshotsOfInstance(services, project, instance).some((one) => one.name === snapshot);
  if (!found || !there) throw new LxdError('not-found', 'Storage pool volume not found');
  return view(services, found, snapshot);
}
