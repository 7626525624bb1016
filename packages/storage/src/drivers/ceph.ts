import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isFalse, isTrue, LxdError, parseSize, type Config, type PoolSpec, type Undo } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { cannotShrink, roundedSize } from '../block-file.ts';
import { imageName, shownSnapshot, volumeOfImage } from '../ceph/rbd-names.ts';
import { rbdSchema } from '../ceph/rbd-schema.ts';
import { Rbd } from '../ceph/rbd.ts';
import type { StorageContext, StorageDriver, VolumeRef, WaitOptions } from '../driver.ts';
import { partial, poolPath, volumeName, volumeOf } from '../layout.ts';
import { BlockFilesystem, defaultVolumeSize, filesystemOf } from '../store/block-filesystem.ts';
import { joinDashed } from '../store/dash-names.ts';
import { pruneLineage, removeNode, removeSnapshot, type Lineage } from '../store/lineage.ts';
import { isPartial, placeOf } from '../store/places.ts';
import { StoredPool } from '../store/stored-pool.ts';
import type { BlockStore, Mounted, StoredVolume, VolumeStore } from '../store/volume-store.ts';

const back = (): WaitOptions => ({ signal: AbortSignal.timeout(60_000) });
const claimKey = 'lxd-ts.claim';
/** Of unpacked images, what clones are made from. */
const imageSnapshot = 'readonly';
const dead = 'zombie_';
/** What nobody has watched or changed for so long was left by a crash, of this member or another. */
const abandonedMs = 60 * 60 * 1000;

class CephStore implements VolumeStore {
  /** No name of a host has a `+`: none begins as another with it. */
  readonly mine = `${hostname()}+`;
  readonly fixed = ['ceph.cluster_name', 'ceph.osd.pool_name', 'ceph.osd.data_pool_name', 'ceph.osd.claim'];
  readonly #pool: PoolSpec;
  readonly #host: Host;
  readonly #path: string;
  readonly #rbd: Rbd;
  readonly #filesystem: BlockFilesystem;

  constructor(pool: PoolSpec, { host, dir }: StorageContext) {
    this.#pool = pool;
    this.#host = host;
    this.#path = poolPath(dir, pool.name);
    const { config } = pool;
    this.#rbd = new Rbd(host, config['ceph.osd.pool_name'] || config['source'] || pool.name, config);
    this.#filesystem = new BlockFilesystem(host, config);
  }

