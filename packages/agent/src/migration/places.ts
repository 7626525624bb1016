import { join } from 'node:path';
import type { PoolSpec } from '@lxd-ts/core';
import { snapshotsPath, type StoragePool, type VolumeRef } from '@lxd-ts/storage';
import type { VolumePlaces } from './landing.ts';

/** Whether the pool's volumes are subvolumes. */
export const hasSubvolumes = (pool: PoolSpec): boolean => pool.driver === 'btrfs';

/** Where a landing puts a volume. */
export function placesOf(pool: StoragePool, volume: VolumeRef): VolumePlaces {
  const path = pool.volumePath(volume);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return {
    volume: path,
    // An instance's is passed by its id map only.
    ...(volume.type === 'custom' ? {} : { mode: 0o100 }),
    snapshots: snapshotsPath(pool.path, volume),
    staging: join(path, '..', `.partial-${name}`),
  };
}
