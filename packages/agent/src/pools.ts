import { LxdError, type PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { StorageDriver, StoragePool } from '@lxd-ts/storage';
import type { CallOptions, Created, PoolUsage } from '@lxd-ts/rpc';
import { KeyedLock } from './keyed-lock.ts';

/** This member's pools: which driver, and what is mounted. */
export class Pools {
  readonly #drivers: readonly StorageDriver[];
  readonly #context: { host: Host; dir: string };
  readonly #mounted = new Map<string, Promise<void>>();
  /** Several servers may ask for the same. */
  readonly #lock = new KeyedLock();

  constructor(drivers: readonly StorageDriver[], context: { host: Host; dir: string }) {
    this.#drivers = drivers;
    this.#context = context;
  }

  /** Inert: touches nothing. */
  handle(pool: PoolSpec): StoragePool {
    const driver = this.#drivers.find(({ type }) => type === pool.driver);
    if (!driver) throw new LxdError('invalid', `Storage driver "${pool.driver}" is not known here`);
    return driver.open(pool, this.#context);
  }

  /** Mounted on return; looked at only once while this process lives. */
  async open(pool: PoolSpec, options: CallOptions): Promise<StoragePool> {
    const handle = this.handle(pool);
    let mounted = this.#mounted.get(pool.name);
    if (!mounted) {
      mounted = handle.mount(options);
      this.#mounted.set(pool.name, mounted);
    }
    try {
      await mounted;
    } catch (error) {
      this.#mounted.delete(pool.name);
      throw error;
    }
    return handle;
  }

  create(pool: PoolSpec, options: CallOptions): Promise<Created> {
    return this.#lock.run(pool.name, async () => {
      const config = await this.handle(pool).create(options);
      this.#mounted.set(pool.name, Promise.resolve());
      return { config };
    });
  }

  update(before: PoolSpec, after: PoolSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(before.name, async () => {
      await (await this.open(before, options)).update(after.config, options);
    });
  }

  delete(pool: PoolSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(pool.name, async () => {
      await this.handle(pool).delete(options);
      this.#mounted.delete(pool.name);
    });
  }

  close(pool: PoolSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(pool.name, async () => {
      await this.handle(pool).unmount(options);
      this.#mounted.delete(pool.name);
    });
  }

  async usage(pool: PoolSpec, options: CallOptions): Promise<PoolUsage> {
    const opened = await this.open(pool, options);
    const own = await opened.usage?.(options);
    if (own) return { space: own, inodes: { used: 0, total: 0 } };
    const { used, total, inodesUsed, inodesTotal } = await this.#context.host.statfs(opened.path);
    return { space: { used, total }, inodes: { used: inodesUsed, total: inodesTotal } };
  }

  /** Drivers that can run here, with the version of their tools. */
  async available(signal: AbortSignal): Promise<{ name: string; version: string; remote: boolean }[]> {
    const found = await Promise.all(
      this.#drivers.map(async (driver) => ({
        name: driver.type,
        version: await driver.probe(this.#context.host, { signal }),
        remote: driver.capabilities.remote,
      })),
    );
    return found.flatMap(({ version, ...rest }) => (version === undefined ? [] : [{ ...rest, version }]));
  }
}
