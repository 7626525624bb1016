import { randomUUID } from 'node:crypto';
import { access, stat } from 'node:fs/promises';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFalse, isTrue, LxdError, parseSize, type Config, type PoolSpec, type Undo } from '@lxd-ts/core';
import type { ExecResult, Host } from '@lxd-ts/host';
import type { StorageContext, StorageDriver, VolumeRef, WaitOptions } from '../driver.ts';
import { loopFile, poolPath } from '../layout.ts';
import { defaultSize } from '../store/default-size.ts';
import {
  pruneLineage,
  removeNode,
  removeSnapshot,
  type Lineage,
  type LineageNode,
} from '../store/lineage.ts';
import { makeLoopFile } from '../store/loop.ts';
import { StoredPool } from '../store/stored-pool.ts';
import type { BlockStore, Mounted, StoredVolume, VolumeStore } from '../store/volume-store.ts';
import { datasetName, shownSnapshot, snapshotName, volumeOfDataset } from '../zfs/dataset-names.ts';
import { zfsSchema } from '../zfs/zfs-schema.ts';
import { zvols } from '../zfs/zvols.ts';

const back = (): WaitOptions => ({ signal: AbortSignal.timeout(60_000) });
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
/** A property of the pool's dataset: whose it is. */
const claim = 'lxd-ts:pool';
/** Of images, what clones are made from. */
const imageSnapshot = 'readonly';
const buried = 'deleted/';

class ZfsStore implements VolumeStore {
  readonly fixed = ['zfs.pool_name'];
  readonly #pool: PoolSpec;
  readonly #context: StorageContext;
  readonly #host: Host;
  readonly #dir: string;

  constructor(pool: PoolSpec, context: StorageContext) {
    this.#pool = pool;
    this.#context = context;
    this.#host = context.host;
    this.#dir = context.dir;
  }

