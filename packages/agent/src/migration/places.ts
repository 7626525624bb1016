import { join } from 'node:path';
import type { PoolSpec } from '@lxd-ts/core';
import { snapshotsPath, type StoragePool, type VolumeRef } from '@lxd-ts/storage';
import type { AgentContext } from '../context.ts';
import {
  openSubvolumeLanding,
  type Landing,
  type LandingStart,
  type SubvolumeLanding,
  type VolumePlaces,
} from './landing.ts';
import { openVolumeLanding } from './volume-landing.ts';

/** Whether the pool's volumes are subvolumes. */
export const hasSubvolumes = (pool: PoolSpec): boolean => pool.driver === 'btrfs';

/** Where a landing of subvolumes puts a volume. */
function placesOf(pool: StoragePool, volume: VolumeRef): VolumePlaces {
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

/** A landing as the pool can, for one volume. */
export interface Landings {
  open(start: LandingStart, options: { signal: AbortSignal }): Promise<Landing>;
  /** Only where volumes are subvolumes. */
  subvolumes?: {
    open(start: LandingStart, options: { signal: AbortSignal }): Promise<SubvolumeLanding>;
    /** Where the volume's snapshots are. */
    snapshots: string;
  };
}

/** @param base that the volume probably differs little from */
export function landingsOn(
  { host, liblxc }: Pick<AgentContext, 'host' | 'liblxc'>,
  [spec, pool]: [PoolSpec, StoragePool],
  volume: VolumeRef,
  base?: VolumeRef,
): Landings {
  if (!hasSubvolumes(spec))
    return { open: (start, { signal }) => openVolumeLanding({ pool, volume, start, base, signal }) };
  const places = placesOf(pool, volume);
  const open = (start: LandingStart, { signal }: { signal: AbortSignal }) =>
    openSubvolumeLanding({
      host,
      setReceived: (...received) => liblxc.setReceived(...received),
      places,
      start,
      base: base && pool.volumePath(base),
      signal,
    });
  return { open, subvolumes: { open, snapshots: places.snapshots } };
}
