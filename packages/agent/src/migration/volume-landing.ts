import { chmod } from 'node:fs/promises';
import type { StoragePool, VolumeRef, VolumeUse } from '@lxd-ts/storage';
import type { Landing, LandingStart } from './landing.ts';

export interface VolumeLandingOptions {
  pool: StoragePool;
  volume: VolumeRef;
  start: LandingStart;
  /** The base. */
  base?: VolumeRef | undefined;
  /** Of one of content type `block`: as many as it has while nobody says otherwise. */
  bytes?: number | undefined;
  signal: AbortSignal;
}

const cleanupMs = 120_000;
/** Whoever goes away meanwhile: what has come is put to its place. */
const commitMs = 600_000;

/** Of a name that no volume of a user's can have; what a crash leaves of it goes by that name when the pool is mounted. */
const beside = (volume: VolumeRef, what: string): VolumeRef => ({
  ...volume,
  project: `.partial-${what}-${volume.project}`,
});
/** What a crash leaves of a snapshot in the making goes, too; none of a user's begins with a dot. */
const hidden = (name: string): string => `.partial-.${name}`;

/** What is larger stays so. */
async function growTo(pool: StoragePool, volume: VolumeRef, bytes: number, signal: AbortSignal) {
  if ((await pool.blockSize(volume, { signal })) < bytes) await pool.setQuota(volume, bytes, { signal });
}

/**
 * By what every pool can do. What is there already is changed in place, as the peers do: copies may cost as much as all the
 * files. Its new snapshots are seen when it is whole.
 */
export async function openVolumeLanding(options: VolumeLandingOptions): Promise<Landing> {
  const { pool, volume, base, signal } = options;
  const inPlace = options.start === 'present' || (await pool.exists(volume));
  const made = inPlace ? volume : beside(volume, 'landing');
  const { block: _, ...files } = volume;
  const inbox: VolumeRef = { ...beside(files, `inbox-${volume.type}`), type: 'custom' };
  const kept: string[] = [];
  const uses: VolumeUse[] = [];
  let isWhole = false;

  const endUses = async () => {
    for (let use = uses.pop(); use; use = uses.pop()) await use[Symbol.asyncDispose]();
  };
  const cleanUp = async () => {
    const until = AbortSignal.timeout(cleanupMs);
    await endUses();
    await pool.deleteVolume(inbox, { signal: until });
    if (isWhole) return;
    if (!inPlace) await pool.deleteVolume(made, { signal: until });
    else
      for (const name of kept)
        await pool.deleteVolume({ ...made, snapshot: hidden(name) }, { signal: until });
  };
  const use = async (what: VolumeRef): Promise<VolumeUse> => {
    const opened = await pool.useVolume(what, { signal });
    uses.push(opened);
    return opened;
  };

  try {
    for (const left of inPlace ? [inbox] : [inbox, made]) await pool.deleteVolume(left, { signal });
    if (!inPlace && options.start === 'base' && base) await pool.copyVolume(base, made, { signal });
    else if (!inPlace && made.block) await pool.createBlock(made, options.bytes ?? 0, undefined, { signal });
    else if (!inPlace) await pool.createVolume(made, undefined, { signal });
    else if (made.block && options.bytes !== undefined) await growTo(pool, made, options.bytes, signal);
    const { path, image } = await use(made);
    return {
      volume: path,
      image,
      inbox: async () => {
        await pool.createVolume(inbox, undefined, { signal });
        return (await use(inbox)).path;
      },
      keepSnapshot: async (name, change) => {
        await change?.(path);
        kept.push(name);
        const snapshot = inPlace ? hidden(name) : name;
        await pool.deleteVolume({ ...made, snapshot }, { signal });
        await pool.copyVolume(made, { ...made, snapshot }, { signal });
      },
      commit: async (gone) => {
        const whole = { signal: AbortSignal.timeout(commitMs) };
        // An instance's is passed by its id map only.
        if (volume.type !== 'custom') await chmod(path, 0o100);
        await endUses();
        for (const name of gone) await pool.deleteVolume({ ...volume, snapshot: name }, whole);
        if (!inPlace) await pool.renameVolume(made, volume, whole);
        else
          for (const name of kept) {
            await pool.deleteVolume({ ...volume, snapshot: name }, whole);
            await pool.renameVolume(
              { ...volume, snapshot: hidden(name) },
              { ...volume, snapshot: name },
              whole,
            );
          }
        isWhole = true;
      },
      [Symbol.asyncDispose]: cleanUp,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