  get settle(): VolumeStore['settle'] {
    if (filesystemOf(this.#pool.config) !== 'btrfs') return undefined;
    return (clone, options) =>
      this.#rbd.during(this.#name(clone), (device) => this.#filesystem.renewId(device, options), options);
  }

  #name(volume: VolumeRef): string {
    return imageName(volume, filesystemOf(this.#pool.config));
  }

  #spec(image: string, snapshot?: string): string {
    return `${this.#rbd.pool}/${image}${snapshot === undefined ? '' : `@${snapshot}`}`;
  }

  /** An image of no size that says that the OSD pool is taken. */
  get #marker(): string {
    return `lxd_${this.#rbd.pool}`;
  }

  async #isClaimed(options: WaitOptions): Promise<boolean> {
    const claim = this.#pool.config['ceph.osd.claim'];
    if (!claim) return false;
    const argv = ['image-meta', 'get', this.#marker, claimKey];
    const { status, stdout, stderr } = await this.#rbd.run(argv, options, true);
    // ENOENT: the pool, the marker, or what is written on it.
    if (status !== 0 && status !== 2) throw new LxdError('internal', `rbd failed: ${stderr.trim()}`);
    return status === 0 && stdout.trim() === claim;
  }

  async create(undo: Undo, options: WaitOptions): Promise<Config> {
    const { config } = this.#pool;
    for (const tool of ['ceph', 'rbd'])
      if (!(await versionOf(this.#host, tool, options)))
        throw new LxdError('unsupported', `Required tool '${tool}' is missing`);
    const { pool } = this.#rbd;
    if (config['source'] && config['ceph.osd.pool_name'] && config['source'] !== config['ceph.osd.pool_name'])
      throw new LxdError('invalid', 'Invalid combination of "source" and "ceph.osd.pool_name" properties');
    const named: Config = {
      ...config,
      source: pool,
      'ceph.cluster_name': config['ceph.cluster_name'] || 'ceph',
      'ceph.osd.pool_name': pool,
      'ceph.user.name': config['ceph.user.name'] || 'admin',
    };
    // Another member has made it.
    if (await this.#isClaimed(options)) return { ...named, 'volatile.pool.pristine': 'true' };
    if (!(await this.#rbd.exists(options))) return { ...named, ...(await this.#makePool(undo, options)) };
    return { ...named, ...(await this.#takePool(undo, options)) };
  }

  async #makePool(undo: Undo, options: WaitOptions): Promise<Config> {
    const groups = this.#pool.config['ceph.osd.pg_num'] || '32';
    await this.#rbd.ceph(['osd', 'pool', 'create', this.#rbd.pool, groups], options);
    undo.push(() => this.#deletePool(back()));
    await this.#rbd.runAny(['pool', 'init', this.#rbd.pool], options);
    const claim = await this.#claim(undo, options);
    return { ...claim, 'ceph.osd.pg_num': groups, 'volatile.pool.pristine': 'true' };
  }

  async #takePool(undo: Undo, options: WaitOptions): Promise<Config> {
    const { pool } = this.#rbd;
    const cluster = this.#pool.config['ceph.cluster_name'] || 'ceph';
    const images = await this.#rbd.images(options);
    if (images.some(({ name }) => name === this.#marker)) {
      if (!isTrue(this.#pool.config['ceph.osd.force_reuse']))
        throw new LxdError(
          'invalid',
          `Pool '${pool}' in cluster '${cluster}' seems to be in use by another LXD instance. Use 'ceph.osd.force_reuse=true' to force`,
        );
      return { 'volatile.pool.pristine': 'false' };
    }
    const groups = await this.#rbd.ceph(['osd', 'pool', 'get', pool, 'pg_num'], options);
    const claim = await this.#claim(undo, options);
    const number = /^pg_num:\s*(\d+)/.exec(groups.stdout)?.[1] ?? '32';
    return { ...claim, 'ceph.osd.pg_num': number, 'volatile.pool.pristine': String(images.length === 0) };
  }

  async #claim(undo: Undo, options: WaitOptions): Promise<Config> {
    const claim = randomUUID();
    await this.#rbd.run(['create', '--image-feature', 'layering', '--size', '0B', this.#marker], options);
    undo.push(() => this.#rbd.run(['rm', this.#marker], back(), true));
    await this.#rbd.run(['image-meta', 'set', this.#marker, claimKey, claim], options);
    return { 'ceph.osd.claim': claim };
  }

  async #deletePool(options: WaitOptions): Promise<void> {
    const { pool } = this.#rbd;
    await this.#rbd.ceph(['osd', 'pool', 'delete', pool, pool, '--yes-i-really-really-mean-it'], options);
  }

  present(options: WaitOptions): Promise<boolean> {
    return this.#isClaimed(options);
  }

  async open(options: WaitOptions): Promise<void> {
    if (!(await this.#rbd.exists(options)))
      throw new LxdError(
        'unavailable',
        `OSD pool "${this.#rbd.pool}" of storage pool "${this.#pool.name}" is missing`,
      );
  }

  async close(options: WaitOptions): Promise<void> {
    if (!(await versionOf(this.#host, 'rbd', options))) return;
    for (const { name, device } of await this.#rbd.mapped(options))
      if (volumeOfImage(name)) await this.#rbd.runAny(['unmap', device], options);
  }

  async destroy(options: WaitOptions): Promise<void> {
    if (!(await this.present(options))) return;
    if (isTrue(this.#pool.config['volatile.pool.pristine'])) await this.#deletePool(options);
    else await this.#rbd.run(['rm', this.#marker], options);
  }

  async foreign(options: WaitOptions): Promise<string | undefined> {
    // What was there before stays there.
    if (!isTrue(this.#pool.config['volatile.pool.pristine'])) return undefined;
    return (await this.#rbd.images(options)).find(
      ({ name }) => name !== this.#marker && !name.startsWith(dead) && !volumeOfImage(name),
    )?.name;
  }

  async space(options: WaitOptions): Promise<{ used: number; total: number }> {
    const { stdout } = await this.#rbd.ceph(['--format', 'json', 'df'], options);
    const { pools } = JSON.parse(stdout) as {
      pools: { name: string; stats: { bytes_used: number; max_avail: number } }[];
    };
    const stats = pools.find(({ name }) => name === this.#rbd.pool)?.stats;
    const used = stats?.bytes_used ?? 0;
    return { used, total: used + (stats?.max_avail ?? 0) };
  }

  get #lineage(): Lineage {
    return {
      read: async (options) =>
        (await this.#rbd.images(options)).map(({ name, snapshots, parent }) => ({
          name,
          snapshots,
          origin: parent && { of: parent.image, snapshot: parent.snapshot },
        })),
      destroy: async (name, options) => {
        await this.#rbd.run(['rm', '--no-progress', name], options);
      },
      destroySnapshot: async (of, snapshot, options) => {
        // Protected only if it had clones.
        await this.#rbd.run(['snap', 'unprotect', '--snap', snapshot, of], options, true);
        await this.#rbd.run(['snap', 'rm', '--no-progress', '--snap', snapshot, of], options);
      },
      bury: async (name, options) => {
        await this.#rbd.runAny(
          ['mv', this.#spec(name), this.#spec(`${dead}${name}_${randomUUID()}`)],
          options,
        );
      },
      hide: async (of, snapshot, options) => {
        const [from, to] = [snapshot, `${dead}snapshot_${randomUUID()}`].map((at) => this.#spec(of, at));
        await this.#rbd.runAny(['snap', 'rename', from ?? '', to ?? ''], options);
      },
      isBuried: (name) => name.startsWith(dead),
      isHidden: (snapshot) => snapshot.startsWith(dead),
    };
  }

  /** Other members are at work in it, too. */
  async abandoned(volumes: readonly StoredVolume[], options: WaitOptions): Promise<StoredVolume[]> {
    const found: StoredVolume[] = [];
    for (const one of volumes) {
      const name = one.volume.snapshot ?? volumeName(one.volume);
      const own = name.startsWith(`${partial}${this.mine}`);
      if (own || (await this.#isOld(this.#name(one.volume), options))) found.push(one);
    }
    return found;
  }

  async #isOld(image: string, options: WaitOptions): Promise<boolean> {
    const { status, stdout } = await this.#rbd.run(['--format', 'json', 'status', image], options, true);
    if (status !== 0) return false;
    const { watchers = [] } = JSON.parse(stdout) as { watchers?: unknown[] };
    const { create_timestamp: made } = await this.#rbd.json<{ create_timestamp: string }>(
      ['info', image],
      options,
    );
    return watchers.length === 0 && Date.now() - Date.parse(`${made} UTC`) > abandonedMs;
  }

  /** Not what another member may be about to clone from. */
  async prune(options: WaitOptions): Promise<void> {
    const old = new Set<string>();
    for (const { name, snapshots } of await this.#rbd.images(options)) {
      if (!snapshots.some((snapshot) => snapshot.startsWith(dead)) && !name.startsWith(dead)) continue;
      const listed = await this.#rbd.json<{ name: string; timestamp: string }[]>(
        ['snap', 'ls', name],
        options,
      );
      for (const { name: snapshot, timestamp } of listed)
        if (Date.now() - Date.parse(`${timestamp} UTC`) > abandonedMs) old.add(`${name}@${snapshot}`);
    }
    await pruneLineage(this.#lineage, options, (of, snapshot) => old.has(`${of}@${snapshot}`));
  }

  get #wantedSize(): number {
    return parseSize(this.#pool.config['volume.size'] || '0') || defaultVolumeSize;
  }

  async list(options: WaitOptions): Promise<StoredVolume[]> {
    const wanted = filesystemOf(this.#pool.config);
    const images = await this.#rbd.images(options);
    const hasBlocks = images.some(({ name }) => volumeOfImage(name)?.volume.block);
    const mapped = new Set(hasBlocks ? (await this.#rbd.mapped(options)).map(({ name }) => name) : []);
    return images.flatMap(({ name, size, snapshots }): StoredVolume[] => {
      const { volume, filesystem = wanted } = volumeOfImage(name) ?? {};
      // Those of another filesystem are unpacked images that stay for clones.
      if (!volume || filesystem !== wanted) return [];
      const stale = volume.type === 'image' && size !== this.#wantedSize;
      const openOf = ({ block }: VolumeRef) => (block ? { open: mapped.has(name) } : {});
      const shown = volume.type === 'image' ? [] : snapshots.filter((one) => one.startsWith(shownSnapshot));
      return [
        { volume, within: false, ...(stale ? { stale } : {}), ...openOf(volume) },
        ...shown.map((one) => ({
          volume: { ...volume, snapshot: one.slice(shownSnapshot.length) },
          within: true,
        })),
      ];
    });
  }

  async #sizeOf(volume: VolumeRef, options: WaitOptions): Promise<number> {
    const { snapshot: _, ...of } = volume;
    const images = await this.#rbd.images(options);
    const named = [this.#name(volume), this.#name(of)];
    return images.find(({ name }) => named.includes(name))?.size ?? this.#wantedSize;
  }

  #features(): string[] {
    const { config } = this.#pool;
    const data = config['ceph.osd.data_pool_name'];
    const features = (config['ceph.rbd.features'] || 'layering').split(',').filter(Boolean);
    return [
      ...features.flatMap((feature) => ['--image-feature', feature]),
      ...(data ? ['--data-pool', data] : []),
    ];
  }

  readonly blocks: BlockStore = {
    make: async (volume, bytes, options) => {
      const size = `${roundedSize(bytes)}B`;
      await this.#rbd.run(['create', ...this.#features(), '--size', size, this.#name(volume)], options);
    },
    open: (stored, options) => this.#map(stored, options),
    close: (volume, options) => this.#unmap(volume, options),
    size: async ({ volume, within }, options) => {
      const { snapshot = '', ...of } = volume;
      const at = within ? ['--snap', `${shownSnapshot}${snapshot}`, this.#name(of)] : [this.#name(volume)];
      return (await this.#rbd.json<{ size: number }>(['info', ...at], options)).size;
    },
    grow: async (stored, bytes, options) => {
      const [is, wanted] = [await this.blocks.size(stored, options), roundedSize(bytes)];
      if (wanted < is) throw cannotShrink();
      const argv = ['resize', '--no-progress', '--size', `${wanted}B`, this.#name(stored.volume)];
      if (wanted > is) await this.#rbd.run(argv, options);
    },
  };

  async make(volume: VolumeRef, like: StoredVolume | undefined, options: WaitOptions): Promise<void> {
    const name = this.#name(volume);
    const bytes = like ? await this.#sizeOf(like.volume, options) : this.#wantedSize;
    await this.#rbd.run(['create', ...this.#features(), '--size', `${bytes}B`, name], options);
    await this.#rbd.during(name, (device) => this.#filesystem.make(device, true, options), options);
  }

  clones(from: VolumeRef, to: VolumeRef): boolean {
    const full = isFalse(this.#pool.config['ceph.rbd.clone_copy']);
    return from.type === 'image' || to.snapshot !== undefined || !full;
  }

  async clone(from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    await this.#cloneAs(from, this.#name(to), options);
  }

  async #cloneAs({ volume, within }: StoredVolume, to: string, options: WaitOptions): Promise<void> {
    const { snapshot: shown = '', ...head } = volume;
    const of = this.#name(within ? head : volume);
    const hidden = volume.type === 'image' ? imageSnapshot : `${dead}snapshot_${randomUUID()}`;
    const snapshot = within ? `${shownSnapshot}${shown}` : hidden;
    if (!within) await this.#settleFiles(volume, options);
    if (!within)
      await this.#orThere(['snap', 'create', '--no-progress', '--snap', snapshot, of], 17, options);
    await this.#orThere(['snap', 'protect', '--snap', snapshot, of], 16, options);
    const specs = [this.#spec(of, snapshot), this.#spec(to)];
    await this.#rbd.runAny(['clone', ...this.#features(), ...specs], options);
  }

  /** @param there the status of what has been done already, an errno: of an unpacked image by the first clone */
  async #orThere(args: readonly string[], there: number, options: WaitOptions): Promise<void> {
    const { status, stderr } = await this.#rbd.run(args, options, true);
    if (status !== 0 && status !== there) throw new LxdError('internal', `rbd failed: ${stderr.trim()}`);
  }

  /** What has been written is in a snapshot or a clone; what is written meanwhile is as after a loss of power. */
  async #settleFiles(volume: VolumeRef, options: WaitOptions): Promise<void> {
    const place = placeOf(this.#path, volume);
    if ((await this.#host.mounts()).some(({ target }) => target === place))
      await this.#host.run(['sync', '-f', '--', place], options);
  }

  async snapshot({ snapshot = '', ...volume }: VolumeRef, options: WaitOptions): Promise<void> {
    await this.#settleFiles(volume, options);
    const name = `${shownSnapshot}${snapshot}`;
    await this.#rbd.run(['snap', 'create', '--no-progress', '--snap', name, this.#name(volume)], options);
  }

  async rollback({ snapshot = '', ...volume }: VolumeRef, options: WaitOptions): Promise<boolean> {
    const name = `${shownSnapshot}${snapshot}`;
    await this.#rbd.unmap(this.#name(volume), options);
    await this.#rbd.run(['snap', 'rollback', '--no-progress', '--snap', name, this.#name(volume)], options);
    return true;
  }

  async rename({ volume, within }: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    if (!within) {
      await this.#rbd.runAny(['mv', this.#spec(this.#name(volume)), this.#spec(this.#name(to))], options);
      return;
    }
    const specs = [volume, to].map(({ snapshot = '', ...of }) =>
      this.#spec(this.#name(of), `${shownSnapshot}${snapshot}`),
    );
    await this.#rbd.runAny(['snap', 'rename', ...specs], options);
  }

  async remove({ volume, within }: StoredVolume, options: WaitOptions): Promise<void> {
    const { snapshot = '', ...of } = volume;
    if (within) await removeSnapshot(this.#lineage, this.#name(of), `${shownSnapshot}${snapshot}`, options);
    else {
      await this.#rbd.unmap(this.#name(volume), options);
      await removeNode(this.#lineage, this.#name(volume), options);
    }
  }

  /** What a snapshot within its volume is mounted by: journals are written to, and snapshots cannot be. */
  #stand({ snapshot = '', ...of }: VolumeRef): VolumeRef {
    const stand = volumeOf(of.type, `${partial}${this.mine}mount+${joinDashed(volumeName(of), snapshot)}`);
    return of.block ? { ...stand, block: true } : stand;
  }

  async #map(stored: StoredVolume, options: WaitOptions): Promise<string> {
    const { volume, within } = stored;
    const name = this.#name(within ? this.#stand(volume) : volume);
    const there = (await this.#rbd.images(options)).some((image) => image.name === name);
    if (within && !there) await this.#cloneAs(stored, name, options);
    return this.#rbd.map(name, options);
  }

  async attach(stored: StoredVolume, target: string, options: WaitOptions): Promise<void> {
    const device = await this.#map(stored, options);
    const readonly = stored.volume.snapshot !== undefined;
    await this.#filesystem.mount(device, target, { readonly }, options);
  }

  async detach(volume: VolumeRef, target: string, options: WaitOptions): Promise<void> {
    await this.#host.unmount(target, options);
    await this.#unmap(volume, options);
  }

  async #unmap(volume: VolumeRef, options: WaitOptions): Promise<void> {
    const stand = this.#name(this.#stand(volume));
    await this.#rbd.unmap(this.#name(volume), options);
    if (volume.snapshot === undefined) return;
    await this.#rbd.unmap(stand, options);
    await removeNode(this.#lineage, stand, options);
  }

  async usage(
    { volume, within }: StoredVolume,
    mounted: string | undefined,
    options: WaitOptions,
  ): Promise<number | undefined> {
    if (mounted !== undefined) return (await this.#host.statfs(mounted)).used;
    if (within || isPartial(volume) || isFalse(this.#pool.config['ceph.rbd.du'])) return undefined;
    const { images } = await this.#rbd.json<{ images: { snapshot?: string; used_size: number }[] }>(
      ['du', this.#name(volume)],
      options,
    );
    return images.find(({ snapshot }) => snapshot === undefined)?.used_size;
  }

  async limit(
    { volume, within }: StoredVolume,
    bytes: number | undefined,
    use: Mounted,
    options: WaitOptions,
  ): Promise<void> {
    // A volume has a size always: without a limit it keeps the one that it has.
    if (bytes === undefined || within) return;
    const name = this.#name(volume);
    const device = {
      path: () => this.#rbd.map(name, options),
      active: async <T>(work: (path: string) => Promise<T>): Promise<T> =>
        use.inUse ? work(await this.#rbd.map(name, options)) : this.#rbd.during(name, work, options),
      resize: async (to: number) => {
        await this.#rbd.run(['resize', '--no-progress', '--allow-shrink', '--size', `${to}B`, name], options);
      },
    };
    const is = await this.#sizeOf(volume, options);
    await this.#filesystem.resize({ is, wanted: bytes }, device, use, options);
  }
}

async function versionOf(host: Host, tool: string, { signal }: WaitOptions): Promise<string | undefined> {
  const found = await host.run([tool, '--version'], { signal, allowFailure: true }).catch(() => undefined);
  return /ceph version (\S+)/.exec(found?.stdout ?? '')?.[1];
}

/**
 * RBD images of a Ceph cluster, in LXD's names: images are unpacked once, copies and snapshots share what they have in
 * common. Unproven: it has only run on simulated tools.
 */
export const ceph: StorageDriver = {
  type: 'ceph',
  schema: rbdSchema,
  capabilities: {
    optimizedImages: true,
    optimizedCopy: true,
    quotas: true,
    remote: true,
    blockVolumes: 'devices',
  },
  probe: (host, options) => versionOf(host, 'rbd', options),
  open: (pool, context) => new StoredPool(pool, context, (spec, of) => new CephStore(spec, of)),
};
