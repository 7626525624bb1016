import { createHash } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import {
  isFalse,
  isTrue,
  LxdError,
  parseSize,
  validators,
  type Config,
  type ConfigSchema,
  type PoolSpec,
  type Undo,
} from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { cannotShrink } from '../block-file.ts';
import type { StorageContext, StorageDriver, VolumeRef, WaitOptions } from '../driver.ts';
import { loopFile, poolPath } from '../layout.ts';
import { lvName, volumeOfLv } from '../lvm/lv-names.ts';
import { lvmVersion } from '../lvm/lvm-version.ts';
import { VolumeGroup } from '../lvm/volume-group.ts';
import { commonSchema, size, sizeSchema, toolName } from '../schema.ts';
import { BlockFilesystem, defaultVolumeSize, filesystemOf } from '../store/block-filesystem.ts';
import { defaultSize } from '../store/default-size.ts';
import { attachLoop, detachLoops, loopsOf, makeLoopFile } from '../store/loop.ts';
import { StoredPool } from '../store/stored-pool.ts';
import { blockSchema } from '../store/block-schema.ts';
import type { BlockStore, Mounted, StoredVolume, VolumeStore } from '../store/volume-store.ts';

const schema: ConfigSchema = {
  ...commonSchema,
  ...sizeSchema,
  ...blockSchema,
  'lvm.thinpool_name': {
    check: toolName,
    description: 'Thin pool that volumes are made in',
    default: 'LXDThinPool',
  },
  'lvm.thinpool_metadata_size': {
    check: size,
    description: "Size of the thin pool's metadata; 0: as LVM chooses",
    default: '0',
  },
  'lvm.use_thinpool': {
    check: validators.bool,
    description: 'Whether volumes are thin; others are copied file by file',
    default: 'true',
  },
  'lvm.vg_name': { check: toolName, description: 'Volume group', memberSpecific: true },
  'lvm.vg.force_reuse': {
    check: validators.bool,
    description: 'Whether a volume group may be used that holds something already',
    default: 'false',
  },
  'volume.lvm.stripes': {
    check: validators.unsigned,
    description: 'Number of stripes of new volumes, or of the thin pool',
  },
  'volume.lvm.stripes.size': { check: size, description: 'Size of stripes' },
};

/** What LXD marks volume groups with that it uses. */
const marker = 'lxd_pool';
const back = (): WaitOptions => ({ signal: AbortSignal.timeout(60_000) });
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

class LvmStore implements VolumeStore {
  readonly fixed = ['lvm.vg_name', 'lvm.thinpool_name', 'lvm.thinpool_metadata_size', 'lvm.use_thinpool'];
  readonly #pool: PoolSpec;
  readonly #context: StorageContext;
  readonly #host: Host;
  readonly #dir: string;
  readonly #filesystem: BlockFilesystem;
  readonly #group: VolumeGroup;

  constructor(pool: PoolSpec, context: StorageContext) {
    this.#pool = pool;
    this.#context = context;
    this.#host = context.host;
    this.#dir = context.dir;
    this.#filesystem = new BlockFilesystem(context.host, pool.config);
    this.#group = new VolumeGroup(context.host, pool.config['lvm.vg_name'] || pool.name);
  }

