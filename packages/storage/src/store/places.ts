import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeRef } from '../driver.ts';
import { partial, snapshotsPath, volumeName, volumeOf, volumePath } from '../layout.ts';

/** Under which a volume, or a snapshot, is made or deleted. */
export function partialOf(volume: VolumeRef, kind = ''): VolumeRef {
  if (volume.snapshot !== undefined) return { ...volume, snapshot: `${partial}${kind}${volume.snapshot}` };
  const own = volumeOf(volume.type, `${partial}${kind}${volumeName(volume)}`);
  return volume.block ? { ...own, block: true } : own;
}

export const isPartial = (volume: VolumeRef): boolean =>
  [volumeName(volume), volume.snapshot ?? ''].some((name) => name.startsWith(partial));

/** Where it is mounted while it is used. */
export const placeOf = (pool: string, volume: VolumeRef): string =>
  volume.snapshot === undefined
    ? volumePath(pool, volume)
    : join(snapshotsPath(pool, volume), volume.snapshot);

export const sameVolume = (one: VolumeRef, other: VolumeRef): boolean =>
  one.type === other.type &&
  one.block === other.block &&
  volumeName(one) === volumeName(other) &&
  one.snapshot === other.snapshot;

/** Directories that something was mounted on, and nothing is any more. */
export async function dropEmptyPlaces(pool: string): Promise<void> {
  for (const top of await readdir(pool).catch(() => [])) {
    for (const name of await readdir(join(pool, top)).catch(() => [])) {
      const place = join(pool, top, name);
      // What is mounted on is busy; what is not empty is not ours.
      if (top.endsWith('-snapshots'))
        for (const snapshot of await readdir(place).catch(() => []))
          await rmdir(join(place, snapshot)).catch(() => undefined);
      await rmdir(place).catch(() => undefined);
    }
  }
}
