import { toLxdError, type VolumeSpec } from '@lxd-ts/core';
import type { CallOptions } from '@lxd-ts/rpc';
import type { VolumeRef } from '@lxd-ts/storage';
import type { AgentContext } from './context.ts';
import { copyFiles } from './instance/snapshots.ts';
import { KeyedLock } from './keyed-lock.ts';

const refOf = ({ project, name, snapshot }: VolumeSpec): VolumeRef => ({
  type: 'custom',
  project,
  name,
  ...(snapshot === undefined ? {} : { snapshot }),
});

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
      await pool.createVolume(refOf(volume), undefined, options);
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
}
