import type { VolumeRecord, VolumeSnapshotRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { locationOf } from '../instances/context.ts';
import { volumeUsersOf, type VolumeUsers } from './users.ts';

const never = '0001-01-01T00:00:00Z';

/** Of one; for many see `volumeUsersOf`. */
export const volumeUsers = (services: Services, volume: VolumeRecord): string[] | null =>
  volumeUsersOf(services)(volume);

/** LXD's StorageVolume. @param usersOf shared by those of a list */
export const volumeView = (
  services: Services,
  record: VolumeRecord,
  usersOf: VolumeUsers = volumeUsersOf(services),
): Record<string, unknown> => ({
  config: record.config,
  description: record.description,
  name: record.name,
  type: 'custom',
  used_by: usersOf(record) ?? [],
  location: locationOf(services, record.member),
  content_type: record.contentType ?? 'filesystem',
  project: record.project,
  created_at: record.createdAt,
});

/** A snapshot, as lists of volumes show it. */
export const snapshotAsVolume = (
  services: Services,
  volume: VolumeRecord,
  snapshot: VolumeSnapshotRecord,
): Record<string, unknown> => ({
  ...volumeView(services, volume, () => null),
  config: snapshot.config,
  description: snapshot.description,
  name: `${volume.name}/${snapshot.name}`,
  used_by: [],
  created_at: snapshot.createdAt,
});

/** LXD's StorageVolumeSnapshot, on its own or in a list. @param of its volume */
export const snapshotView = (
  { contentType }: Pick<VolumeRecord, 'contentType'>,
  { volume, name, description, config, createdAt, expiresAt }: VolumeSnapshotRecord,
  listed: boolean,
): Record<string, unknown> => ({
  description,
  expires_at: expiresAt || (listed ? null : never),
  name: listed ? `${volume}/${name}` : name,
  config,
  content_type: listed ? '' : (contentType ?? 'filesystem'),
  created_at: createdAt,
});
