import { chmod, lstat, mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  LxdError,
  parseSize,
  Undo,
  validators,
  type Config,
  type ConfigSchema,
  type PoolSpec,
} from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type {
  Fill,
  FillBlock,
  MountOptions,
  StorageContext,
  StorageDriver,
  StoragePool,
  VolumeRef,
  VolumeUse,
  WaitOptions,
} from '../driver.ts';
import { blockFileSize, blockFileUsage, fillBlockDirectory, growBlockFile } from '../block-file.ts';
import {
  closeVolume,
  exists,
  firstUsed,
  dropEmptyParents,
  dropParent,
  listPartials,
  listSnapshots,
  listVolumes,
  loopFile,
  makeDirectories,
  makeParent,
  partialPath,
  poolPath,
  removeDirectories,
  renameVolume,
  volumePath,
} from '../layout.ts';
import { commonSchema, sizeSchema } from '../schema.ts';
import { defaultSize } from '../store/default-size.ts';
import { loopsOf } from '../store/loop.ts';
import { unpackOnce } from '../unpack-once.ts';
import { useDirectory } from '../use-directory.ts';

const btrfsMagic = 0x9123683e;
/** Inode number of the root of every subvolume. */
const subvolumeInode = 256;

const schema: ConfigSchema = {
  ...commonSchema,
  ...sizeSchema,
  'btrfs.mount_options': {
    check: validators.any,
    description: 'Options the filesystem is mounted with',
    default: 'user_subvol_rm_allowed',
  },
};

/** Whether a pool counts by volume, by path: asked once, then known. Pools are opened anew for every call. */
type Quotas = Map<string, boolean>;

class BtrfsPool implements StoragePool {
  readonly path: string;
  readonly #pool: PoolSpec;
  readonly #host: Host;
  readonly #dir: string;
  readonly #quotas: Quotas;

  constructor(pool: PoolSpec, { host, dir }: StorageContext, quotas: Quotas) {
    this.path = poolPath(dir, pool.name);
    this.#pool = pool;
    this.#host = host;
    this.#dir = dir;
    this.#quotas = quotas;
  }

  get #loop(): string {
    return loopFile(this.#dir, this.#pool.name);
  }