  get #thinPool(): string {
    return this.#pool.config['lvm.thinpool_name'] || 'LXDThinPool';
  }

  get #thin(): boolean {
    return !isFalse(this.#pool.config['lvm.use_thinpool']);
  }

  get #loop(): string {
    return loopFile(this.#dir, this.#pool.name);
  }

  get #partial(): string {
    return `${this.#loop}.partial-new`;
  }

  /** Says in the volume group that it is this pool's: the one of this name of this daemon's. */
  get #claim(): string {
    const hash = createHash('sha256').update(poolPath(this.#dir, this.#pool.name)).digest('hex');
    return `lxd_ts_${hash.slice(0, 16)}`;
  }

  get settle(): VolumeStore['settle'] {
    if (filesystemOf(this.#pool.config) !== 'btrfs') return undefined;
    return (clone, options) =>
      this.#group.during(lvName(clone), (device) => this.#filesystem.renewId(device, options), options);
  }

  async create(undo: Undo, options: WaitOptions): Promise<Config> {
    const { config } = this.#pool;
    const source = config['source'] ?? '';
    if (!this.#thin)
      for (const key of ['lvm.thinpool_name', 'lvm.thinpool_metadata_size'])
        if (config[key])
          throw new LxdError('invalid', `The key lvm.use_thinpool cannot be set to false when ${key} is set`);
    const version = await lvmVersion(this.#host, options);
    if ('missing' in version) throw new LxdError('unsupported', version.missing);
    const named: Config = {
      ...config,
      'lvm.vg_name': this.#group.name,
      ...(this.#thin ? { 'lvm.thinpool_name': this.#thinPool } : {}),
    };
    if (source === '' || source === this.#loop)
      return { ...named, ...(await this.#createLoop(undo, options)) };
    if (source.startsWith('/')) {
      const kind = await stat(source).catch(() => undefined);
      if (!kind?.isBlockDevice())
        throw new LxdError('invalid', 'Custom loop file locations are not supported');
      await this.#makeGroup(source, undo, options);
      return { ...named, source: this.#group.name, 'volatile.initial_source': source };
    }
    if (config['lvm.vg_name'] && config['lvm.vg_name'] !== source)
      throw new LxdError('invalid', 'Invalid combination of source and lvm.vg_name properties');
    const whole = { ...named, 'lvm.vg_name': source, source };
    await new LvmStore({ ...this.#pool, config: whole }, this.#context).#takeGroup(undo, options);
    return whole;
  }

  async #createLoop(undo: Undo, options: WaitOptions): Promise<Config> {
    if (await exists(this.#loop))
      throw new LxdError('conflict', `The loop file ${this.#loop} exists already`);
    const bytes = this.#pool.config['size'] || (await defaultSize(this.#dir));
    // It has its name once there is a volume group in it.
    const file = this.#partial;
    if (await exists(file)) await this.#dropFile(file, options);
    await makeLoopFile(file, bytes, undo);
    undo.push(() => detachLoops(this.#host, file, back()));
    await this.#makeGroup(await attachLoop(this.#host, file, options), undo, options);
    await rename(file, this.#loop);
    undo.push(() => rename(this.#loop, file));
    return { source: this.#loop, size: bytes };
  }

  /** On a device that holds nothing yet: LVM refuses others. */
  async #makeGroup(device: string, undo: Undo, options: WaitOptions): Promise<void> {
    const { name } = this.#group;
    if ((await this.#group.tags(options)) !== undefined)
      throw new LxdError('conflict', `The volume group "${name}" exists already`);
    await this.#group.run(['pvcreate', '--', device], options);
    undo.push(() => this.#group.run(['pvremove', '--yes', '--', device], back(), { allowFailure: true }));
    await this.#group.run(['vgcreate', '--', name, device], options);
    undo.push(() => this.#group.run(['vgremove', '--yes', '--force', '--', name], back()));
    await this.#claimGroup(undo, options);
  }

  /** One that is the user's. */
  async #takeGroup(undo: Undo, options: WaitOptions): Promise<void> {
    const { name } = this.#group;
    const tags = await this.#group.tags(options);
    if (tags === undefined)
      throw new LxdError('invalid', `The requested volume group "${name}" does not exist`);
    if (!isTrue(this.#pool.config['lvm.vg.force_reuse'])) {
      if (tags.includes(marker))
        throw new LxdError('invalid', `Volume group "${name}" is already used by LXD`);
      if ((await this.#group.volumes(options)).length > 0)
        throw new LxdError('invalid', `Volume group "${name}" is not empty`);
    }
    await this.#claimGroup(undo, options);
  }

  async #claimGroup(undo: Undo, options: WaitOptions): Promise<void> {
    const tags = [marker, this.#claim];
    await this.#group.tag('--addtag', tags, options);
    undo.push(() => this.#group.tag('--deltag', tags, back()));
    if (!this.#thin || (await this.#hasThinPool(options))) return;
    const pool = `${this.#group.name}/${this.#thinPool}`;
    const metadata = parseSize(this.#pool.config['lvm.thinpool_metadata_size'] || '0');
    const flags = [
      ...['--yes', '--wipesignatures', 'y', '--thinpool', pool, '--extents', '100%FREE'],
      ...(metadata > 0 ? ['--poolmetadatasize', `${metadata}b`] : []),
      ...this.#stripes(),
    ];
    await this.#group.run(['lvcreate', ...flags], options);
    undo.push(() => this.#group.run(['lvremove', '--yes', '--', pool], back()));
  }

  async #hasThinPool(options: WaitOptions): Promise<boolean> {
    return (await this.#group.volumes(options)).some(({ name }) => name === this.#thinPool);
  }

  #stripes(): string[] {
    const { config } = this.#pool;
    const stripe = parseSize(config['volume.lvm.stripes.size'] || '0');
    const count = config['volume.lvm.stripes'] ?? '';
    return [...(count ? ['--stripes', count] : []), ...(stripe > 0 ? ['--stripesize', `${stripe}b`] : [])];
  }

  async #isClaimed(options: WaitOptions): Promise<boolean> {
    const { config } = this.#pool;
    // What was refused because LVM is missing need not ask it.
    const made = config['source'] && config['lvm.vg_name'];
    if (!made && 'missing' in (await lvmVersion(this.#host, options))) return false;
    return (await this.#group.tags(options))?.includes(this.#claim) === true;
  }

  async present(options: WaitOptions): Promise<boolean> {
    if (await exists(this.#loop)) await attachLoop(this.#host, this.#loop, options);
    return this.#isClaimed(options);
  }

  async open(options: WaitOptions): Promise<void> {
    if (await exists(this.#loop)) await attachLoop(this.#host, this.#loop, options);
    if ((await this.#group.tags(options)) === undefined)
      throw new LxdError(
        'unavailable',
        `Volume group "${this.#group.name}" of storage pool "${this.#pool.name}" is missing`,
      );
  }

  async close(options: WaitOptions): Promise<void> {
    if (!(await this.#isClaimed(options))) return;
    for (const { name, active } of await this.#group.volumes(options))
      if (active && this.#isOurs(name)) await this.#group.deactivate(name, options);
    if ((await exists(this.#loop)) && (await loopsOf(this.#host, this.#loop, options)).length > 0) {
      await this.#group.run(['vgchange', '--activate', 'n', '--', this.#group.name], options);
      await detachLoops(this.#host, this.#loop, options);
    }
  }

  #isOurs(name: string): boolean {
    return volumeOfLv(name) !== undefined || (this.#thin && name === this.#thinPool);
  }

  async destroy(options: WaitOptions): Promise<void> {
    if (await exists(this.#partial)) await this.#dropFile(this.#partial, options);
    // What was refused is another's: not to be touched.
    if (!(await this.present(options))) {
      if (await exists(this.#loop)) await detachLoops(this.#host, this.#loop, options);
      return;
    }
    if (await exists(this.#loop)) {
      await this.#dropFile(this.#loop, options);
      return;
    }
    if (this.#pool.config['volatile.initial_source']) {
      await this.#group.remove(options);
      return;
    }
    if (this.#thin && (await this.#hasThinPool(options)))
      await this.#group.run(['lvremove', '--yes', '--', `${this.#group.name}/${this.#thinPool}`], options);
    await this.#group.tag('--deltag', [marker, this.#claim], options);
  }

  /** With the loop devices on it, and the volume group that LVM sees through them. */
  async #dropFile(file: string, options: WaitOptions): Promise<void> {
    const device = await attachLoop(this.#host, file, options);
    const argv = ['pvs', '--noheadings', '-o', 'vg_name', '--', device] as const;
    const found = await this.#group.run(argv, options, { allowFailure: true });
    const name = found.status === 0 ? found.stdout.trim() : '';
    if (name !== '') await new VolumeGroup(this.#host, name).remove(options);
    await detachLoops(this.#host, file, options);
    await rm(file, { force: true });
  }

  async foreign(options: WaitOptions): Promise<string | undefined> {
    // Beside a pool that takes no room of its own others may have volumes.
    if (!this.#thin && !this.#pool.config['volatile.initial_source']) return undefined;
    return (await this.#group.volumes(options)).find(({ name }) => !this.#isOurs(name))?.name;
  }

  async space(options: WaitOptions): Promise<{ used: number; total: number }> {
    if (!this.#thin) return this.#group.space(options);
    const { size: total, usedPercent } = await this.#group.volume(this.#thinPool, options);
    return { total, used: Math.round((total * (usedPercent || 0)) / 100) };
  }

  get #wantedSize(): number {
    return parseSize(this.#pool.config['volume.size'] || '0') || defaultVolumeSize;
  }

  get #filesystemTag(): string {
    return `fs_${filesystemOf(this.#pool.config)}`;
  }

  async list(options: WaitOptions): Promise<StoredVolume[]> {
    return (await this.#group.volumes(options)).flatMap((found): StoredVolume[] => {
      const { name, size: bytes, tags, extent, readonly, active } = found;
      const volume = volumeOfLv(name);
      if (!volume) return [];
      if (volume.block) return [{ volume, within: false, readonly, open: active }];
      const made = tags.find((tag) => tag.startsWith('fs_')) ?? this.#filesystemTag;
      const wanted = Math.ceil(this.#wantedSize / extent) * extent;
      const stale = volume.type === 'image' && (bytes !== wanted || made !== this.#filesystemTag);
      return [{ volume, within: false, readonly, ...(stale ? { stale } : {}) }];
    });
  }

  async #makeLv(name: string, bytes: number, more: readonly string[], options: WaitOptions): Promise<void> {
    const flags = ['--yes', '--wipesignatures', 'y', '--name', name, ...more];
    const where = this.#thin
      ? ['--virtualsize', `${bytes}b`, '--thinpool', this.#thinPool]
      : ['--size', `${bytes}b`, ...this.#stripes()];
    await this.#group.run(['lvcreate', ...flags, ...where, '--', this.#group.name], options);
  }

  async #resize(name: string, bytes: number, options: WaitOptions): Promise<void> {
    const flags = ['--yes', '--force', '--size', `${bytes}b`];
    await this.#group.run(['lvresize', ...flags, '--', `${this.#group.name}/${name}`], options);
  }

  readonly blocks: BlockStore = {
    make: async (volume, bytes, options) => {
      const name = lvName(volume);
      await this.#makeLv(name, Math.max(1, bytes), [], options);
      // It has what others have left on the disk.
      if (!this.#thin) await this.#host.run(['blkdiscard', '--zeroout', this.#group.device(name)], options);
    },
    open: ({ volume }, options) => this.#group.activate(lvName(volume), options),
    close: (volume, options) => this.#group.deactivate(lvName(volume), options),
    size: async ({ volume }, options) => (await this.#group.volume(lvName(volume), options)).size,
    grow: async ({ volume }, bytes, options) => {
      const name = lvName(volume);
      const { size: is, extent } = await this.#group.volume(name, options);
      const wanted = Math.ceil(bytes / extent) * extent;
      if (wanted < is) throw cannotShrink();
      if (wanted > is) await this.#resize(name, wanted, options);
    },
  };

  async make(volume: VolumeRef, like: StoredVolume | undefined, options: WaitOptions): Promise<void> {
    const name = lvName(volume);
    const bytes = like ? (await this.#group.volume(lvName(like.volume), options)).size : this.#wantedSize;
    await this.#makeLv(name, bytes, ['--addtag', this.#filesystemTag], options);
    // It is active from the first, and stays so until it has been filled.
    await this.#filesystem.make(this.#group.device(name), this.#thin, options);
  }

  clones(): boolean {
    return this.#thin;
  }

  async clone(from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    const origin = `${this.#group.name}/${lvName(from.volume)}`;
    const flags = ['--yes', '--snapshot', '--name', lvName(to)];
    await this.#group.run(['lvcreate', ...flags, '--', origin], options);
  }

  async rename(from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void> {
    const names = [lvName(from.volume), lvName(to)];
    await this.#group.run(['lvrename', '--', this.#group.name, ...names], options);
  }

  async remove({ volume }: StoredVolume, options: WaitOptions): Promise<void> {
    await this.#group.run(['lvremove', '--yes', '--', `${this.#group.name}/${lvName(volume)}`], options);
  }

  async attach(
    { volume, readonly: still = false }: StoredVolume,
    target: string,
    options: WaitOptions,
  ): Promise<void> {
    const device = await this.#group.activate(lvName(volume), options);
    // A snapshot that LXD has made cannot be written to; LVM lets the filesystem stand still while it makes one.
    const readonly = still || volume.snapshot !== undefined;
    await this.#filesystem.mount(device, target, { readonly, still }, options);
  }

  async detach(volume: VolumeRef, target: string, options: WaitOptions): Promise<void> {
    await this.#host.unmount(target, options);
    await this.#group.deactivate(lvName(volume), options);
  }

  async usage(
    { volume }: StoredVolume,
    mounted: string | undefined,
    options: WaitOptions,
  ): Promise<number | undefined> {
    if (mounted !== undefined) return (await this.#host.statfs(mounted)).used;
    if (!this.#thin) return undefined;
    // The kernel tells it, of those that it has.
    const name = lvName(volume);
    const found = () => this.#group.volume(name, options);
    const { active } = await found();
    const { size: bytes, usedPercent } = await (active ? found() : this.#group.during(name, found, options));
    return Math.round((bytes * (usedPercent || 0)) / 100);
  }

  async limit(
    { volume }: StoredVolume,
    bytes: number | undefined,
    use: Mounted,
    options: WaitOptions,
  ): Promise<void> {
    // A volume has a size always: without a limit it keeps the one that it has.
    if (bytes === undefined) return;
    const name = lvName(volume);
    const { size: is, extent } = await this.#group.volume(name, options);
    const resize = (to: number) => this.#resize(name, to, options);
    const device = {
      path: () => Promise.resolve(this.#group.device(name)),
      active: <T>(work: (path: string) => Promise<T>) =>
        use.inUse ? work(this.#group.device(name)) : this.#group.during(name, work, options),
      resize,
    };
    const wanted = Math.ceil(bytes / extent) * extent;
    await this.#filesystem.resize({ is, wanted }, device, use, options);
  }
}

/**
 * Logical volumes of LVM, thin ones unless `lvm.use_thinpool` says otherwise: images are unpacked once, copies and snapshots
 * share what they have in common.
 */
export const lvm: StorageDriver = {
  type: 'lvm',
  schema,
  capabilities: {
    optimizedImages: true,
    optimizedCopy: true,
    quotas: true,
    remote: false,
    blockVolumes: 'devices',
  },
  probe: async (host, options) => {
    const found = await lvmVersion(host, options);
    return 'version' in found ? found.version : undefined;
  },
  open: (pool, context) => new StoredPool(pool, context, (spec, of) => new LvmStore(spec, of)),
};
