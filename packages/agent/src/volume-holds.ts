import { projectPrefixed, type InstanceSpec, type PoolSpec } from '@lxd-ts/core';
import type { CallOptions } from '@lxd-ts/rpc';
import type { VolumeRef } from '@lxd-ts/storage';
import { rootPool } from './context.ts';
import { volumeOf } from './instance/paths.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { Pools } from './pools.ts';

/** A volume that is held for a device of an instance. */
export interface Hold {
  pool: PoolSpec;
  volume: VolumeRef;
  holder: string;
}

export const holderOf = ({ project, name }: Pick<InstanceSpec, 'project' | 'name'>, device: string): string =>
  `${projectPrefixed(project, name)}/${device}`;

/** What an instance that was started with this holds: its root, and the custom volumes that it has. */
export function holdsOf(spec: InstanceSpec): Hold[] {
  return Object.entries(spec.devices).flatMap(([device, { type, path, pool, source = '' }]) => {
    const of = pool === undefined ? undefined : spec.pools[pool];
    if (type !== 'disk' || !of) return [];
    const volume: VolumeRef =
      path === '/' ? volumeOf(spec) : { type: 'custom', project: spec.project, name: source };
    return [{ pool: path === '/' ? rootPool(spec) : of, volume, holder: holderOf(spec, device) }];
  });
}

const keyOf = ({ pool, volume }: Pick<Hold, 'pool' | 'volume'>): string =>
  [pool.name, volume.type, volume.project, volume.name].join('/');

/** Custom volumes are held for as long as any instance that runs has them. */
export class VolumeHolds {
  readonly #pools: Pools;
  readonly #holders = new Map<string, Set<string>>();
  readonly #lock = new KeyedLock();

  /** @param before what is held since before this process */
  constructor(pools: Pools, before: readonly Hold[]) {
    this.#pools = pools;
    for (const hold of before) this.#holdersOf(keyOf(hold)).add(hold.holder);
  }

  #holdersOf(key: string): Set<string> {
    const holders = this.#holders.get(key) ?? new Set();
    this.#holders.set(key, holders);
    return holders;
  }

  /** Where its files are from now on. */
  hold({ pool: spec, volume, holder }: Hold, { signal }: CallOptions): Promise<string> {
    const key = keyOf({ pool: spec, volume });
    return this.#lock.run(key, async () => {
      const pool = await this.#pools.open(spec, { signal });
      await pool.holdVolume(volume, [], { signal });
      this.#holdersOf(key).add(holder);
      return pool.volumePath(volume);
    });
  }

  /** Not held: nothing done. */
  release({ pool, volume, holder }: Hold, { signal }: CallOptions): Promise<void> {
    const key = keyOf({ pool, volume });
    return this.#lock.run(key, async () => {
      const holders = this.#holdersOf(key);
      holders.delete(holder);
      if (holders.size > 0) return;
      // Its pool may be out of reach: then nothing of it is mounted.
      await this.#pools.handle(pool).releaseVolume(volume, { signal });
      this.#holders.delete(key);
    });
  }
}
