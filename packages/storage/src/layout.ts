import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPrefixed } from '@lxd-ts/core';
import type { VolumeRef } from './driver.ts';

/** LXD's directories in a pool, and who may pass: containers' roots are reached by their id maps, the rest is root's alone. */
const directories: readonly [string, number][] = [
  ['containers', 0o711],
  ['containers-snapshots', 0o711],
  ['custom', 0o700],
  ['custom-snapshots', 0o700],
  ['images', 0o700],
];

const parents: Readonly<Record<VolumeRef['type'], string>> = {
  container: 'containers',
  custom: 'custom',
  image: 'images',
};

/** What is being made, or deleted, has this in its name; nothing that is whole has. */
export const partial = '.partial-';

export const poolPath = (dir: string, pool: string): string => join(dir, 'storage-pools', pool);
export const loopFile = (dir: string, pool: string): string => join(dir, 'disks', `${pool}.img`);

export function volumeName(volume: VolumeRef): string {
  if (volume.type === 'custom') return `${volume.project}_${volume.name}`;
  return volume.type === 'container' ? projectPrefixed(volume.project, volume.name) : volume.name;
}

export const volumePath = (pool: string, volume: VolumeRef): string =>
  join(pool, parents[volume.type], volumeName(volume));

/** Its snapshots, by name, are in here. */
export const snapshotsPath = (pool: string, volume: VolumeRef): string =>
  join(pool, `${parents[volume.type]}-snapshots`, volumeName(volume));

/** Beside the volume, on the same filesystem, so that one rename makes it whole. */
export const partialPath = (pool: string, volume: VolumeRef): string =>
  join(pool, parents[volume.type], `${partial}${volumeName(volume)}`);

export async function makeDirectories(pool: string): Promise<void> {
  for (const [name, mode] of directories) await mkdir(join(pool, name), { recursive: true, mode });
}

/** Takes back `makeDirectories` where nothing is in them. */
export async function removeDirectories(pool: string): Promise<void> {
  for (const [name] of directories) await rmdir(join(pool, name)).catch(() => undefined);
}

function volumeOf(type: VolumeRef['type'], name: string): VolumeRef {
  // Projects and instances have no underscore in their names; custom volumes may.
  const at = name.indexOf('_');
  if (type === 'image' || at < 0) return { type, project: 'default', name };
  return { type, project: name.slice(0, at), name: name.slice(at + 1) };
}

export async function listVolumes(pool: string, type: VolumeRef['type']): Promise<VolumeRef[]> {
  const names = await readdir(join(pool, parents[type])).catch(() => []);
  return names.filter((name) => !name.startsWith(partial)).map((name) => volumeOf(type, name));
}

/** What a crash left half made. */
export async function listPartials(pool: string): Promise<string[]> {
  const found = await Promise.all(
    Object.values(parents).map(async (parent) => {
      const names = await readdir(join(pool, parent)).catch(() => []);
      return names.filter((name) => name.startsWith(partial)).map((name) => join(pool, parent, name));
    }),
  );
  return found.flat();
}

/** The first thing in the pool that is not one of our empty directories; undefined when it is empty. */
export async function firstUsed(pool: string): Promise<string | undefined> {
  for (const [name] of directories) {
    const [found] = await readdir(join(pool, name)).catch(() => []);
    if (found !== undefined) return join(name, found);
  }
  return undefined;
}
