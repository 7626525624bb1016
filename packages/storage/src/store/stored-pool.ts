import { chmod, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError, Undo, type Config, type IdmapEntry, type PoolSpec } from '@lxd-ts/core';
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
} from '../driver.ts';
import {
  closeVolume,
  dropParent,
  makeDirectories,
  poolPath,
  removeDirectories,
  volumeName,
  volumePath,
} from '../layout.ts';
import { unpackOnce } from '../unpack-once.ts';
import { VolumeUses } from '../volume-uses.ts';
import { copyTree } from '../copy-tree.ts';
import { BlockBytes } from './block-bytes.ts';
import { dropEmptyPlaces, isPartial, partialOf, placeOf, sameVolume } from './places.ts';
import type { BlockStore, StoredVolume, VolumeStore } from './volume-store.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const shown = (volume: VolumeRef): string =>
  volume.snapshot === undefined ? volumeName(volume) : `${volumeName(volume)}/${volume.snapshot}`;

/** A pool of what is no directory until it is mounted. */
export class StoredPool implements StoragePool {
  readonly path: string;
  readonly #pool: PoolSpec;
  readonly #context: StorageContext;
  readonly #open: (pool: PoolSpec, context: StorageContext) => VolumeStore;
  readonly #store: VolumeStore;
  readonly #uses: VolumeUses;
  readonly #bytes: BlockBytes;

  constructor(
    pool: PoolSpec,
    context: StorageContext,
    open: (pool: PoolSpec, context: StorageContext) => VolumeStore,
  ) {
    this.path = poolPath(context.dir, pool.name);
    this.#pool = pool;
    this.#context = context;
    this.#open = open;
    this.#store = open(pool, context);
    this.#uses = VolumeUses.of(context.host, pool.driver);
    this.#bytes = new BlockBytes(context.host, this);
  }

