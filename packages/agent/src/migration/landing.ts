import { renameSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Undo } from '@lxd-ts/core';
import { blockFile, checkBlockFile } from '@lxd-ts/storage';
import {
  cloneTree,
  createSubvolume,
  deleteTree,
  makeWritable,
  setReadonly,
  type SubvolumeTools,
} from './subvolumes.ts';

/** Where a volume and its snapshots are when they are whole, and where they are while they are made. */
export interface VolumePlaces {
  volume: string;
  /** Its snapshots, by name, are in here. */
  snapshots: string;
  /** Of the volume's directory when it is whole; absent: as it came. */
  mode?: number;
  /** It is of content type `block`. */
  block?: true;
  /** On the same filesystem; what a crash leaves there is removed when the pool is mounted. */
  staging: string;
}

export type Change = (directory: string) => Promise<void>;

/** What a sink receives into. Nothing of it is at its place before `commit`; disposing removes what was not committed. */
export interface Landing extends AsyncDisposable {
  /** The volume in the making: a directory to write to. */
  readonly volume: string;
  /** Of one of content type `block`: the file, or the device, that is its bytes. */
  readonly image?: string | undefined;
  /** A directory for what is on its way to the volume; empty, and emptied when taken from. */
  inbox(): Promise<string>;
  /** The state of the volume now is this snapshot. @param change to be made to its files; the volume may get it, too */
  keepSnapshot(name: string, change?: Change): Promise<void>;
  /** Everything to its place. @param gone snapshots that are no more */
  commit(gone: readonly string[]): Promise<void>;
}

/** One for streams of subvolumes. */
export interface SubvolumeLanding extends Landing {
  /** What was received as `path` is this snapshot, or the volume when there is no name. */
  take(path: string, name: string | undefined): Promise<void>;
  /** Changes the files of a snapshot in the making, or of the volume: it no longer is what it was received from. */
  rewrite(name: string | undefined, change: Change): Promise<void>;
}

/** How the volume begins: with nothing, as it is, or as the base is that it probably differs little from. */
export type LandingStart = 'empty' | 'present' | 'base';

export interface SubvolumeLandingOptions extends SubvolumeTools {
  places: VolumePlaces;
  start: LandingStart;
  /** Where the base is. */
  base?: string | undefined;
  signal: AbortSignal;
}

const cleanupMs = 120_000;
/** Whoever goes away meanwhile: what has come is put to its place. */
const commitMs = 600_000;

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Where volumes are subvolumes. */
export async function openSubvolumeLanding(options: SubvolumeLandingOptions): Promise<SubvolumeLanding> {
  const { host, places, start, base, signal } = options;
  const make = async (path: string) => {
    await createSubvolume(host, path, { signal });
    await chmod(path, 0o700);
  };
  const copy = (from: string, to: string) => cloneTree(host, from, to, { signal });
  const remove = (path: string, until: AbortSignal) => deleteTree(host, path, { signal: until });
  const volume = join(places.staging, 'volume');
  const inbox = join(places.staging, 'inbox');
  const kept = join(places.staging, 'snapshots');
  const old = join(places.staging, 'old');

  await remove(places.staging, signal);
  await using undo = new Undo();
  // Whoever gives up while it is being made may find it half made.
  undo.push(() => remove(places.staging, AbortSignal.timeout(cleanupMs)));
  await make(places.staging);
  for (const directory of [inbox, kept]) await mkdir(directory);
  if (start === 'present') {
    await copy(places.volume, volume);
    if (places.block) await checkBlockFile(volume);
  } else if (start === 'base' && base !== undefined) await copy(base, volume);
  else await make(volume);
  undo.disarm();

  const place = async (name: string, whole: AbortSignal): Promise<void> => {
    const target = join(places.snapshots, name);
    await remove(target, whole);
    const from = join(kept, name);
    await makeWritable(options, from, { signal: whole });
    await rename(from, target);
    await setReadonly(host, target, true, { signal: whole });
  };

  return {
    volume,
    ...(places.block ? { image: blockFile(volume) } : {}),
    inbox: () => Promise.resolve(inbox),
    keepSnapshot: async (name, change) => {
      const target = join(kept, name);
      await copy(volume, target);
      await change?.(target);
      await setReadonly(host, target, true, { signal });
    },
    take: async (path, name) => {
      if (places.block) await checkBlockFile(path);
      if (name !== undefined) {
        await makeWritable(options, path, { signal });
        await rename(path, join(kept, name));
        await setReadonly(host, join(kept, name), true, { signal });
        return;
      }
      await remove(volume, signal);
      await copy(path, volume);
      await remove(path, signal);
    },
    rewrite: async (name, change) => {
      const directory = name === undefined ? volume : join(kept, name);
      if (name !== undefined) await setReadonly(host, directory, false, { signal });
      await change(directory);
      if (name !== undefined) await setReadonly(host, directory, true, { signal });
    },
    commit: async (gone) => {
      const whole = AbortSignal.timeout(commitMs);
      for (const name of gone) await remove(join(places.snapshots, name), whole);
      const names = await readdir(kept);
      if (names.length > 0) await mkdir(places.snapshots, { recursive: true, mode: 0o700 });
      for (const name of names) await place(name, whole);
      if (gone.length > 0) await rmdir(places.snapshots).catch(() => undefined);
      if (places.mode !== undefined) await chmod(volume, places.mode);
      await mkdir(dirname(places.volume), { recursive: true, mode: 0o711 });
      // One right after the other: a reader finds the one or the other.
      if (await exists(places.volume)) renameSync(places.volume, old);
      renameSync(volume, places.volume);
      await remove(places.staging, whole);
    },
    [Symbol.asyncDispose]: () => remove(places.staging, AbortSignal.timeout(cleanupMs)),
  };
}