  get #root(): string {
    return this.#pool.config['zfs.pool_name'] || this.#pool.name;
  }

  get #loop(): string {
    return loopFile(this.#dir, this.#pool.name);
  }

  get #partial(): string {
    return `${this.#loop}.partial-new`;
  }

  get #owner(): string {
    return poolPath(this.#dir, this.#pool.name);
  }

  get blocks(): BlockStore {
    return zvols({
      host: this.#host,
      within: (name) => this.#in(name),
      property: (...asked) => this.#property(...asked),
      blockSize: this.#pool.config['volume.zfs.blocksize'],
    });
  }

  #in(name: string): string {
    return `${this.#root}/${name}`;
  }

  #run(
    argv: readonly [string, ...string[]],
    { signal }: WaitOptions,
    { allowFailure = false } = {},
  ): Promise<ExecResult> {
    return this.#host.run(argv, { signal, allowFailure });
  }

  /** Lines of columns. undefined: there is no such dataset. */
  async #table(argv: readonly [string, ...string[]], options: WaitOptions): Promise<string[][] | undefined> {
    const { status, stdout, stderr } = await this.#run(argv, options, { allowFailure: true });
    if (status === 0)
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\t'));
    // What it says is all that tells this from a failure.
    if (/dataset does not exist|no such pool/.test(stderr)) return undefined;
    throw new LxdError('internal', `${argv[0]} failed: ${stderr.trim()}`);
  }

  /** undefined: there is no such dataset. */
  async #property(name: string, dataset: string, options: WaitOptions): Promise<string | undefined> {
    const argv = ['zfs', 'get', '-Hp', '-o', 'value', name, dataset] as const;
    return (await this.#table(argv, options))?.[0]?.[0];
  }

  /** Names below the pool's dataset, and what they were cloned from. */
  async #all(options: WaitOptions): Promise<{ name: string; origin: string; type: string }[]> {
    const columns = ['-t', 'filesystem,volume,snapshot', '-o', 'name,origin,type'];
    const rows = await this.#table(
      ['zfs', 'list', '-Hp', '-r', '-s', 'createtxg', ...columns, this.#root],
      options,
    );
    const start = `${this.#root}/`;
    return (rows ?? []).flatMap(([name = '', origin = '-', type = '']) =>
      name.startsWith(start) ? [{ name: name.slice(start.length), origin, type }] : [],
    );
  }

  get #lineage(): Lineage {
    return {
      read: async (options) => {
        const all = await this.#all(options);
        const snapshots = all.map(({ name }) => name.split('@')).filter(([, at]) => at !== undefined);
        return all.flatMap(({ name, origin }): LineageNode[] => {
          if (name.includes('@')) return [];
          const [of = '', snapshot = ''] = origin.slice(this.#root.length + 1).split('@');
          return [
            {
              name,
              snapshots: snapshots.flatMap(([whose, at = '']) => (whose === name ? [at] : [])),
              origin: origin === '-' ? undefined : { of, snapshot },
            },
          ];
        });
      },
      destroy: async (name, options) => {
        await this.#run(['zfs', 'destroy', this.#in(name)], options);
      },
      destroySnapshot: async (of, snapshot, options) => {
        await this.#run(['zfs', 'destroy', `${this.#in(of)}@${snapshot}`], options);
      },
      bury: async (name, options) => {
        const parent = name.split('/')[0]?.replace(/-snapshots$/, '') ?? '';
        const grave = this.#in(`${buried}${parent}/${randomUUID()}`);
        await this.#run(['zfs', 'rename', '-p', this.#in(name), grave], options);
      },
      hide: async (of, snapshot, options) => {
        const [from, to] = [snapshot, `deleted-${randomUUID()}`].map((name) => `${this.#in(of)}@${name}`);
        await this.#run(['zfs', 'rename', from ?? '', to ?? ''], options);
      },
      isBuried: (name) => name.startsWith(buried) && name.split('/').length > 2,
      isHidden: (snapshot) => /^(copy|deleted)-/.test(snapshot),
    };
  }

  async create(undo: Undo, options: WaitOptions): Promise<Config> {
    const { config } = this.#pool;
    const source = config['source'] ?? '';
    if (!(await zfs.probe(this.#host, options)))
      throw new LxdError(
        'unsupported',
        'The storage driver "zfs" needs the kernel module "zfs" and the tools zfs and zpool',
      );
    const named = { ...config, 'zfs.pool_name': this.#root };
    if (source === '' || source === this.#loop)
      return { ...named, ...(await this.#createLoop(undo, options)) };
    if (source.startsWith('/')) {
      const kind = await stat(source).catch(() => undefined);
      if (!kind?.isBlockDevice())
        throw new LxdError('invalid', 'Custom loop file locations are not supported');
      await this.#makePool(source, undo, options);
      return { ...named, source: this.#root, 'volatile.initial_source': source };
    }
    if (config['zfs.pool_name'] && config['zfs.pool_name'] !== source)
      throw new LxdError('invalid', 'Invalid combination of source and zfs.pool_name properties');
    const whole = { ...named, source, 'zfs.pool_name': source };
    const taken = new ZfsStore({ ...this.#pool, config: whole }, this.#context);
    await taken.#takeDataset(undo, options);
    return whole;
  }

  async #createLoop(undo: Undo, options: WaitOptions): Promise<Config> {
    if (await exists(this.#loop))
      throw new LxdError('conflict', `The loop file ${this.#loop} exists already`);
    const bytes = this.#pool.config['size'] || (await defaultSize(this.#dir));
    // It has its name once there is a zpool in it.
    const file = this.#partial;
    await this.#dropPartial(options);
    await makeLoopFile(file, bytes, undo);
    await this.#makePool(file, undo, options);
    await this.#run(['zpool', 'export', this.#root], options);
    await rename(file, this.#loop);
    undo.push(() => rm(this.#loop, { force: true }));
    await this.open(options);
    return { source: this.#loop, size: bytes };
  }

  /** On what holds nothing yet: ZFS refuses what is in use. */
  async #makePool(device: string, undo: Undo, options: WaitOptions): Promise<void> {
    if (this.#root.includes('/'))
      throw new LxdError('invalid', `"${this.#root}" is not the name of a zpool that could be made`);
    if ((await this.#property('name', this.#root, options)) !== undefined)
      throw new LxdError('conflict', `The zpool "${this.#root}" exists already`);
    const flags = [
      '-m',
      'none',
      '-o',
      'autotrim=on',
      '-O',
      'compression=on',
      '-O',
      `${claim}=${this.#owner}`,
    ];
    await this.#run(['zpool', 'create', ...flags, this.#root, device], options);
    undo.push(() => this.#run(['zpool', 'destroy', '-f', this.#root], back()));
    await this.#layOut(options);
  }

  async #takeDataset(undo: Undo, options: WaitOptions): Promise<void> {
    const found = await this.#property('name', this.#root, options);
    if (found === undefined) {
      if (!this.#root.includes('/'))
        throw new LxdError('invalid', `The requested zpool "${this.#root}" does not exist`);
      await this.#run(['zfs', 'create', '-p', '-o', 'mountpoint=none', this.#root], options);
      undo.push(() => this.#run(['zfs', 'destroy', '-r', this.#root], back()));
    } else if ((await this.#all(options)).length > 0) {
      throw new LxdError('invalid', `Provided ZFS pool (or dataset) "${this.#root}" isn't empty`);
    }
    await this.#run(['zfs', 'set', `${claim}=${this.#owner}`, this.#root], options);
    undo.push(() => this.#run(['zfs', 'inherit', claim, this.#root], back(), { allowFailure: true }));
    await this.#layOut(options);
    const parts = ['containers', 'custom', 'images', 'deleted'];
    for (const part of parts) undo.push(() => this.#run(['zfs', 'destroy', '-r', this.#in(part)], back()));
  }

  /** What LXD sets, and where it puts what. */
  async #layOut(options: WaitOptions): Promise<void> {
    const settings = ['relatime=on', 'mountpoint=legacy', 'setuid=on', 'exec=on', 'devices=on'];
    await this.#run(['zfs', 'set', ...settings, 'acltype=posixacl', 'xattr=sa', this.#root], options);
    for (const name of ['containers', 'custom', 'images', 'deleted'])
      await this.#run(['zfs', 'create', '-p', this.#in(name)], options);
  }

  get #isMade(): boolean {
    const { config } = this.#pool;
    return Boolean(config['source'] && config['zfs.pool_name']);
  }

  async #isClaimed(options: WaitOptions): Promise<boolean> {
    // What was refused because ZFS is missing need not ask it.
    if (!this.#isMade && !(await zfs.probe(this.#host, options))) return false;
    return (await this.#property(claim, this.#root, options)) === this.#owner;
  }

  /** What was exported is found again, too: it is somebody's data all the same. */
  async present(options: WaitOptions): Promise<boolean> {
    if (this.#isMade || (await exists(this.#loop))) await this.#import(options);
    return this.#isClaimed(options);
  }

  async open(options: WaitOptions): Promise<void> {
    await this.#import(options);
    if ((await this.#property('name', this.#root, options)) !== undefined) return;
    throw new LxdError('unavailable', `"${this.#root}" of storage pool "${this.#pool.name}" is missing`);
  }

  /** Where there is no such zpool nothing is done. @throws LxdError `unavailable`: it is there, and cannot be imported */
  async #import(options: WaitOptions): Promise<void> {
    const [zpool = ''] = this.#root.split('/');
    if ((await this.#property('name', zpool, options)) !== undefined) return;
    const where = (await exists(this.#loop)) ? ['-d', this.#loop] : [];
    const argv = ['zpool', 'import', '-N', ...where, zpool] as const;
    const { status, stderr } = await this.#run(argv, options, { allowFailure: true });
    if (status !== 0 && !stderr.includes('no such pool available'))
      throw new LxdError('unavailable', `Zpool "${zpool}" cannot be imported: ${stderr.trim()}`);
  }

  async close(options: WaitOptions): Promise<void> {
    const own = !this.#root.includes('/') && !isFalse(this.#pool.config['zfs.export']);
    if (own && (await this.#isClaimed(options))) await this.#run(['zpool', 'export', this.#root], options);
  }

  async destroy(options: WaitOptions): Promise<void> {
    await this.#dropPartial(options);
    // What was refused is another's: not to be touched.
    if (!(await this.present(options))) return;
    const isFile = await exists(this.#loop);
    if (isFile || this.#pool.config['volatile.initial_source'])
      await this.#run(['zpool', 'destroy', '-f', this.#root], options);
    else {
      for (const { name } of await this.#all(options))
        if (!/[/@]/.test(name)) await this.#run(['zfs', 'destroy', '-r', this.#in(name)], options);
      await this.#run(['zfs', 'inherit', claim, this.#root], options);
    }
    if (isFile) await rm(this.#loop);
  }

  /** What was cut off while it was made, and the zpool in it. */
  async #dropPartial(options: WaitOptions): Promise<void> {
    if (!(await exists(this.#partial))) return;
    if (await this.#isClaimed(options)) await this.#run(['zpool', 'destroy', '-f', this.#root], options);
    await rm(this.#partial);
  }

  async foreign(options: WaitOptions): Promise<string | undefined> {
    const laid =
      /^(containers|custom|images|virtual-machines|buckets)(-snapshots(\/[^/@]+)?)?$|^deleted(\/|$)/;
    return (await this.#all(options)).find(
      ({ name }) => !laid.test(name) && !volumeOfDataset(name.split('@')[0] ?? ''),
    )?.name;
  }

  async space(options: WaitOptions): Promise<{ used: number; total: number }> {
    const [used, available] = await Promise.all(
      ['used', 'available'].map((name) => this.#property(name, this.#root, options)),
    );
    return { used: Number(used ?? 0), total: Number(used ?? 0) + Number(available ?? 0) };
  }

  prune(options: WaitOptions): Promise<void> {
    return pruneLineage(this.#lineage, options);
  }

  async list(options: WaitOptions): Promise<StoredVolume[]> {
    const all = await this.#all(options);
    const zvols = new Set(all.flatMap(({ name, type }) => (type === 'volume' ? [name] : [])));
    return all.flatMap(({ name }) => {
      const found = volumeOfDataset(name);
      if (found?.volume.type !== 'custom' || !zvols.has(name.split('@')[0] ?? '')) return found ?? [];
      return { ...found, volume: { ...found.volume, block: true } };
    });
  }

  async make(volume: VolumeRef, _like: StoredVolume | undefined, options: WaitOptions): Promise<void> {
    const record = this.#pool.config['volume.zfs.blocksize'];
    const flags = record ? ['-o', `recordsize=${parseSize(record)}`] : [];
    await this.#run(['zfs', 'create', '-p', ...flags, this.#in(datasetName(volume))], options);
  }

  clones(from: VolumeRef, to: VolumeRef): boolean {
    return (
      from.type === 'image' || to.snapshot !== undefined || !isFalse(this.#pool.config['zfs.clone_copy'])
    );
  }

  async clone(from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    const origin = await this.#originFor(from, options);
    const flags = to.snapshot === undefined ? [] : ['-o', 'readonly=on'];
    if (to.block) flags.push('-o', 'volmode=dev');
    await this.#run(['zfs', 'clone', '-p', ...flags, origin, this.#in(datasetName(to))], options);
  }

  /** The snapshot that a clone is made from. */
  async #originFor({ volume, within }: StoredVolume, options: WaitOptions): Promise<string> {
    if (within) return this.#in(snapshotName(volume));
    const name = volume.type === 'image' ? imageSnapshot : `copy-${randomUUID()}`;
    const origin = `${this.#in(datasetName(volume))}@${name}`;
    const { status, stderr } = await this.#run(['zfs', 'snapshot', origin], options, { allowFailure: true });
    // An image has it from the first clone on.
    if (status !== 0 && !stderr.includes('dataset already exists'))
      throw new LxdError('internal', `zfs failed: ${stderr.trim()}`);
    return origin;
  }

  async snapshot(snapshot: VolumeRef, options: WaitOptions): Promise<void> {
    await this.#run(['zfs', 'snapshot', this.#in(snapshotName(snapshot))], options);
  }

  /** Only to the latest: those after it would be lost. */
  async rollback(snapshot: VolumeRef, options: WaitOptions): Promise<boolean> {
    const { snapshot: _, ...volume } = snapshot;
    const nodes = await this.#lineage.read(options);
    const later = nodes.find(({ name }) => name === datasetName(volume))?.snapshots ?? [];
    // They are listed in the order in which they were made.
    if (later.at(-1) !== `${shownSnapshot}${snapshot.snapshot ?? ''}`) return false;
    await this.#run(['zfs', 'rollback', this.#in(snapshotName(snapshot))], options);
    return true;
  }

  async rename({ volume, within }: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    const [from, target] = [volume, to].map((one) => this.#in(within ? snapshotName(one) : datasetName(one)));
    await this.#run(['zfs', 'rename', ...(within ? [] : ['-p']), from ?? '', target ?? ''], options);
    if (!within) await this.#dropParent(volume, options);
  }

  async remove({ volume, within }: StoredVolume, options: WaitOptions): Promise<void> {
    if (within) {
      const [of = '', snapshot = ''] = snapshotName(volume).split('@');
      await removeSnapshot(this.#lineage, of, snapshot, options);
      return;
    }
    await removeNode(this.#lineage, datasetName(volume), options);
    await this.#dropParent(volume, options);
  }

  /** A dataset that holds no snapshot any more goes; one that does refuses. */
  async #dropParent(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (volume.snapshot === undefined) return;
    const parent = this.#in(dirname(datasetName(volume)));
    await this.#run(['zfs', 'destroy', parent], options, { allowFailure: true });
  }

  async attach({ volume, within }: StoredVolume, target: string, options: WaitOptions): Promise<void> {
    const source = this.#in(within ? snapshotName(volume) : datasetName(volume));
    const flags = volume.snapshot === undefined ? [] : ['ro'];
    await this.#host.mount({ source, target, fsType: 'zfs', options: flags }, options);
  }

  async detach(_volume: VolumeRef, target: string, options: WaitOptions): Promise<void> {
    await this.#host.unmount(target, options);
  }

  get #quota(): string {
    return isTrue(this.#pool.config['volume.zfs.use_refquota']) ? 'refquota' : 'quota';
  }

  async usage(
    { volume, within }: StoredVolume,
    _mounted: string | undefined,
    options: WaitOptions,
  ): Promise<number | undefined> {
    const name = this.#in(within ? snapshotName(volume) : datasetName(volume));
    const property = this.#quota === 'quota' ? 'used' : 'referenced';
    const used = await this.#property(property, name, options);
    return used === undefined ? undefined : Number(used);
  }

  async limit(
    { volume, within }: StoredVolume,
    bytes: number | undefined,
    _use: Mounted,
    options: WaitOptions,
  ): Promise<void> {
    if (within) return;
    const limit = bytes === undefined ? 'none' : String(bytes);
    const reserved = isTrue(this.#pool.config['volume.zfs.reserve_space']);
    const reservation = this.#quota === 'quota' ? 'reservation' : 'refreservation';
    const settings = [`${this.#quota}=${limit}`, ...(reserved ? [`${reservation}=${limit}`] : [])];
    await this.#run(['zfs', 'set', ...settings, this.#in(datasetName(volume))], options);
  }
}

/**
 * Datasets of ZFS, in LXD's layout: images are unpacked once, copies and snapshots share what they have in common.
 * Unprivileged instances need OpenZFS 2.2, which maps ids when it mounts.
 */
export const zfs: StorageDriver = {
  type: 'zfs',
  schema: zfsSchema,
  capabilities: {
    optimizedImages: true,
    optimizedCopy: true,
    quotas: true,
    remote: false,
    blockVolumes: 'devices',
  },
  probe: async (host, { signal }) => {
    const found = await host.run(['zfs', 'version'], { signal, allowFailure: true }).catch(() => undefined);
    // The module's line is missing while it is not loaded.
    return found?.status === 0 ? /^zfs-kmod-(\S+)/m.exec(found.stdout)?.[1] : undefined;
  },
  open: (pool, context) => new StoredPool(pool, context, (spec, of) => new ZfsStore(spec, of)),
};