  async create(options: WaitOptions): Promise<Config> {
    await using undo = new Undo();
    const config = await this.#store.create(undo, options);
    const whole = new StoredPool({ ...this.#pool, config }, this.#context, this.#open);
    undo.push(() => rmdir(this.path));
    undo.push(() => removeDirectories(this.path));
    undo.push(() => whole.unmount({ signal: soon() }));
    await whole.mount(options);
    undo.disarm();
    return config;
  }

  async delete(options: WaitOptions): Promise<void> {
    if (await this.#store.present(options)) {
      // What is in it must be seen before anything is removed.
      await this.mount(options);
      const kept = (await this.#store.list(options)).filter(({ volume }) => volume.type !== 'image');
      const [first] = kept;
      const used = first ? shown(first.volume) : await this.#store.foreign(options);
      if (used !== undefined)
        throw new LxdError('conflict', `Storage pool "${this.#pool.name}" is not empty: ${used}`);
      // Unpacked images are a cache; only what holds somebody's data keeps the pool.
      for (const image of await this.volumes('image')) await this.deleteVolume(image, options);
      await this.unmount(options);
    }
    await this.#store.destroy(options);
    await removeDirectories(this.path);
    await rmdir(this.path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }

  async mount(options: MountOptions): Promise<void> {
    const { held = [], asFound } = options;
    await this.#store.open(options);
    await mkdir(this.path, { recursive: true, mode: 0o711 });
    if (asFound) return;
    await chmod(this.path, 0o711);
    await makeDirectories(this.path);
    const mounted = new Set((await this.#context.host.mounts()).map(({ target }) => target));
    for (const place of held.map((volume) => placeOf(this.path, volume)))
      if (mounted.has(place)) await this.#uses.adopt(place);
    const there = await this.#store.list(options);
    const idle = there.filter(({ volume }) => !this.#uses.isOpen(placeOf(this.path, volume)));
    for (const { volume, open = false } of idle)
      if (open || mounted.has(placeOf(this.path, volume))) await this.#shut(volume, options);
    const partials = idle.filter(({ volume }) => isPartial(volume));
    const abandoned = (await this.#store.abandoned?.(partials, options)) ?? partials;
    for (const left of abandoned) await this.#store.remove(left, options);
    await this.#store.prune?.(options);
    await dropEmptyPlaces(this.path);
  }

  async unmount(options: WaitOptions): Promise<void> {
    const mounted = (await this.#context.host.mounts()).map(({ target }) => target);
    // Without them it may be that the pool is not there to be asked.
    if (mounted.some((target) => target.startsWith(`${this.path}/`)))
      for (const { volume } of await this.#store.list(options))
        if (mounted.includes(placeOf(this.path, volume))) await this.#shut(volume, options);
    await dropEmptyPlaces(this.path);
    await this.#store.close(options);
  }

  async update(after: Config): Promise<void> {
    const { config } = this.#pool;
    for (const key of ['source', 'size', ...this.#store.fixed])
      if ((after[key] ?? '') !== (config[key] ?? ''))
        throw new LxdError('invalid', `The pool's "${key}" cannot be changed`);
    await Promise.resolve(); // the others are read when they are needed
  }

  usage(options: WaitOptions): Promise<{ used: number; total: number }> {
    return this.#store.space(options);
  }

  volumePath(volume: VolumeRef): string {
    return volumePath(this.path, volume);
  }

  async #find(volume: VolumeRef, options: WaitOptions): Promise<StoredVolume | undefined> {
    return (await this.#store.list(options)).find((one) => sameVolume(one.volume, volume));
  }

  /** @throws LxdError `not-found` */
  async #get(volume: VolumeRef, options: WaitOptions): Promise<StoredVolume> {
    const found = await this.#find(volume, options);
    if (!found) throw new LxdError('not-found', `There is no volume "${shown(volume)}"`);
    return found;
  }

  /**
   * What makes another of it, or has it gone: nothing of it is mounted, and nobody begins to use it before the end.
   * @throws LxdError `conflict`
   */
  #atRest<T>(volume: VolumeRef, options: WaitOptions, work: () => Promise<T>): Promise<T> {
    const place = placeOf(this.path, volume);
    return this.#uses.alone(place, async () => {
      if (this.#uses.isOpen(place)) throw new LxdError('conflict', `Volume "${shown(volume)}" is in use`);
      await this.#shut(volume, options);
      return work();
    });
  }

  async #show(volume: VolumeRef, options: WaitOptions): Promise<void> {
    const place = placeOf(this.path, volume);
    const found = await this.#get(volume, options);
    if (volume.block) {
      await this.#blocks.open(found, options);
      return;
    }
    if ((await this.#context.host.mounts()).some(({ target }) => target === place)) return;
    await mkdir(place, { recursive: true, mode: 0o700 });
    try {
      await this.#store.attach(found, place, options);
    } catch (error) {
      await this.#shut(volume, { signal: soon() }, true).catch(() => undefined);
      throw error;
    }
  }

  async #shut(volume: VolumeRef, options: WaitOptions, half = false): Promise<void> {
    if (volume.block) return this.#blocks.close(volume, options);
    const place = placeOf(this.path, volume);
    const mounted = (await this.#context.host.mounts()).some(({ target }) => target === place);
    if (mounted || half) await this.#store.detach(volume, place, options);
    await rmdir(place).catch(() => undefined);
    if (volume.snapshot !== undefined) await dropParent(this.path, volume);
  }

  async useVolume(volume: VolumeRef, options: UseOptions): Promise<VolumeUse> {
    const path = placeOf(this.path, volume);
    const use = await this.#uses.use(
      path,
      () => this.#show(volume, options),
      () => this.#shut(volume, { signal: soon() }),
    );
    const opened = { path, mapped: false, [Symbol.asyncDispose]: () => use[Symbol.asyncDispose]() };
    if (!volume.block) return opened;
    try {
      return { ...opened, image: await this.#blocks.open(await this.#get(volume, options), options) };
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  async holdVolume(
    volume: VolumeRef,
    _idmap: readonly IdmapEntry[],
    options: WaitOptions,
  ): Promise<{ mapped: boolean }> {
    await this.#uses.hold(placeOf(this.path, volume), () => this.#show(volume, options));
    return { mapped: false };
  }

  releaseVolume(volume: VolumeRef, options: WaitOptions): Promise<void> {
    return this.#uses.release(placeOf(this.path, volume), () => this.#shut(volume, options));
  }

  async volumes(type: VolumeRef['type']): Promise<VolumeRef[]> {
    return (await this.#store.list({ signal: soon() }))
      .map(({ volume }) => volume)
      .filter((volume) => volume.type === type && volume.snapshot === undefined && !isPartial(volume));
  }

  async snapshots(of: VolumeRef): Promise<string[]> {
    const whole = (await this.#store.list({ signal: soon() })).filter(({ volume }) => !isPartial(volume));
    return whole.flatMap(({ volume: { snapshot, ...volume } }) =>
      snapshot !== undefined && sameVolume(volume, of) ? [snapshot] : [],
    );
  }

  async exists(volume: VolumeRef): Promise<boolean> {
    return (await this.#find(volume, { signal: soon() })) !== undefined;
  }

  /** What a crash, or a failure, left of it. */
  async #clear(volume: VolumeRef, options: WaitOptions): Promise<void> {
    const left = await this.#find(volume, options);
    if (left) await this.#atRest(volume, options, () => this.#store.remove(left, options));
  }

  createVolume(volume: VolumeRef, fill: Fill | undefined, options: WaitOptions): Promise<void> {
    return this.#create(volume, fill, undefined, options);
  }

  get #blocks(): BlockStore {
    const { blocks } = this.#store;
    if (blocks) return blocks;
    throw new LxdError(
      'unsupported',
      `Storage pool "${this.#pool.name}" (${this.#pool.driver}) has no volumes of content type "block"`,
    );
  }

  async createBlock(
    volume: VolumeRef,
    bytes: number,
    fill: FillBlock | undefined,
    options: WaitOptions,
  ): Promise<void> {
    const blocks = this.#blocks;
    this.volumePath(volume); // its name is right
    options.signal.throwIfAborted();
    if (await this.#find(volume, options)) return;
    await this.#byWayOf(this.#partialOf(volume), volume, options, async (part) => {
      await blocks.make(part, bytes, options);
      await using use = await this.useVolume(part, options);
      if (fill && use.image !== undefined) await fill(use.image, options);
    });
  }

  async blockSize(volume: VolumeRef, options: WaitOptions): Promise<number> {
    return this.#blocks.size(await this.#get(volume, options), options);
  }

  async #create(
    volume: VolumeRef,
    fill: Fill | undefined,
    like: StoredVolume | undefined,
    options: WaitOptions,
  ): Promise<void> {
    this.volumePath(volume); // its name is right
    options.signal.throwIfAborted();
    if (await this.#find(volume, options)) return;
    await this.#byWayOf(this.#partialOf(volume), volume, options, async (part) => {
      await this.#store.make(part, like, options);
      await using use = await this.useVolume(part, options);
      // A filesystem's own; it would not be empty.
      await rmdir(join(use.path, 'lost+found')).catch(() => undefined);
      await chmod(use.path, 0o700);
      await fill?.(use.path, options);
      await closeVolume(use.path, volume, fill !== undefined);
    });
  }

  /** One rename makes it whole; a failure leaves nothing. */
  async #byWayOf(
    part: VolumeRef,
    volume: VolumeRef,
    options: WaitOptions,
    work: (part: VolumeRef) => Promise<void>,
  ): Promise<void> {
    await this.#clear(part, options);
    try {
      await work(part);
      await this.#store.rename({ volume: part, within: false }, volume, options);
    } catch (error) {
      // What is still there then goes with the next mount, or the next try.
      await this.#clear(part, { signal: soon() }).catch(() => undefined);
      // Another member may have been faster.
      if (volume.type !== 'image' || !(await this.#find(volume, options))) throw error;
    }
  }

  #partialOf(volume: VolumeRef, kind = ''): VolumeRef {
    return partialOf(volume, `${this.#store.mine ?? ''}${kind}`);
  }

  async createFromImage(
    volume: VolumeRef,
    fingerprint: string,
    fill: Fill,
    options: WaitOptions,
  ): Promise<void> {
    if (await this.#find(volume, options)) return;
    const image: VolumeRef = { type: 'image', project: 'default', name: fingerprint };
    const isThere = async () => {
      const { stale } = (await this.#find(image, options)) ?? { stale: true };
      return !stale;
    };
    if (!(await isThere()))
      await unpackOnce(
        this.#context.host,
        this.volumePath(image),
        {
          isThere,
          unpack: async () => {
            const stale = await this.#find(image, options);
            if (stale?.stale) await this.#store.remove(stale, options);
            await this.createVolume(image, fill, options);
          },
        },
        options,
      );
    await this.copyVolume(image, volume, options);
  }

  async copyVolume(from: VolumeRef, to: VolumeRef, { still, ...options }: CopyOptions): Promise<void> {
    this.volumePath(to); // its name is right
    options.signal.throwIfAborted();
    if (await this.#find(to, options)) return;
    const source = await this.#get(from, options);
    const { snapshot, ...volume } = to;
    if (this.#store.snapshot && snapshot !== undefined && sameVolume(from, volume)) {
      await this.#store.snapshot(to, options);
      return;
    }
    if (this.#store.clones(from, to)) await this.#clone(source, to, this.#partialOf(to), options);
    else if (to.block) await this.#bytes.createAs(this.#blocks, source, to, options);
    else
      await this.#create(
        to,
        (path) => this.#copyFiles(from, path, { ...options, ...(still ? { still } : {}) }),
        source,
        options,
      );
  }

  async #copyFiles(from: VolumeRef, path: string, options: CopyOptions): Promise<void> {
    await using source = await this.useVolume(from, { signal: options.signal, readonly: true });
    await copyTree(this.#context.host, source.path, path, options);
  }

  async #clone(from: StoredVolume, to: VolumeRef, part: VolumeRef, options: WaitOptions): Promise<void> {
    // What is in the bytes of others is not looked at.
    const settle = to.block ? undefined : this.#store.settle;
    // A clone appears whole or not at all.
    if (!settle) await this.#store.clone(from, to, options);
    else
      await this.#byWayOf(part, to, options, async () => {
        await this.#store.clone(from, part, options);
        await settle(part, options);
      });
  }

  async replaceVolume(from: VolumeRef, to: VolumeRef, options: CopyOptions): Promise<void> {
    const { signal } = options;
    const source = await this.#get(from, options);
    await this.#atRest(to, options, () => Promise.resolve()); // refused before anything is copied
    const [fresh, old] = [this.#partialOf(to, 'new.'), this.#partialOf(to)];
    const there = await this.#find(to, options);
    if (there && (await this.#hasWithin(to, options))) {
      // Its snapshots are part of it: it stays, and its files change. Cut off, the same call goes on with it.
      const rollback = async () => source.within && (await this.#store.rollback?.(from, options));
      if (await this.#atRest(to, options, rollback)) return;
      if (to.block) return this.#bytes.rewrite(this.#blocks, source, there, options);
      await using target = await this.useVolume(to, { signal });
      await this.#copyFiles(from, target.path, options);
      return;
    }
    for (const left of [fresh, old]) await this.#clear(left, options);
    if (this.#store.clones(from, fresh))
      await this.#clone(source, fresh, this.#partialOf(to, 'clone.'), { signal });
    else if (to.block) await this.#bytes.createAs(this.#blocks, source, fresh, { signal });
    else await this.#create(fresh, (path) => this.#copyFiles(from, path, options), source, { signal });
    try {
      await this.#atRest(to, options, () => this.#swap(there, fresh, [to, old]));
    } catch (error) {
      await this.#clear(fresh, { signal: soon() }).catch(() => undefined);
      throw error;
    }
    await this.#clear(old, { signal });
  }

  /** Begun is done, whoever gives up meanwhile: a volume is never without its name for longer than that. */
  async #swap(
    there: StoredVolume | undefined,
    fresh: VolumeRef,
    [to, old]: readonly [VolumeRef, VolumeRef],
  ): Promise<void> {
    if (there) await this.#store.rename(there, old, { signal: soon() });
    try {
      await this.#store.rename({ volume: fresh, within: false }, to, { signal: soon() });
    } catch (error) {
      if (there) await this.#store.rename({ volume: old, within: false }, to, { signal: soon() });
      throw error;
    }
  }

  async #hasWithin(of: VolumeRef, options: WaitOptions): Promise<boolean> {
    return (await this.#store.list(options)).some(
      ({ volume: { snapshot, ...volume }, within }) =>
        within && snapshot !== undefined && sameVolume(volume, of),
    );
  }

  /** Snapshots first: cut off, the same call goes on with it. */
  async renameVolume(from: VolumeRef, to: VolumeRef, options: WaitOptions): Promise<void> {
    this.volumePath(to); // its name is right
    if (await this.#find(to, options))
      throw new LxdError('conflict', `Volume "${to.snapshot ?? volumeName(to)}" exists already`);
    await this.#atRest(from, options, async () => {
      if (from.snapshot === undefined)
        for (const one of await this.#ownSnapshots(from, options))
          await this.#atRest(one.volume, options, async () => {
            if (one.within) return;
            await this.#store.rename(one, { ...to, snapshot: one.volume.snapshot ?? '' }, options);
          });
      await this.#store.rename(await this.#get(from, options), to, options);
    });
  }

  async #ownSnapshots(of: VolumeRef, options: WaitOptions): Promise<StoredVolume[]> {
    return (await this.#store.list(options)).filter(({ volume: { snapshot, ...volume } }) => {
      return snapshot !== undefined && sameVolume(volume, of);
    });
  }

  async deleteVolume(volume: VolumeRef, options: WaitOptions): Promise<void> {
    const parts = volume.snapshot === undefined ? await this.#ownSnapshots(volume, options) : [];
    for (const one of parts) await this.#atRest(one.volume, options, () => this.#store.remove(one, options));
    await this.#clear(volume, options);
    await dropParent(this.path, volume);
  }

  async volumeUsage(volume: VolumeRef, options: WaitOptions): Promise<number | undefined> {
    const place = placeOf(this.path, volume);
    const found = await this.#find(volume, options);
    if (!found) return undefined;
    // Whoever mounts it waits: some have to be made active to be asked, and are not active any more then.
    return this.#uses.alone(place, () =>
      this.#store.usage(found, !volume.block && this.#uses.isOpen(place) ? place : undefined, options),
    );
  }

  async setQuota(volume: VolumeRef, bytes: number | undefined, options: WaitOptions): Promise<void> {
    const found = await this.#get(volume, options);
    const place = placeOf(this.path, volume);
    // In use, or not: until the end.
    await this.#uses.alone(place, async () => {
      if (volume.block) return bytes === undefined ? undefined : this.#blocks.grow(found, bytes, options);
      const inUse = this.#uses.isOpen(place);
      const during = async <T>(work: (path: string) => Promise<T>): Promise<T> => {
        if (inUse) return work(place);
        await this.#show(volume, options);
        try {
          return await work(place);
        } finally {
          await this.#shut(volume, { signal: soon() });
        }
      };
      return this.#store.limit(found, bytes, { inUse, during }, options);
    });
  }
}
