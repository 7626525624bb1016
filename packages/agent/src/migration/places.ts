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
    ...(volume.block ? { block: true } : {}),
    snapshots: snapshotsPath(pool.path, volume),
    staging: join(path, '..', `.partial-${name}`),
  };
}

/** A landing as the pool can, for one volume. */
export interface Landings {
  /** @param options bytes of one of content type `block`, as far as they are known */
  open(start: LandingStart, options: { signal: AbortSignal; bytes?: number | undefined }): Promise<Landing>;
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
  const openVolume: Landings['open'] = (start, { signal, bytes }) =>
    openVolumeLanding({ pool, volume, start, base, bytes, signal });
  if (!hasSubvolumes(spec)) return { open: openVolume };
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
  if (volume.block) {
    // What is there already changes as a whole; an empty one is the pool's to make.
    const openBlock: Landings['open'] = (start, options) =>
      start === 'present' ? open(start, options) : openVolume(start, options);
    return { open: openBlock, subvolumes: { open, snapshots: places.snapshots } };
  }
  return { open, subvolumes: { open, snapshots: places.snapshots } };
}
