import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rmdir,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { LxdError, toLxdError, Undo, type Config, type IdmapEntry, type PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { mirroring } from '../copy-tree.ts';
import { DirectoryPool } from '../directory-pool.ts';
import type {
  CopyOptions,
  Fill,
  MountOptions,
  StorageContext,
  StorageDriver,
  UseOptions,
  VolumeRef,
  VolumeUse,
  WaitOptions,
} from '../driver.ts';
import { ImagesBelow } from '../images-below.ts';
import { Layers, type Seen } from '../layers.ts';
import { partial } from '../layout.ts';
import { proveLayers } from '../prove-layers.ts';
import { commonSchema } from '../schema.ts';
import { VolumeUses } from '../volume-uses.ts';

const closeMs = 60_000;
/** The first kernel with overlays over layers whose owners are mapped. */
const oldestKernel = [5, 19] as const;
/** What an instance is based on that was made of no image. */
const nothing = 'none';
const viewPrefix = 'view-';
const imageOf = (fingerprint: string): VolumeRef => ({
  type: 'image',
  project: 'default',
  name: fingerprint,
});
const isFingerprint = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

/**
 * The directory of an instance's volume is like any other, but for its `rootfs`: in that are `upper` and `work`, and in
 * `image` the fingerprint of what is below; the layers are mounted on it when they are used. So a volume is one tree that is
 * moved, copied and removed as such. Owners are those inside in every layer. In `layers` are images that were deleted and
 * are still below an instance, `none`, which is empty, and places to look at instances that run.
 */
class OverlayPool extends DirectoryPool {
  readonly #layers: Layers;
  readonly #images: ImagesBelow;
  /** Who uses what is mounted. */
  readonly #uses: VolumeUses;
  /** How what is mounted is seen, by its place; unknown of what was before this process. */
  readonly #seen: Map<string, string>;

  constructor(pool: PoolSpec, context: StorageContext, seen: Map<string, string>) {
    super(pool, context);
    this.#layers = new Layers(context.host, context.overlayProgram, this.path);
    this.#uses = VolumeUses.of(context.host, 'overlay');
    this.#seen = seen;
    this.#images = new ImagesBelow({
      pool: this.path,
      layers: this.#layers,
      alone: (fingerprint, work) => this.#uses.alone(this.volumePath(imageOf(fingerprint)), work),
      removeTree: (path, signal) => this.removeTree(path, signal),
    });
  }

  #kept(...names: string[]): string {
    return join(this.path, 'layers', ...names);
  }

  #rootfs(volume: VolumeRef): string {
    return join(this.volumePath(volume), 'rootfs');
  }

  override async create(options: WaitOptions): Promise<Config> {
    await using undo = new Undo();
    const config = await super.create(options);
    undo.push(() => this.delete({ signal: AbortSignal.timeout(closeMs) }));
    try {
      await proveLayers(this.#layers, this.#kept(), `${partial}prove-`, options);
    } catch (error) {
      options.signal.throwIfAborted();
      const why = toLxdError(error).message;
      throw new LxdError(
        'invalid',
        `Source path '${this.source}' is on a filesystem that cannot carry the layers of an overlay: ${why}`,
        { cause: error },
      );
    }
    undo.disarm();
    return config;
  }

  protected override async sweep({ held = [], signal }: MountOptions): Promise<void> {
    await mkdir(this.#kept(nothing), { recursive: true, mode: 0o755 });
    await chmod(this.#kept(), 0o700);
    const before = new Set(
      held.filter(({ type }) => type === 'container').map((volume) => this.#rootfs(volume)),
    );
    for (const target of await this.#layers.mounted()) {
      if (this.#isOurs(target)) continue;
      if (before.has(target)) await this.#uses.adopt(target);
      else await this.host.unmount(target, { signal, lazy: true });
    }
    for (const name of await readdir(this.#kept())) {
      const path = this.#kept(name);
      if (name.startsWith(partial)) await this.removeTree(path, signal);
      else if (name.startsWith(viewPrefix) && !this.#uses.isOpen(path)) await rmdir(path);
    }
    await this.#images.dropUnused({ signal });
  }

  /** It, or what it is mounted in, is in use by this process. */
  #isOurs(target: string): boolean {
    return this.#uses.isOpen(target) || this.#uses.isOpen(join(target, '..'));
  }

  protected override async dropOwn({ signal }: WaitOptions): Promise<void> {
    await this.removeTree(this.#kept(), signal);
  }

  override async unmount(options: WaitOptions): Promise<void> {
    // What instances run on stays: then the pool's directory is busy, and stays, too.
    for (const target of await this.#layers.mounted())
      if (!this.#uses.isHeld(target)) await this.host.unmount(target, options);
    await super.unmount(options);
  }

  override async useVolume(volume: VolumeRef, options: UseOptions): Promise<VolumeUse> {
    const { signal, readonly = false, besideRoot = false, idmap = [] } = options;
    const use = await super.useVolume(volume, options);
    if (volume.type !== 'container' || besideRoot) return use;
    if (readonly || volume.snapshot !== undefined) return this.#view(volume, options);
    const rootfs = this.#rootfs(volume);
    const opened = await this.#uses.use(
      rootfs,
      () => this.#open(volume, ['write', idmap], signal),
      () => this.#close(rootfs),
    );
    try {
      this.#checkSeen(volume, idmap);
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
    return { ...use, mapped: idmap.length > 0, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  }

  /** One root is mounted in one way at a time. @throws LxdError `conflict` */
  #checkSeen(volume: VolumeRef, idmap: readonly IdmapEntry[]): void {
    const seen = this.#seen.get(this.#rootfs(volume));
    if (seen !== undefined && seen !== JSON.stringify(idmap))
      throw new LxdError('conflict', `The files of "${basename(this.volumePath(volume))}" are in use`);
  }

  async #open(
    volume: VolumeRef,
    [how, idmap]: readonly [Seen, readonly IdmapEntry[]],
    signal: AbortSignal,
  ): Promise<void> {
    const target = this.#rootfs(volume);
    // A crash's, of a pool that was not mounted anew.
    await this.#layers.unmount(target, { signal });
    await this.#mountOver(await this.#imageOf(volume), [how, idmap], { layer: target, target }, signal);
    this.#seen.set(target, JSON.stringify(idmap));
  }

  /** The image may be deleted, or had again, meanwhile: then it is elsewhere. */
  async #mountOver(
    image: string,
    how: readonly [Seen, readonly IdmapEntry[]],
    places: { layer: string; target: string },
    signal: AbortSignal,
  ): Promise<void> {
    for (let lower = await this.#lower(image); ;) {
      try {
        await this.#layers.mount(how, { lower, ...places }, { signal });
        return;
      } catch (error) {
        const moved = await this.#lower(image);
        if (moved === lower) throw error;
        lower = moved;
      }
    }
  }

  async #close(rootfs: string): Promise<void> {
    await this.#layers.unmount(rootfs, { signal: AbortSignal.timeout(closeMs) });
    this.#seen.delete(rootfs);
  }

  /** Both may change while it is looked at: what is mounted anew shows what there is then. */
  async #view(volume: VolumeRef, { signal }: WaitOptions): Promise<VolumeUse> {
    const path = await mkdtemp(this.#kept(viewPrefix));
    const close = async () => {
      const wait = { signal: AbortSignal.timeout(closeMs) };
      await this.host.unmount(join(path, 'rootfs'), wait);
      await this.host.unmount(path, wait);
      await rmdir(path);
    };
    const open = async () => {
      try {
        const { stdout } = await this.#layers.beneath(['cat', '--', join(this.#rootfs(volume), 'image')], {
          signal,
        });
        // Private: else what is mounted in it would be mounted on the volume, too.
        const options = ['bind', 'private', 'ro', 'nosuid', 'nodev', 'noexec'];
        await this.host.mount({ source: this.volumePath(volume), target: path, options }, { signal });
        const places = { layer: this.#rootfs(volume), target: join(path, 'rootfs') };
        await this.#mountOver(stdout, ['read', []], places, signal);
      } catch (error) {
        await close();
        throw error;
      }
    };
    const use = await this.#uses.use(path, open, close);
    return { path, mapped: false, [Symbol.asyncDispose]: () => use[Symbol.asyncDispose]() };
  }

  override async holdVolume(
    volume: VolumeRef,
    idmap: readonly IdmapEntry[],
    options: WaitOptions,
  ): Promise<{ mapped: boolean }> {
    if (volume.type !== 'container') return super.holdVolume(volume, idmap, options);
    const inUse = () => {
      throw new LxdError('conflict', `The files of "${basename(this.volumePath(volume))}" are in use`);
    };
    const open = () => this.#open(volume, ['run', idmap], options.signal);
    await this.#uses.hold(this.#rootfs(volume), open, inUse);
    this.#checkSeen(volume, idmap);
    return { mapped: idmap.length > 0 };
  }

  override async releaseVolume(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (volume.type !== 'container') return super.releaseVolume(volume, options);
    const rootfs = this.#rootfs(volume);
    await this.#uses.release(rootfs, () => this.#close(rootfs));
  }

  /** What is below it; only while nothing is mounted on its root. */
  #imageOf(volume: VolumeRef): Promise<string> {
    return readFile(join(this.#rootfs(volume), 'image'), 'utf8');
  }

  async #lower(image: string): Promise<string> {
    if (image === nothing) return this.#kept(nothing);
    if (!isFingerprint(image))
      throw new LxdError('internal', `"${image}" is not the fingerprint of an image`);
    return this.#images.rootOf(image);
  }

  override createVolume(volume: VolumeRef, fill: Fill | undefined, options: WaitOptions): Promise<void> {
    if (volume.type !== 'container') return super.createVolume(volume, fill, options);
    const layered: Fill = async (directory, wait) => {
      await fill?.(directory, wait);
      await this.#layer(directory, wait.signal);
    };
    return super.createVolume(volume, layered, options);
  }

  /** What is a root becomes the upper one of two layers, with nothing below. */
  async #layer(directory: string, signal: AbortSignal): Promise<void> {
    const rootfs = join(directory, 'rootfs');
    const found = await lstat(rootfs).catch(() => undefined);
    if (found && !found.isDirectory())
      throw new LxdError('invalid', 'The "rootfs" of an instance is no directory');
    const aside = `${directory}.rootfs`;
    await this.removeTree(aside, signal);
    if (found) await rename(rootfs, aside);
    else await mkdir(aside, { mode: 0o755 });
    await mkdir(rootfs, { mode: 0o700 });
    await rename(aside, join(rootfs, 'upper'));
    await mkdir(join(rootfs, 'work'), { mode: 0o700 });
    await writeFile(join(rootfs, 'image'), nothing);
  }

  override async createFromImage(
    volume: VolumeRef,
    fingerprint: string,
    fill: Fill,
    options: WaitOptions,
  ): Promise<void> {
    if (await this.exists(volume)) return;
    const image = imageOf(fingerprint);
    // Nobody deletes it before the new volume says that it is below.
    await this.#uses.alone(this.volumePath(image), async () => {
      options.signal.throwIfAborted();
      await this.#images.bringBack(fingerprint);
      await super.createVolume(image, fill, options);
      await super.createVolume(
        volume,
        (directory, { signal }) => this.#clone(image, directory, signal),
        options,
      );
    });
  }

  async #clone(image: VolumeRef, directory: string, signal: AbortSignal): Promise<void> {
    const from = this.volumePath(image);
    const others: string[] = [];
    for (const entry of await readdir(from, { withFileTypes: true })) {
      if (entry.name === 'rootfs') continue;
      const [source, target] = [join(from, entry.name), join(directory, entry.name)];
      if (!entry.isFile()) {
        others.push(source);
        continue;
      }
      // Most images have but one file here: no program is started for it.
      await copyFile(source, target);
      const { atime, mtime } = await lstat(source);
      await utimes(target, atime, mtime);
    }
    if (others.length > 0)
      await this.host.run(['cp', '-a', '--reflink=auto', '-t', directory, '--', ...others], { signal });
    const rootfs = join(directory, 'rootfs');
    const upper = join(rootfs, 'upper');
    const { mode, uid, gid, atime, mtime } = await lstat(join(from, 'rootfs'));
    await mkdir(upper, { recursive: true, mode: 0o700 });
    // What the root's own directory is like is told by the upper layer.
    await chown(upper, uid, gid);
    await chmod(upper, mode & 0o7777);
    await utimes(upper, atime, mtime);
    await mkdir(join(rootfs, 'work'), { mode: 0o700 });
    await writeFile(join(rootfs, 'image'), image.name);
  }

  override copyVolume(from: VolumeRef, to: VolumeRef, { still, ...options }: CopyOptions): Promise<void> {
    if (from.type !== 'image')
      return super.createVolume(to, (path, { signal }) => this.copyTo(path, from, still, signal), options);
    const missing: Fill = () => Promise.reject(new LxdError('not-found', 'The image is not unpacked here'));
    return this.createFromImage(to, from.name, missing, options);
  }

  /** Of an instance only the upper layer. */
  protected override async copyTo(
    path: string,
    from: VolumeRef,
    still: CopyOptions['still'],
    signal: AbortSignal,
  ): Promise<void> {
    if (from.type !== 'container') return super.copyTo(path, from, still, signal);
    const source = `${this.volumePath(from)}/`;
    const copy = ['cp', '-a', '--preserve=xattr', '--reflink=auto', '--', `${source}.`, path] as const;
    // What is written or goes meanwhile is told by its status, and is put right by the second round.
    await this.#layers.beneath(copy, { signal, allowFailure: still !== undefined });
    const again = mirroring(this.volumePath(from), path);
    await still?.(() => this.#layers.beneath(again, { signal }).then(() => undefined));
    const work = join(path, 'rootfs/work');
    await this.removeTree(work, signal);
    await mkdir(work, { mode: 0o700 });
  }

  override async replaceVolume(from: VolumeRef, to: VolumeRef, options: CopyOptions): Promise<void> {
    await this.#vacate(to, options);
    await super.replaceVolume(from, to, options);
    await this.#images.dropUnused(options);
  }

  override async renameVolume(from: VolumeRef, to: VolumeRef, options: WaitOptions): Promise<void> {
    await this.#vacate(from, options);
    await super.renameVolume(from, to, options);
  }

  override async deleteVolume(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (volume.type === 'image') {
      await this.#uses.alone(this.volumePath(volume), async () => {
        if (!(await this.#images.keep(volume.name, options))) await super.deleteVolume(volume, options);
      });
      return;
    }
    await this.#vacate(volume, options);
    await super.deleteVolume(volume, options);
    if (volume.type === 'container') await this.#images.dropUnused(options);
  }

  /** Nothing is mounted on it any more. @throws LxdError `conflict` */
  async #vacate(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (volume.type !== 'container') return;
    const rootfs = this.#rootfs(volume);
    if (this.#uses.isOpen(rootfs))
      throw new LxdError('conflict', `The files of "${basename(this.volumePath(volume))}" are in use`);
    await this.#layers.unmount(rootfs, options);
  }
}

async function canOverlay(host: Host, signal: AbortSignal): Promise<boolean> {
  if (/^nodev\toverlay$/m.test(await readFile('/proc/filesystems', 'utf8'))) return true;
  // It is a module, not loaded yet.
  const { status } = await host
    .run(['modprobe', '--quiet', 'overlay'], { signal, allowFailure: true })
    .catch(() => ({ status: 1 }));
  return status === 0;
}

const seenBy = new WeakMap<Host, Map<string, string>>();

/** A directory of any filesystem that can carry layers: an instance is an upper one over its image, which is shared. */
export const overlay: StorageDriver = {
  type: 'overlay',
  schema: commonSchema,
  capabilities: {
    optimizedImages: true,
    optimizedCopy: false,
    quotas: false,
    remote: false,
    blockVolumes: 'files',
  },
  probe: async (host, { signal }) => {
    const kernel = release();
    const [major = 0, minor = 0] = kernel.split('.').map(Number);
    const isNew = major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1]);
    return isNew && (await canOverlay(host, signal)) ? kernel : undefined;
  },
  open: (pool, context) => {
    const seen = seenBy.get(context.host) ?? new Map<string, string>();
    seenBy.set(context.host, seen);
    return new OverlayPool(pool, context, seen);
  },
};
