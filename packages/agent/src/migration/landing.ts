import { renameSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Host } from '@lxd-ts/host';
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
  /** On the same filesystem; what a crash leaves there is removed when the pool is mounted. */
  staging: string;
}

/** What a sink receives into. Nothing of it is at its place before `commit`; disposing removes what was not committed. */
export interface Landing extends AsyncDisposable {
  /** The volume in the making: a directory to write to. */
  readonly volume: string;
  /** For streams of subvolumes; empty, and emptied when taken from. */
  readonly inbox: string;
  /** The state of the volume now is this snapshot. */
  keepSnapshot(name: string): Promise<void>;
  /** What was received as `path` is this snapshot, or the volume when there is no name. */
  take(path: string, name: string | undefined): Promise<void>;
  /** Changes the files of a snapshot in the making, or of the volume: it no longer is what it was received from. */
  rewrite(name: string | undefined, change: (directory: string) => Promise<void>): Promise<void>;
  /** Everything to its place. @param gone snapshots that are no more */
  commit(gone: readonly string[]): Promise<void>;
}

export interface LandingOptions extends SubvolumeTools {
  places: VolumePlaces;
  /** Whether volumes are subvolumes. */
  subvolumes: boolean;
  /** How the volume begins: with nothing, as it is, or as something else is. */
  start: 'empty' | 'present' | { copyOf: string };
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

/** Removes and copies trees as this kind of pool does it. */
function tools(host: Host, subvolumes: boolean) {
  return {
    async make(path: string, signal: AbortSignal): Promise<void> {
      if (subvolumes) await createSubvolume(host, path, { signal });
      else await mkdir(path);
      await chmod(path, 0o700);
    },
    async copy(from: string, to: string, signal: AbortSignal): Promise<void> {
      if (subvolumes) await cloneTree(host, from, to, { signal });
      else await host.run(['cp', '-a', '--reflink=auto', '--', from, to], { signal });
    },
    async remove(path: string, signal: AbortSignal): Promise<void> {
      if (!(await exists(path))) return;
      if (subvolumes) await deleteTree(host, path, { signal });
      else await host.run(['rm', '-rf', '--one-file-system', '--', path], { signal });
    },
  };
}

export async function openLanding(options: LandingOptions): Promise<Landing> {
  const { host, places, subvolumes, start, signal } = options;
  const { make, copy, remove } = tools(host, subvolumes);
  const volume = join(places.staging, 'volume');
  const inbox = join(places.staging, 'inbox');
  const kept = join(places.staging, 'snapshots');
  const old = join(places.staging, 'old');
  // Without copies that cost nothing, what is there is changed in place, as the peers do.
  const inPlace = start === 'present' && !subvolumes;

  await remove(places.staging, signal);
  await make(places.staging, signal);
  for (const directory of [inbox, kept]) await mkdir(directory);
  if (start === 'present' && subvolumes) await copy(places.volume, volume, signal);
  else if (typeof start === 'object') await copy(start.copyOf, volume, signal);
  else if (!inPlace) await make(volume, signal);

  const place = async (name: string, whole: AbortSignal): Promise<void> => {
    const target = join(places.snapshots, name);
    await remove(target, whole);
    const from = join(kept, name);
    if (subvolumes) await makeWritable(options, from, { signal: whole });
    await rename(from, target);
    if (subvolumes) await setReadonly(host, target, true, { signal: whole });
  };

  return {
    volume: inPlace ? places.volume : volume,
    inbox,
    keepSnapshot: async (name) => {
      const target = join(kept, name);
      await copy(inPlace ? places.volume : volume, target, signal);
      if (subvolumes) await setReadonly(host, target, true, { signal });
    },
    take: async (path, name) => {
      if (name !== undefined) {
        await makeWritable(options, path, { signal });
        await rename(path, join(kept, name));
        await setReadonly(host, join(kept, name), true, { signal });
        return;
      }
      await remove(volume, signal);
      await copy(path, volume, signal);
      await remove(path, signal);
    },
    rewrite: async (name, change) => {
      const directory = name === undefined ? (inPlace ? places.volume : volume) : join(kept, name);
      const sealed = subvolumes && name !== undefined;
      if (sealed) await setReadonly(host, directory, false, { signal });
      await change(directory);
      if (sealed) await setReadonly(host, directory, true, { signal });
    },
    commit: async (gone) => {
      const whole = AbortSignal.timeout(commitMs);
      for (const name of gone) await remove(join(places.snapshots, name), whole);
      const names = await readdir(kept);
      if (names.length > 0) await mkdir(places.snapshots, { recursive: true, mode: 0o700 });
      for (const name of names) await place(name, whole);
      if (gone.length > 0) await rmdir(places.snapshots).catch(() => undefined);
      if (inPlace) {
        if (places.mode !== undefined) await chmod(places.volume, places.mode);
        await remove(places.staging, whole);
        return;
      }
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
