import { access, lstat, rmdir } from 'node:fs/promises';
import { LxdError, type PoolSpec } from '@lxd-ts/core';
import type { StorageContext, StorageDriver, StoragePool, VolumeRef } from '@lxd-ts/storage';
import type { CallOptions, Created, PoolUsage } from '@lxd-ts/rpc';
import { KeyedLock } from './keyed-lock.ts';

const isThere = [() => true, () => false] as const;
const unmountMs = 60_000;

/** This member's pools: which driver, and what is mounted. */
export class Pools {
  readonly #drivers: readonly StorageDriver[];
  readonly #context: StorageContext;
  readonly #mounted = new Set<string>();
  /** Held since before this process, until their pool is mounted. */
  #before: readonly { pool: PoolSpec; volume: VolumeRef }[];
  /** Several servers may ask for the same. */
  readonly #lock = new KeyedLock();

  constructor(
    drivers: readonly StorageDriver[],
    context: StorageContext,
    before: readonly { pool: PoolSpec; volume: VolumeRef }[] = [],
  ) {
    this.#drivers = drivers;
    this.#context = context;
    this.#before = before;
  }

  /** Inert: touches nothing. */
  handle(pool: PoolSpec): StoragePool {
    const driver = this.#drivers.find(({ type }) => type === pool.driver);
    if (!driver) throw new LxdError('invalid', `Storage driver "${pool.driver}" is not known here`);
    return driver.open(pool, this.#context);
  }

  /** Whether what was unpacked once is copied for nothing. */
  clonesImages(pool: PoolSpec): boolean {
    return this.#drivers.some(
      ({ type, capabilities: { optimizedImages, optimizedCopy } }) =>
        type === pool.driver && optimizedImages && optimizedCopy,
    );
  }

  /** Whether other members are at work in it, too. */
  isShared(pool: PoolSpec): boolean {
    return this.#drivers.some(({ type, capabilities }) => type === pool.driver && capabilities.remote);
  }

  /** Of content type `block` its volumes are devices, which have a size before they are filled. */
  hasDevices(pool: PoolSpec): boolean {
    return this.#drivers.some(
      ({ type, capabilities }) => type === pool.driver && capabilities.blockVolumes === 'devices',
    );
  }

  /** Mounted on return; looked at only once while this process lives. */
  async open(pool: PoolSpec, options: CallOptions): Promise<StoragePool> {
    if (this.#mounted.has(pool.name)) return this.handle(pool);
    return this.#lock.run(pool.name, () => this.#ready(pool, options));
  }

  /** In turn. */
  async #ready(pool: PoolSpec, options: CallOptions): Promise<StoragePool> {
    options.signal.throwIfAborted();
    if (!this.#mounted.has(pool.name)) await this.#mount(pool, options);
    return this.handle(pool);
  }

  async #mount(pool: PoolSpec, options: CallOptions): Promise<void> {
    const held = this.#before.filter((one) => one.pool.name === pool.name).map(({ volume }) => volume);
    await this.handle(pool).mount({ ...options, held });
    this.#before = this.#before.filter((one) => one.pool.name !== pool.name);
    this.#mounted.add(pool.name);
  }

  /** As it is found, mounted only for this where it was not before; nothing in it changes. */
  look<T>(pool: PoolSpec, options: CallOptions, work: (handle: StoragePool) => Promise<T>): Promise<T> {
    return this.#lock.run(pool.name, async () => {
      if (this.#mounted.has(pool.name)) return work(await this.#ready(pool, options));
      const handle = this.handle(pool);
      const before = await lstat(handle.path).catch(() => undefined);
      const mounted = (await this.#context.host.mounts()).some(({ target }) => target === handle.path);
      try {
        await handle.mount({ ...options, asFound: true });
        return await work(handle);
      } finally {
        if (!mounted) await handle.unmount({ signal: AbortSignal.timeout(unmountMs) });
        if (!before) await rmdir(handle.path).catch(() => undefined);
      }
    });
  }

  create(pool: PoolSpec, options: CallOptions): Promise<Created> {
    return this.#lock.run(pool.name, async () => {
      const config = await this.handle(pool).create(options);
      this.#mounted.add(pool.name);
      return { config };
    });
  }

  update(before: PoolSpec, after: PoolSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(before.name, async () => {
      await (await this.#ready(before, options)).update(after.config, options);
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
    // Asked at any time, also while it is deleted: then it must not be there again.
    const opened = await this.#lock.run(pool.name, async () => {
      const handle = this.handle(pool);
      if (!this.#mounted.has(pool.name) && !(await access(handle.path).then(...isThere)))
        throw new LxdError('unavailable', `Storage pool "${pool.name}" is not mounted here`);
      return this.#ready(pool, options);
    });
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
