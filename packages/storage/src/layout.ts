import { chmod, lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError, projectPrefixed } from '@lxd-ts/core';
import { isBlockDirectory } from './block-file.ts';
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

/** Of a whole volume's directory: an instance's is passed by its id map only; a custom one is as it was filled, or open to look through. */
export async function closeVolume(path: string, volume: VolumeRef, filled: boolean): Promise<void> {
  if (volume.type !== 'custom') await chmod(path, 0o100);
  else if (!filled) await chmod(path, 0o711);
}

/** What is being made, or deleted, has this in its name; nothing that is whole has. */
export const partial = '.partial-';

export const poolPath = (dir: string, pool: string): string => join(dir, 'storage-pools', pool);
export const loopFile = (dir: string, pool: string): string => join(dir, 'disks', `${pool}.img`);

export function volumeName(volume: VolumeRef): string {
  if (volume.type === 'custom') return `${volume.project}_${volume.name}`;
  return volume.type === 'container' ? projectPrefixed(volume.project, volume.name) : volume.name;
}

/** Where whatever is beside the volume, or the snapshot, is. */
const parentPath = (pool: string, volume: VolumeRef): string =>
  volume.snapshot === undefined ? join(pool, parents[volume.type]) : snapshotsPath(pool, volume);

function lastName(volume: VolumeRef): string {
  const { snapshot } = volume;
  if (snapshot === undefined) return volumeName(volume);
  // Of one in the making there may be one whose name begins like this.
  if (/^\.(?!partial-\.)|\/|^$/.test(snapshot))
    throw new LxdError('invalid', `Invalid snapshot name "${snapshot}"`);
  return snapshot;
}

export const volumePath = (pool: string, volume: VolumeRef): string =>
  join(parentPath(pool, volume), lastName(volume));

/** Its snapshots, by name, are in here. */
export const snapshotsPath = (pool: string, volume: VolumeRef): string =>
  join(pool, `${parents[volume.type]}-snapshots`, volumeName(volume));

/** Beside the volume, on the same filesystem, so that one rename makes it whole. */
export const partialPath = (pool: string, volume: VolumeRef): string =>
  join(parentPath(pool, volume), `${partial}${lastName(volume)}`);

export async function makeDirectories(pool: string): Promise<void> {
  for (const [name, mode] of directories) await mkdir(join(pool, name), { recursive: true, mode });
}

/** Takes back `makeDirectories` where nothing is in them. */
export async function removeDirectories(pool: string): Promise<void> {
  for (const [name] of directories) await rmdir(join(pool, name)).catch(() => undefined);
}

/** By the name of its directory. */
export function volumeOf(type: VolumeRef['type'], name: string): VolumeRef {
  // Projects and instances have no underscore in their names; custom volumes may.
  const at = name.indexOf('_');
  if (type === 'image' || at < 0) return { type, project: 'default', name };
  return { type, project: name.slice(0, at), name: name.slice(at + 1) };
}

export async function listVolumes(pool: string, type: VolumeRef['type']): Promise<VolumeRef[]> {
  const names = await readdir(join(pool, parents[type])).catch(() => []);
  const found = names.filter((name) => !name.startsWith(partial)).map((name) => volumeOf(type, name));
  if (type !== 'custom') return found;
  return Promise.all(
    found.map(async (volume) => ({
      ...volume,
      ...((await isBlockDirectory(volumePath(pool, volume))) ? { block: true as const } : {}),
    })),
  );
}

/** Its own, whole ones. */
export async function listSnapshots(pool: string, volume: VolumeRef): Promise<string[]> {
  const names = await readdir(snapshotsPath(pool, volume)).catch(() => []);
  return names.filter((name) => !name.startsWith(partial));
}

/** Where a volume or a snapshot is to be made. */
export async function makeParent(pool: string, volume: VolumeRef): Promise<void> {
  if (volume.snapshot === undefined) return;
  await mkdir(snapshotsPath(pool, volume), { recursive: true, mode: 0o700 });
}

/** A directory that holds no snapshot any more goes. */
export const dropParent = (pool: string, volume: VolumeRef): Promise<void> =>
  rmdir(snapshotsPath(pool, volume)).catch(() => undefined);

export const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** The volume and its snapshots, or one snapshot, under another name. Cut off, the same call goes on with it. */
export async function renameVolume(pool: string, from: VolumeRef, to: VolumeRef): Promise<void> {
  if (await exists(volumePath(pool, to)))
    throw new LxdError('conflict', `Volume "${lastName(to)}" exists already`);
  if (from.snapshot === undefined && (await exists(snapshotsPath(pool, from)))) {
    await dropParent(pool, to);
    await rename(snapshotsPath(pool, from), snapshotsPath(pool, to));
  }
  await rename(volumePath(pool, from), volumePath(pool, to));
}

const partialsIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory).catch(() => []))
    .filter((name) => name.startsWith(partial))
    .map((name) => join(directory, name));

/** What a crash left half made. */
export async function listPartials(pool: string): Promise<string[]> {
  const found = await Promise.all(
    Object.values(parents).map(async (parent) => {
      const snapshots = join(pool, `${parent}-snapshots`);
      const volumes = await readdir(snapshots).catch(() => []);
      const within = volumes.map((name) => partialsIn(join(snapshots, name)));
      const beside = [join(pool, parent), snapshots].map(partialsIn);
      return (await Promise.all([...beside, ...within])).flat();
    }),
  );
  return found.flat();
}

/** Directories that were made for snapshots and hold none. */
export async function dropEmptyParents(pool: string): Promise<void> {
  for (const parent of Object.values(parents)) {
    const snapshots = join(pool, `${parent}-snapshots`);
    for (const name of await readdir(snapshots).catch(() => []))
      await rmdir(join(snapshots, name)).catch(() => undefined);
  }
}

/** The first thing in the pool that is not one of our empty directories; undefined when it is empty. */
export async function firstUsed(pool: string): Promise<string | undefined> {
  for (const [name] of directories) {
    const [found] = await readdir(join(pool, name)).catch(() => []);
    if (found !== undefined) return join(name, found);
  }
  return undefined;
}
