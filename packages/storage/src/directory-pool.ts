import { lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LxdError, type Config, type IdmapEntry, type PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type {
  CopyOptions,
  Fill,
  FillBlock,
  MountOptions,
  StorageContext,
  StoragePool,
  UseOptions,
  VolumeRef,
  VolumeUse,
  WaitOptions,
} from './driver.ts';
import {
  closeVolume,
  dropEmptyParents,
  dropParent,
  firstUsed,
  listPartials,
  listSnapshots,
  listVolumes,
  makeDirectories,
  makeParent,
  partialPath,
  poolPath,
  removeDirectories,
  renameVolume,
  volumePath,
} from './layout.ts';
import { blockFileSize, blockFileUsage, fillBlockDirectory, growBlockFile } from './block-file.ts';
import { copyTree } from './copy-tree.ts';
import { ProjectQuotas } from './project-quotas.ts';
import { useDirectory } from './use-directory.ts';

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Volumes that are directories, in a directory of the pool's own or of the user's. */
export class DirectoryPool implements StoragePool {
  readonly path: string;
  protected readonly pool: PoolSpec;
  protected readonly host: Host;
  readonly #dir: string;
  readonly #quotas: ProjectQuotas;

  constructor(pool: PoolSpec, context: StorageContext) {
    this.path = poolPath(context.dir, pool.name);
    this.pool = pool;
    this.host = context.host;
    this.#dir = context.dir;
    this.#quotas = new ProjectQuotas(context, this.path);
  }

  /** Faster than node's own for a whole distribution, and it never leaves the filesystem. */
  protected async removeTree(path: string, signal: AbortSignal): Promise<void> {
    if (await exists(path)) await this.host.run(['rm', '-rf', '--one-file-system', '--', path], { signal });
  }

  protected get source(): string {
    return this.pool.config['source'] || this.path;
  }

  async create(options: WaitOptions): Promise<PoolSpec['config']> {
    const source = this.source;
    if (source !== this.path) {
      if (!(await exists(source))) throw new LxdError('invalid', `Source path '${source}' doesn't exist`);
      // What the daemon makes there is its own.
      if (`${resolve(source)}/`.startsWith(`${this.#dir}/`))
        throw new LxdError('invalid', `Source path '${source}' is within the LXD directory`);
      if ((await readdir(source)).length > 0)
        throw new LxdError('invalid', `Source path '${source}' isn't empty`);
    } else await mkdir(source, { recursive: true, mode: 0o711 });
    await this.mount(options);
    return { ...this.pool.config, source };
  }

  async delete(options: WaitOptions): Promise<void> {
    const source = this.source;
    const mounted = (await this.host.mounts()).some(({ target }) => target === this.path);
    // A source that was refused, or is not mounted, may be the user's: nothing in it is removed.
    const kept = source === this.path || mounted ? undefined : await firstUsed(source);
    if (kept && !kept.startsWith('images/')) {
      throw new LxdError('conflict', `Storage pool "${this.pool.name}" is not empty: ${kept}`);
    }
    if ((source === this.path || mounted) && (await exists(source))) {
      // What is in it must be seen before anything is removed.
      await this.mount(options);
      for (const image of await this.volumes('image')) await this.deleteVolume(image, options);
      const used = await firstUsed(this.path);
      if (used) throw new LxdError('conflict', `Storage pool "${this.pool.name}" is not empty: ${used}`);
      await this.dropOwn(options);
      await removeDirectories(this.path);
      const foreign = source === this.path ? (await readdir(this.path))[0] : undefined;
      if (foreign !== undefined) {
        throw new LxdError('conflict', `Storage pool "${this.pool.name}" is not empty: ${foreign}`);
      }
    }
    await this.unmount(options);
    if (await exists(this.path)) await rmdir(this.path);
  }

  async mount(options: MountOptions): Promise<void> {
    const { signal, asFound } = options;
    const source = this.source;
    // Never made here: who still opens a pool that was deleted does not have it back.
    if (!(await exists(source)))
      throw asFound
        ? new LxdError('invalid', `Source path '${source}' doesn't exist`)
        : new LxdError('unavailable', `Source '${source}' of storage pool "${this.pool.name}" is missing`);
    await mkdir(this.path, { recursive: true, mode: 0o711 });
    if (source !== this.path) {
      const mounted = (await this.host.mounts()).some(({ target }) => target === this.path);
      // What is mounted in the one is not to show up in the other.
      const options = ['bind', 'private'];
      if (!mounted) await this.host.mount({ source, target: this.path, options }, { signal });
    }
    this.#quotas.forget();
    if (asFound) return;
    await makeDirectories(this.path);
    await this.sweep(options);
    for (const left of await listPartials(this.path)) await this.removeTree(left, signal);
    await dropEmptyParents(this.path);
  }

  /** What it has besides volumes, and what a crash has left of it, before anything half made is removed. */
  protected sweep(_options: MountOptions): Promise<void> {
    return Promise.resolve();
  }

  /** What `sweep` made goes, when there is no volume any more. */
  protected dropOwn(_options: WaitOptions): Promise<void> {
    return Promise.resolve();
  }

  async unmount({ signal }: WaitOptions): Promise<void> {
    if (this.source !== this.path) await this.host.unmount(this.path, { signal });
  }

  async update(_after: Config, _options: WaitOptions): Promise<void> {
    await Promise.resolve(); // its live options are read when they are needed
  }

  volumePath(volume: VolumeRef): string {
    return volumePath(this.path, volume);
  }

  useVolume(volume: VolumeRef, _options: UseOptions): Promise<VolumeUse> {
    return useDirectory(this.volumePath(volume), volume);
  }

  holdVolume(
    _volume: VolumeRef,
    _idmap: readonly IdmapEntry[],
    _options: WaitOptions,
  ): Promise<{ mapped: boolean }> {
    return Promise.resolve({ mapped: false });
  }

  releaseVolume(_volume: VolumeRef, _options: WaitOptions): Promise<void> {
    return Promise.resolve();
  }

  snapshots(volume: VolumeRef): Promise<string[]> {
    return listSnapshots(this.path, volume);
  }

  volumes(type: VolumeRef['type']): Promise<VolumeRef[]> {
    return listVolumes(this.path, type);
  }

  exists(volume: VolumeRef): Promise<boolean> {
    return exists(this.volumePath(volume));
  }

  async createVolume(volume: VolumeRef, fill: Fill | undefined, options: WaitOptions): Promise<void> {
    if (await this.exists(volume)) return;
    const path = partialPath(this.path, volume);
    await this.removeTree(path, options.signal);
    try {
      await makeParent(this.path, volume);
      await mkdir(path, { mode: 0o700 });
      await fill?.(path, options);
      await closeVolume(path, volume, fill !== undefined);
      await rename(path, this.volumePath(volume));
    } catch (error) {
      await this.removeTree(path, AbortSignal.timeout(60_000));
      throw error;
    }
  }

  createBlock(
    volume: VolumeRef,
    bytes: number,
    fill: FillBlock | undefined,
    options: WaitOptions,
  ): Promise<void> {
    return this.createVolume(volume, fillBlockDirectory(bytes, fill), options);
  }

  blockSize(volume: VolumeRef, _options: WaitOptions): Promise<number> {
    return blockFileSize(this.volumePath(volume));
  }

  createFromImage(volume: VolumeRef, _fingerprint: string, fill: Fill, options: WaitOptions): Promise<void> {
    return this.createVolume(volume, fill, options);
  }

  copyVolume(from: VolumeRef, to: VolumeRef, { still, ...options }: CopyOptions): Promise<void> {
    return this.createVolume(to, (path, { signal }) => this.copyTo(path, from, still, signal), options);
  }

  /** Fills a directory. */
  protected async copyTo(
    path: string,
    from: VolumeRef,
    still: CopyOptions['still'],
    signal: AbortSignal,
  ): Promise<void> {
    const source = this.volumePath(from);
    if (still) await copyTree(this.host, source, path, { still, signal });
    else await this.host.run(['cp', '-a', '--reflink=auto', '--', `${source}/.`, path], { signal });
  }

  async replaceVolume(from: VolumeRef, to: VolumeRef, { signal, still }: CopyOptions): Promise<void> {
    const path = this.volumePath(to);
    const fresh = `${partialPath(this.path, to)}.new`;
    const old = partialPath(this.path, to);
    for (const left of [fresh, old]) await this.removeTree(left, signal);
    try {
      await mkdir(fresh, { mode: 0o700 });
      await this.copyTo(fresh, from, still, signal);
      await closeVolume(fresh, to, true);
      if (await exists(path)) await rename(path, old);
      await rename(fresh, path);
    } catch (error) {
      await this.removeTree(fresh, AbortSignal.timeout(60_000));
      throw error;
    }
    await this.removeTree(old, signal);
  }

  renameVolume(from: VolumeRef, to: VolumeRef, _options: WaitOptions): Promise<void> {
    return renameVolume(this.path, from, to);
  }

  async deleteVolume(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (volume.snapshot === undefined)
      for (const snapshot of await this.snapshots(volume))
        await this.deleteOne({ ...volume, snapshot }, options);
    await this.deleteOne(volume, options);
    await dropParent(this.path, volume);
  }

  protected async deleteOne(volume: VolumeRef, { signal }: WaitOptions): Promise<void> {
    const path = this.volumePath(volume);
    if (!(await exists(path))) return;
    // Gone at once for everybody; a crash before the end leaves a partial, which the next mount removes.
    const left = partialPath(this.path, volume);
    await this.removeTree(left, signal);
    await rename(path, left);
    await this.removeTree(left, signal);
  }

  volumeUsage(volume: VolumeRef, _options: WaitOptions): Promise<number | undefined> {
    const path = this.volumePath(volume);
    return volume.block ? blockFileUsage(path) : this.#quotas.used(path);
  }

  async setQuota(volume: VolumeRef, bytes: number | undefined, options: WaitOptions): Promise<void> {
    if (volume.block) return growBlockFile(this.volumePath(volume), bytes);
    if (await this.#quotas.limit(this.volumePath(volume), bytes, options)) return;
    if (bytes === undefined) return;
    throw new LxdError(
      'unsupported',
      `Storage pool "${this.pool.name}" (${this.pool.driver}) cannot limit the size of a volume: its filesystem has no project quotas`,
    );
  }
}
