import { basename, join } from 'node:path';
import { toLxdError, type VolumeSpec } from '@lxd-ts/core';
import type { BackupRequest, BackupSource, CallOptions } from '@lxd-ts/rpc';
import type { VolumeRef } from '@lxd-ts/storage';
import { restoreBackup } from './backup/restore-backup.ts';
import { volumeSubject } from './backup/subject.ts';
import { writeBackup, type StillFiles } from './backup/write-backup.ts';
import type { AgentContext } from './context.ts';
import { copyFiles } from './instance/snapshots.ts';
import { KeyedLock } from './keyed-lock.ts';
import { hasSubvolumes } from './migration/places.ts';
import { cloneTree, deleteTree } from './migration/subvolumes.ts';

const refOf = ({ project, name, snapshot, block }: VolumeSpec): VolumeRef => ({
  type: 'custom',
  project,
  name,
  ...(block ? { block: true } : {}),
  ...(snapshot === undefined ? {} : { snapshot }),
});

const cleanupMs = 120_000;

/** This member's custom volumes. All calls are idempotent: recovery repeats them. */
export class Volumes {
  readonly #context: AgentContext;
  readonly #lock = new KeyedLock();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  #alone<T>({ pool, project, name }: VolumeSpec, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(`${pool.name}/${project}/${name}`, work);
  }

  create(volume: VolumeSpec, options: CallOptions): Promise<void> {
    return this.#alone(volume, async () => {
      const pool = await this.#context.pools.open(volume.pool, options);
      const { block } = volume;
      if (block) await pool.createBlock(refOf(volume), block.bytes, undefined, options);
      else await pool.createVolume(refOf(volume), undefined, options);
    });
  }

  /** @param snapshots of `from`, which come along */
  copy(from: VolumeSpec, to: VolumeSpec, snapshots: readonly string[], options: CallOptions): Promise<void> {
    const { snapshot, ...volume } = from;
    const what = { snapshots: [...snapshots], ...(snapshot === undefined ? {} : { snapshot }) };
    const source = { pool: from.pool, volume: refOf(volume) };
    const target = { pool: to.pool, volume: refOf(to) };
    return this.#alone(to, () => copyFiles(this.#context, source, target, what, options));
  }

  restore(volume: VolumeSpec, snapshot: string, options: CallOptions): Promise<void> {
    return this.#alone(volume, async () => {
      const pool = await this.#context.pools.open(volume.pool, options);
      await pool.replaceVolume({ ...refOf(volume), snapshot }, refOf(volume), options);
    });
  }

  /** With its snapshots; or one snapshot. */
  rename(from: VolumeSpec, to: VolumeSpec, options: CallOptions): Promise<void> {
    return this.#alone(from, async () => {
      const pool = await this.#context.pools.open(from.pool, options);
      if (await pool.exists(refOf(from))) await pool.renameVolume(refOf(from), refOf(to), options);
    });
  }

  /** With its snapshots; or one snapshot. */
  delete(volume: VolumeSpec, options: CallOptions): Promise<void> {
    return this.#alone(volume, async () => {
      const pool = await this.#context.pools.open(volume.pool, options);
      await pool.deleteVolume(refOf(volume), options);
    });
  }

  /** @param bytes null: no limit. Where the pool knows none it is only a wish, as in LXD. */
  async limit(volume: VolumeSpec, bytes: number | null, options: CallOptions): Promise<void> {
    const pool = await this.#context.pools.open(volume.pool, options);
    try {
      await pool.setQuota(refOf(volume), bytes ?? undefined, options);
    } catch (error) {
      if (toLxdError(error).code !== 'unsupported') throw error;
      this.#context.log.warn('a storage pool cannot limit its volumes', { pool: volume.pool.name });
    }
  }

  /** Bytes; null where the pool cannot tell. */
  async usage(volume: VolumeSpec, options: CallOptions): Promise<number | null> {
    const pool = await this.#context.pools.open(volume.pool, options);
    return (await pool.volumeUsage(refOf(volume), options)) ?? null;
  }

  /** Bytes of one of content type `block`: how large it is. */
  async size(volume: VolumeSpec, options: CallOptions): Promise<number> {
    const pool = await this.#context.pools.open(volume.pool, options);
    return pool.blockSize(refOf(volume), options);
  }

  /** Also while instances write to it: as it was at one moment where a copy costs nothing, else as it was read. */
  async backUp(volume: VolumeSpec, request: BackupRequest, options: CallOptions): Promise<{ size: number }> {
    const { host, pools, randomId } = this.#context;
    const pool = await pools.open(volume.pool, options);
    await using use = await pool.useVolume(refOf(volume), { ...options, readonly: true });
    const { path, image } = use;
    const write = (files: StillFiles) =>
      writeBackup(this.#context, volumeSubject(volume), request, files, options);
    if (!hasSubvolumes(volume.pool))
      return await this.#alone(volume, () => write({ path, image, own: false, live: true }));
    // A crash's is removed when the pool is mounted, by its name.
    const copy = join(path, '..', `.partial-copy-${randomId()}`);
    try {
      await this.#alone(volume, () => cloneTree(host, path, copy, options));
      return await write({ path: copy, image: image && join(copy, basename(image)), own: true });
    } finally {
      await deleteTree(host, copy, { signal: AbortSignal.timeout(cleanupMs) });
    }
  }

  restoreBackup(volume: VolumeSpec, source: BackupSource, options: CallOptions): Promise<void> {
    return this.#alone(volume, async () => {
      const pool = await this.#context.pools.open(volume.pool, options);
      await restoreBackup(this.#context, pool, volumeSubject(volume), source, options);
    });
  }
}