  get #partial(): string {
    return `${this.#loop}.partial-new`;
  }

  #btrfs(args: string[], signal: AbortSignal): Promise<{ stdout: string }> {
    return this.#host.run(['btrfs', ...args], { signal });
  }

  async create(options: WaitOptions): Promise<Config> {
    const { signal } = options;
    const { config } = this.#pool;
    const source = config['source'] ?? '';
    await using undo = new Undo();
    let complete: Config;
    if (source === '' || source === this.#loop) {
      complete = await this.#createLoop(undo, signal);
    } else {
      complete = { ...config, 'volatile.initial_source': source };
      const kind = await stat(source).catch(() => undefined);
      if (kind && !kind.isBlockDevice()) await this.#takeDirectory(source);
      // What the daemon makes there is its own.
      if (`${resolve(source)}/`.startsWith(`${this.#dir}/`))
        throw new LxdError('invalid', `Only allowed source path under "${this.#dir}" is "${this.path}"`);
      if (!kind) throw new LxdError('invalid', `Source path '${source}' doesn't exist`);
      if (kind.isBlockDevice())
        await this.#host.run(['mkfs.btrfs', '-L', this.#pool.name, '--', source], { signal });
    }
    undo.push(() => rmdir(this.path));
    undo.push(() => this.unmount({ signal: AbortSignal.timeout(10_000) }));
    await this.#mountAt(complete, options);
    undo.disarm();
    return complete;
  }

  async #createLoop(undo: Undo, signal: AbortSignal): Promise<Config> {
    const { config } = this.#pool;
    if (await exists(this.#loop))
      throw new LxdError('conflict', `The loop file ${this.#loop} exists already`);
    const size = config['size'] ?? (await defaultSize(this.#dir));
    await mkdir(join(this.#dir, 'disks'), { recursive: true, mode: 0o700 });
    undo.push(() => rm(this.#loop, { force: true }));
    // It has its name once there is a filesystem in it: cut off before, it could be neither mounted nor deleted.
    const partial = this.#partial;
    await rm(partial, { force: true });
    undo.push(() => rm(partial, { force: true }));
    const file = await open(partial, 'wx', 0o600);
    try {
      await file.truncate(parseSize(size));
    } finally {
      await file.close();
    }
    await this.#host.run(['mkfs.btrfs', '-q', '-L', this.#pool.name, '--', partial], { signal });
    await rename(partial, this.#loop);
    return { ...config, source: this.#loop, size };
  }

  async #takeDirectory(source: string): Promise<void> {
    if ((await statfs(source)).type !== btrfsMagic)
      throw new LxdError('invalid', 'Provided path does not reside on a btrfs filesystem');
    if ((await readdir(source)).length > 0)
      throw new LxdError('invalid', `Source path '${source}' isn't empty`);
  }

  mount(options: MountOptions): Promise<void> {
    return this.#mountAt(this.#pool.config, options);
  }

  async #mountAt(config: Config, { signal, asFound }: MountOptions): Promise<void> {
    const source = config['source'] || this.#loop;
    if (!(await this.#host.mounts()).some(({ target }) => target === this.path)) {
      const kind = await stat(source).catch(() => undefined);
      if (!kind)
        throw new LxdError(
          'unavailable',
          `Source '${source}' of storage pool "${this.#pool.name}" is missing`,
        );
      if (asFound && kind.isDirectory() && (await statfs(source)).type !== btrfsMagic)
        throw new LxdError('invalid', `Source path '${source}' isn't btrfs`);
      await mkdir(this.path, { recursive: true, mode: 0o711 });
      const own = (config['btrfs.mount_options'] ?? 'user_subvol_rm_allowed').split(',').filter(Boolean);
      const options = kind.isDirectory() ? ['bind'] : [...(kind.isFile() ? ['loop'] : []), ...own];
      await this.#host.mount({ source, target: this.path, options }, { signal });
    }
    if (asFound) return;
    await chmod(this.path, 0o711);
    await makeDirectories(this.path);
    for (const left of await listPartials(this.path)) await this.#removeSubvolume(left, signal);
    await dropEmptyParents(this.path);
  }

  unmount({ signal }: WaitOptions): Promise<void> {
    return this.#host.unmount(this.path, { signal });
  }

  async delete(options: WaitOptions): Promise<void> {
    const source = this.#pool.config['source'] || this.#loop;
    const mounted = (await this.#host.mounts()).some(({ target }) => target === this.path);
    // A source that was refused, or is not mounted, may be the user's: nothing in it is removed.
    const kept = source === this.#loop || mounted ? undefined : await firstUsed(source);
    if (kept && !kept.startsWith('images/')) {
      throw new LxdError('conflict', `Storage pool "${this.#pool.name}" is not empty: ${kept}`);
    }
    if ((source === this.#loop || mounted) && (await exists(source))) {
      // What is in it must be seen before anything is removed.
      await this.mount(options);
      // Unpacked images are a cache; only what holds somebody's data keeps the pool.
      for (const image of await this.volumes('image')) await this.deleteVolume(image, options);
      const used = await firstUsed(this.path);
      if (used) throw new LxdError('conflict', `Storage pool "${this.#pool.name}" is not empty: ${used}`);
      await removeDirectories(this.path);
    }
    await this.unmount(options);
    this.#quotas.delete(this.path);
    if (await exists(this.path)) await rmdir(this.path);
    await rm(this.#loop, { force: true });
    await rm(this.#partial, { force: true });
  }

  async update(after: Config, { signal }: WaitOptions): Promise<void> {
    const { config } = this.#pool;
    if ((after['source'] ?? '') !== (config['source'] ?? ''))
      throw new LxdError('invalid', 'The pool\'s "source" cannot be changed');
    const size = after['size'];
    if (size === undefined || size === config['size']) return;
    await this.#grow(config['source'] || this.#loop, parseSize(size), signal);
  }

  /** The file, the device on it, the filesystem on that, while all of it is used. Cut off, the same call goes on with it. */
  async #grow(file: string, bytes: number, signal: AbortSignal): Promise<void> {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile())
      throw new LxdError('invalid', 'The size can be changed of a pool in a file only: this one has its own');
    if (bytes < found.size)
      throw new LxdError('invalid', `A pool cannot become smaller: it has ${found.size} bytes`);
    const opened = await open(file, 'r+');
    try {
      await opened.truncate(bytes);
    } finally {
      await opened.close();
    }
    for (const device of await loopsOf(this.#host, file, { signal }))
      await this.#host.run(['losetup', '--set-capacity', device], { signal });
    await this.#btrfs(['filesystem', 'resize', 'max', this.path], signal);
  }

  volumePath(volume: VolumeRef): string {
    return volumePath(this.path, volume);
  }

  useVolume(volume: VolumeRef): Promise<VolumeUse> {
    return useDirectory(this.volumePath(volume), volume);
  }

  holdVolume(): Promise<{ mapped: boolean }> {
    return Promise.resolve({ mapped: false });
  }

  releaseVolume(): Promise<void> {
    return Promise.resolve();
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
    await this.#removeSubvolume(path, options.signal);
    try {
      await this.#btrfs(['-q', 'subvolume', 'create', '--', path], options.signal);
      await chmod(path, 0o700);
      await fill?.(path, options);
      await closeVolume(path, volume, fill !== undefined);
      await rename(path, this.volumePath(volume));
    } catch (error) {
      await this.#removeSubvolume(path, AbortSignal.timeout(60_000));
      throw error;
    }
  }

  createBlock(
    volume: VolumeRef,
    bytes: number,
    fill: FillBlock | undefined,
    options: WaitOptions,
  ): Promise<void> {
    const make: Fill = async (directory, { signal }) => {
      // Written in place, as LXD has it: what is in it has its own ways to stay whole.
      await this.#host.run(['chattr', '+C', '--', directory], { signal });
      await fillBlockDirectory(bytes, fill)(directory, options);
    };
    return this.createVolume(volume, make, options);
  }

  blockSize(volume: VolumeRef): Promise<number> {
    return blockFileSize(this.volumePath(volume));
  }

  async createFromImage(
    volume: VolumeRef,
    fingerprint: string,
    fill: Fill,
    options: WaitOptions,
  ): Promise<void> {
    if (await this.exists(volume)) return;
    const image: VolumeRef = { type: 'image', project: 'default', name: fingerprint };
    const isThere = () => this.exists(image);
    if (!(await isThere()))
      await unpackOnce(
        this.#host,
        this.volumePath(image),
        { isThere, unpack: () => this.createVolume(image, fill, options) },
        options,
      );
    await this.copyVolume(image, volume, options);
  }

  snapshots(volume: VolumeRef): Promise<string[]> {
    return listSnapshots(this.path, volume);
  }

  async copyVolume(from: VolumeRef, to: VolumeRef, { signal }: WaitOptions): Promise<void> {
    if (await this.exists(to)) return;
    await makeParent(this.path, to);
    const [source, target] = [this.volumePath(from), this.volumePath(to)];
    const readonly = to.snapshot !== undefined;
    const { stdout } = await this.#btrfs(['subvolume', 'list', '-o', '--', source], signal);
    if (stdout.trim() === '') {
      // One snapshot appears whole or not at all.
      await this.#snapshot(source, target, readonly, signal);
      return;
    }
    const path = partialPath(this.path, to);
    await this.#removeSubvolume(path, signal);
    try {
      await this.#copyTree(source, path, readonly, signal);
      await rename(path, target);
    } catch (error) {
      await this.#removeSubvolume(path, AbortSignal.timeout(60_000));
      throw error;
    }
  }

  async #snapshot(from: string, to: string, readonly: boolean, signal: AbortSignal): Promise<void> {
    await this.#btrfs(['-q', 'subvolume', 'snapshot', ...(readonly ? ['-r'] : []), '--', from, to], signal);
  }

  /** With the subvolumes inside it, which btrfs by itself leaves out. */
  async #copyTree(from: string, to: string, readonly: boolean, signal: AbortSignal): Promise<void> {
    const inside = await this.#nestedIn(from, signal);
    await this.#snapshot(from, to, false, signal);
    for (const nested of inside) {
      // An empty directory is where it was.
      await rmdir(join(to, nested));
      await this.#snapshot(join(from, nested), join(to, nested), false, signal);
    }
    if (!readonly) return;
    for (const one of [...inside.reverse(), ''])
      await this.#btrfs(['-q', 'property', 'set', '-ts', join(to, one), 'ro', 'true'], signal);
  }

  /** Paths within it of the subvolumes inside it, outer ones first. */
  async #nestedIn(path: string, signal: AbortSignal): Promise<string[]> {
    // Both tell paths from the top of the filesystem, wherever it is mounted.
    const [self, list] = await Promise.all([
      this.#btrfs(['subvolume', 'show', '--', path], signal),
      this.#btrfs(['subvolume', 'list', '-o', '--', path], signal),
    ]);
    const top = `${self.stdout.split('\n')[0]?.trim() ?? ''}/`;
    const direct = list.stdout
      .split('\n')
      .map((line) => / path (.*)$/.exec(line)?.[1] ?? '')
      .filter((name) => name.startsWith(top))
      .map((name) => name.slice(top.length));
    const all: string[] = [];
    for (const one of direct.sort()) {
      const deeper = await this.#nestedIn(join(path, one), signal);
      all.push(one, ...deeper.map((nested) => join(one, nested)));
    }
    return all;
  }

  async replaceVolume(from: VolumeRef, to: VolumeRef, { signal }: WaitOptions): Promise<void> {
    const path = this.volumePath(to);
    const fresh = `${partialPath(this.path, to)}.new`;
    const old = partialPath(this.path, to);
    for (const left of [fresh, old]) await this.#removeSubvolume(left, signal);
    await this.#copyTree(this.volumePath(from), fresh, false, signal);
    if (await exists(path)) await rename(path, old);
    await rename(fresh, path);
    await this.#removeSubvolume(old, signal);
  }

  renameVolume(from: VolumeRef, to: VolumeRef): Promise<void> {
    return renameVolume(this.path, from, to);
  }

  async deleteVolume(volume: VolumeRef, { signal }: WaitOptions): Promise<void> {
    if (volume.snapshot === undefined)
      for (const snapshot of await this.snapshots(volume))
        await this.#removeSubvolume(this.volumePath({ ...volume, snapshot }), signal);
    await this.#removeSubvolume(this.volumePath(volume), signal);
    await dropParent(this.path, volume);
  }

  /** Subvolumes that were made inside it (by systemd, by users) go first: btrfs removes none that holds another. */
  async #removeSubvolume(path: string, signal: AbortSignal): Promise<void> {
    const found = await lstat(path).catch(() => undefined);
    if (!found) return;
    if (found.ino !== subvolumeInode) {
      await this.#host.run(['rm', '-rf', '--one-file-system', '--', path], { signal });
      return;
    }
    const quick = await this.#host.run(['btrfs', '-q', 'subvolume', 'delete', '--', path], {
      signal,
      allowFailure: true,
    });
    if (quick.status === 0) return;
    const all = ['', ...(await this.#nestedIn(path, signal))].map((nested) => join(path, nested));
    // What is read-only lets nothing inside it go.
    for (const one of all)
      await this.#btrfs(['-q', 'property', 'set', '-f', '-ts', one, 'ro', 'false'], signal);
    for (const one of all.reverse()) await this.#btrfs(['-q', 'subvolume', 'delete', '--', one], signal);
  }

  async volumeUsage(volume: VolumeRef, { signal }: WaitOptions): Promise<number | undefined> {
    if (!(await this.#quotasOn())) return volume.block ? blockFileUsage(this.volumePath(volume)) : undefined;
    const { stdout } = await this.#btrfs(
      ['qgroup', 'show', '--raw', '-f', '--', this.volumePath(volume)],
      signal,
    );
    const used = /^0\/\d+\s+(\d+)\s+(\d+)/m.exec(stdout);
    return used ? Number(used[2]) : undefined;
  }

  /** Quotas cost every write, so they are off until the first limit is asked for. */
  async #quotasOn(): Promise<boolean> {
    const known = this.#quotas.get(this.path);
    if (known !== undefined) return known;
    const { stdout } = await this.#host.run(['btrfs', 'qgroup', 'show', '--', this.path], {
      signal: AbortSignal.timeout(5_000),
      allowFailure: true,
    });
    const on = stdout.includes('0/5');
    this.#quotas.set(this.path, on);
    return on;
  }

  async setQuota(volume: VolumeRef, bytes: number | undefined, { signal }: WaitOptions): Promise<void> {
    if (volume.block) return growBlockFile(this.volumePath(volume), bytes);
    const on = await this.#quotasOn();
    if (bytes === undefined && !on) return;
    if (!on) {
      await this.#btrfs(['quota', 'enable', this.path], signal);
      this.#quotas.set(this.path, true);
    }
    const limit = bytes === undefined ? 'none' : String(bytes);
    await this.#btrfs(['qgroup', 'limit', limit, '--', this.volumePath(volume)], signal);
  }
}

const quotasOn = new WeakMap<Host, Quotas>();

/** A btrfs filesystem: images are unpacked once, copies are snapshots. */
export const btrfs: StorageDriver = {
  type: 'btrfs',
  schema,
  capabilities: {
    optimizedImages: true,
    optimizedCopy: true,
    quotas: true,
    remote: false,
    blockVolumes: 'files',
  },
  probe: async (host, { signal }) => {
    const kernel = (
      await host.run(['btrfs', '--version'], { signal, allowFailure: true }).catch(() => undefined)
    )?.stdout;
    return /v(\S+)/.exec(kernel ?? '')?.[1];
  },
  open: (pool, context) => {
    const quotas = quotasOn.get(context.host) ?? new Map<string, boolean>();
    quotasOn.set(context.host, quotas);
    return new BtrfsPool(pool, context, quotas);
  },
};
