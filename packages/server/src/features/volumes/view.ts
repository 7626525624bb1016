import type { VolumeRecord, VolumeSnapshotRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { locationOf, memberOf } from '../instances/context.ts';
import { usedBy } from '../shared/used-by.ts';

const never = '0001-01-01T00:00:00Z';

/** REST paths of the instances on its member, and of the profiles, that have it as a disk; null: none. */
export const volumeUsers = (
  services: Services,
  { pool, project, name, member }: VolumeRecord,
): string[] | null =>
  usedBy(
    services,
    (device, of, instance) =>
      of === project &&
      device['type'] === 'disk' &&
      device['pool'] === pool &&
      device['source'] === name &&
      (instance === undefined || memberOf(services, of, instance) === member),
  );

/** LXD's StorageVolume. */
export const volumeView = (services: Services, record: VolumeRecord): Record<string, unknown> => ({
  config: record.config,
  description: record.description,
  name: record.name,
  type: 'custom',
  used_by: volumeUsers(services, record) ?? [],
  location: locationOf(services, record.member),
  content_type: 'filesystem',
  project: record.project,
  created_at: record.createdAt,
});

/** A snapshot, as lists of volumes show it. */
export const snapshotAsVolume = (
  services: Services,
  volume: VolumeRecord,
  snapshot: VolumeSnapshotRecord,
): Record<string, unknown> => ({
  ...volumeView(services, volume),
  config: snapshot.config,
  description: snapshot.description,
  name: `${volume.name}/${snapshot.name}`,
  used_by: [],
  created_at: snapshot.createdAt,
});

/** LXD's StorageVolumeSnapshot, on its own or in a list. */
export const snapshotView = (
  { volume, name, description, config, createdAt, expiresAt }: VolumeSnapshotRecord,
  listed: boolean,
): Record<string, unknown> => ({
  description,
  expires_at: expiresAt || (listed ? null : never),
  name: listed ? `${volume}/${name}` : name,
  config,
  content_type: listed ? '' : 'filesystem',
  created_at: createdAt,
});
