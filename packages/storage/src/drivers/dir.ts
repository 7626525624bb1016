import { access, lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LxdError, type PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type {
  CopyOptions,
  Fill,
  MountOptions,
  StorageContext,
  StorageDriver,
  StoragePool,
  VolumeRef,
  WaitOptions,
} from '../driver.ts';
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
} from '../layout.ts';
import { commonSchema } from '../schema.ts';

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Faster than node's own for a whole distribution, and it never leaves the filesystem. */
async function removeTree(host: Host, path: string, signal: AbortSignal): Promise<void> {
  if (await exists(path)) await host.run(['rm', '-rf', '--one-file-system', '--', path], { signal });
}

class DirPool implements StoragePool {
  readonly path: string;
  readonly #pool: PoolSpec;
  readonly #host: Host;
  readonly #dir: string;

  constructor(pool: PoolSpec, { host, dir }: StorageContext) {
    this.path = poolPath(dir, pool.name);
    this.#pool = pool;
    this.#host = host;
    this.#dir = dir;
  }

  get #source(): string {
    return this.#pool.config['source'] || this.path;
  }

  async create(options: WaitOptions): Promise<PoolSpec['config']> {
    const source = this.#source;
    if (source !== this.path) {
      if (!(await exists(source))) throw new LxdError('invalid', `Source path '${source}' doesn't exist`);
      // What the daemon makes there is its own.
      if (`${resolve(source)}/`.startsWith(`${this.#dir}/`))
        throw new LxdError('invalid', `Source path '${source}' is within the LXD directory`);
      if ((await readdir(source)).length > 0)
        throw new LxdError('invalid', `Source path '${source}' isn't empty`);
    }
    await this.mount(options);
    return { ...this.#pool.config, source };
  }

  async delete(options: WaitOptions): Promise<void> {
    const source = this.#source;
    const mounted = (await this.#host.mounts()).some(({ target }) => target === this.path);
    // A source that was refused, or is not mounted, may be the user's: nothing in it is removed.
    const kept = source === this.path || mounted ? undefined : await firstUsed(source);
    if (kept && !kept.startsWith('images/')) {
      throw new LxdError('conflict', `Storage pool "${this.#pool.name}" is not empty: ${kept}`);
    }
    if ((source === this.path || mounted) && (await exists(source))) {
      // What is in it must be seen before anything is removed.
      await this.mount(options);
      for (const image of await this.volumes('image')) await this.deleteVolume(image, options);
      const used = await firstUsed(this.path);
      if (used) throw new LxdError('conflict', `Storage pool "${this.#pool.name}" is not empty: ${used}`);
      await removeDirectories(this.path);
      const foreign = source === this.path ? (await readdir(this.path))[0] : undefined;
      if (foreign !== undefined) {
        throw new LxdError('conflict', `Storage pool "${this.#pool.name}" is not empty: ${foreign}`);
      }
    }
    await this.unmount(options);
    if (await exists(this.path)) await rmdir(this.path);
  }

  async mount({ signal, asFound }: MountOptions): Promise<void> {
    const source = this.#source;
    if (asFound && !(await exists(source)))
      throw new LxdError('invalid', `Source path '${source}' doesn't exist`);
    await mkdir(this.path, { recursive: true, mode: 0o711 });
    if (source !== this.path) {
      const mounted = (await this.#host.mounts()).some(({ target }) => target === this.path);
      if (!mounted) await this.#host.mount({ source, target: this.path, options: ['bind'] }, { signal });
    }
    if (asFound) return;
    await makeDirectories(this.path);
    for (const left of await listPartials(this.path)) await removeTree(this.#host, left, signal);
    await dropEmptyParents(this.path);
  }

  async unmount({ signal }: WaitOptions): Promise<void> {
    if (this.#source !== this.path) await this.#host.unmount(this.path, { signal });
  }

  async update(): Promise<void> {
    await Promise.resolve(); // its live options are read when they are needed
  }

  volumePath(volume: VolumeRef): string {
    return volumePath(this.path, volume);
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
    await removeTree(this.#host, path, options.signal);
    try {
      await makeParent(this.path, volume);
      await mkdir(path, { mode: 0o700 });
      await fill?.(path, options);
      await closeVolume(path, volume, fill !== undefined);
      await rename(path, this.volumePath(volume));
    } catch (error) {
      await removeTree(this.#host, path, AbortSignal.timeout(60_000));
      throw error;
    }
  }

  createFromImage(volume: VolumeRef, _fingerprint: string, fill: Fill, options: WaitOptions): Promise<void> {
    return this.createVolume(volume, fill, options);
  }

  copyVolume(from: VolumeRef, to: VolumeRef, { still, ...options }: CopyOptions): Promise<void> {
    return this.createVolume(to, (path, { signal }) => this.#copy(from, path, still, signal), options);
  }

  async #copy(
    from: VolumeRef,
    path: string,
    still: CopyOptions['still'],
    signal: AbortSignal,
  ): Promise<void> {
    const source = `${this.volumePath(from)}/`;
    if (!still) {
      await this.#host.run(['cp', '-a', '--reflink=auto', '--', `${source}.`, path], { signal });
      return;
    }
    // Times are compared to the nanosecond: what is written twice in a second is not taken for the same.
    const argv = [
      'rsync',
      '-aHAXS',
      '--modify-window=-1',
      '--numeric-ids',
      '--delete',
      '--',
      source,
      path,
    ] as const;
    // What is written or goes meanwhile is told by its status, and is put right by the second round.
    await this.#host.run(argv, { signal, allowFailure: true });
    await still(() => this.#host.run(argv, { signal }).then(() => undefined));
  }

  async replaceVolume(from: VolumeRef, to: VolumeRef, { signal, still }: CopyOptions): Promise<void> {
    const path = this.volumePath(to);
    const fresh = `${partialPath(this.path, to)}.new`;
    const old = partialPath(this.path, to);
    for (const left of [fresh, old]) await removeTree(this.#host, left, signal);
    try {
      await mkdir(fresh, { mode: 0o700 });
      await this.#copy(from, fresh, still, signal);
      await closeVolume(fresh, to, true);
      if (await exists(path)) await rename(path, old);
      await rename(fresh, path);
    } catch (error) {
      await removeTree(this.#host, fresh, AbortSignal.timeout(60_000));
      throw error;
    }
    await removeTree(this.#host, old, signal);
  }

  renameVolume(from: VolumeRef, to: VolumeRef): Promise<void> {
    return renameVolume(this.path, from, to);
  }

  async deleteVolume(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (volume.snapshot === undefined)
      for (const snapshot of await this.snapshots(volume))
        await this.#deleteOne({ ...volume, snapshot }, options);
    await this.#deleteOne(volume, options);
    await dropParent(this.path, volume);
  }

  async #deleteOne(volume: VolumeRef, { signal }: WaitOptions): Promise<void> {
    const path = this.volumePath(volume);
    if (!(await exists(path))) return;
    // Gone at once for everybody; a crash before the end leaves a partial, which the next mount removes.
    const left = partialPath(this.path, volume);
    await removeTree(this.#host, left, signal);
    await rename(path, left);
    await removeTree(this.#host, left, signal);
  }

  volumeUsage(): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  setQuota(_volume: VolumeRef, bytes: number | undefined): Promise<void> {
    if (bytes === undefined) return Promise.resolve();
    return Promise.reject(
      new LxdError(
        'unsupported',
        `Storage pool "${this.#pool.name}" (dir) cannot limit the size of a volume`,
      ),
    );
  }
}

/** A directory of any filesystem. Every copy is a full one, unless the filesystem shares blocks by itself. */
export const dir: StorageDriver = {
  type: 'dir',
  schema: commonSchema,
  capabilities: { optimizedImages: false, optimizedCopy: false, quotas: false, remote: false },
  probe: () => access('/').then(() => '1'),
  open: (pool, context) => new DirPool(pool, context),
};
