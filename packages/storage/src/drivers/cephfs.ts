import { randomUUID } from 'node:crypto';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  isTrue,
  LxdError,
  Undo,
  validators,
  type Config,
  type ConfigSchema,
  type PoolSpec,
} from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import { clusterKey, sharedSource, userKey } from '../ceph/ceph-schema.ts';
import { DirectoryPool } from '../directory-pool.ts';
import type {
  CopyOptions,
  Fill,
  StorageContext,
  StorageDriver,
  VolumeRef,
  WaitOptions,
  MountOptions,
} from '../driver.ts';
import { dropEmptyParents, dropParent, listPartials, makeParent, volumeName } from '../layout.ts';
import { commonSchema } from '../schema.ts';
import { copyTree } from '../copy-tree.ts';

const schema: ConfigSchema = {
  ...commonSchema,
  source: sharedSource,
  'cephfs.cluster_name': clusterKey(),
  'cephfs.user.name': userKey(),
  'cephfs.path': { check: validators.any, description: 'Directory of the filesystem', default: '/' },
  'cephfs.fscache': {
    check: validators.bool,
    description: "Whether the kernel's fscache is used",
    default: 'false',
    live: true,
  },
  'cephfs.claim': {
    check: validators.any,
    description: 'What is written in the directory, by which members know that it is theirs',
  },
  'volatile.pool.pristine': {
    check: validators.any,
    description: 'Whether the directory was empty when the pool was made',
    memberSpecific: true,
  },
};

const directories = ['custom', 'custom-snapshots'] as const;
/** Snapshots stay where they are. */
const notKept = ['--exclude=/.snap'];
const claimFile = '.lxd-ts-claim';
const probeKind = (path: string) => lstat(path).catch(() => undefined);
/** What has not been touched for so long was left by a crash, of this member or another. */
const abandonedMs = 24 * 60 * 60 * 1000;

class CephfsPool extends DirectoryPool {
  readonly #context: StorageContext;

  constructor(pool: PoolSpec, context: StorageContext) {
    super(pool, context);
    this.#context = context;
  }

  /** The filesystem, and the directory of it: `cephfs/some/where`. */
  get #at(): { filesystem: string; directory: string } {
    const [filesystem = '', ...parts] = (this.pool.config['source'] ?? '').split('/');
    return { filesystem, directory: `/${parts.filter(Boolean).join('/')}` };
  }

  /** Its tools read the cluster's configuration and the user's key by themselves: no secret is told to anybody. */
  async #mountAt(directory: string, target: string, { signal }: WaitOptions): Promise<void> {
    const { config } = this.pool;
    const options = [
      `name=${config['cephfs.user.name'] || 'admin'}`,
      `conf=/etc/ceph/${config['cephfs.cluster_name'] || 'ceph'}.conf`,
      `fs=${this.#at.filesystem}`,
      ...(isTrue(config['cephfs.fscache']) ? ['fsc'] : []),
    ];
    await this.host.mount({ source: `:${directory}`, target, fsType: 'ceph', options }, { signal });
  }

  override async create(options: WaitOptions): Promise<Config> {
    const { config } = this.pool;
    const { filesystem, directory } = this.#at;
    if (!(await versionOf(this.host, options)))
      throw new LxdError('unsupported', "Required tool 'ceph' is missing");
    if (filesystem === '') throw new LxdError('invalid', 'Missing required source name/path');
    if (config['cephfs.path'] && config['cephfs.path'] !== directory)
      throw new LxdError('invalid', 'cephfs.path must match the source');
    const named: Config = {
      ...config,
      'cephfs.cluster_name': config['cephfs.cluster_name'] || 'ceph',
      'cephfs.user.name': config['cephfs.user.name'] || 'admin',
      'cephfs.path': directory,
      'volatile.pool.pristine': 'true',
    };
    const who = [
      '--name',
      `client.${named['cephfs.user.name']}`,
      '--cluster',
      `${named['cephfs.cluster_name']}`,
    ];
    const found = await this.host.run(['ceph', ...who, 'fs', 'get', filesystem], {
      signal: options.signal,
      allowFailure: true,
    });
    if (found.status !== 0)
      throw new LxdError(
        'invalid',
        `The requested '${filesystem}' CEPHFS doesn't exist: ${found.stderr.trim()}`,
      );
    await this.#atTop(options, (top) => mkdir(join(top, directory), { recursive: true, mode: 0o711 }));
    await using undo = new Undo();
    const whole = new CephfsPool({ ...this.pool, config: named }, this.#context);
    undo.push(() => rmdir(this.path));
    undo.push(() => whole.unmount({ signal: AbortSignal.timeout(60_000) }));
    await whole.#attach(options);
    // Another member may have made it.
    const claim = config['cephfs.claim'] || randomUUID();
    if (!(await this.#isClaimedBy(claim))) {
      if ((await readdir(this.path)).length > 0)
        throw new LxdError('invalid', 'Only empty CEPHFS paths can be used as a LXD storage pool');
      await writeFile(join(this.path, claimFile), `${claim}\n`, { mode: 0o600 });
      undo.push(() => rm(join(this.path, claimFile), { force: true }));
    }
    await whole.mount(options);
    undo.disarm();
    return { ...named, 'cephfs.claim': claim };
  }

  /** The whole filesystem is mounted meanwhile. */
  async #atTop(options: WaitOptions, work: (top: string) => Promise<unknown>): Promise<void> {
    const top = await mkdtemp(join(tmpdir(), 'lxd-ts-cephfs-'));
    await using undo = new Undo();
    undo.push(() => rmdir(top));
    undo.push(() => this.host.unmount(top, { signal: AbortSignal.timeout(60_000) }));
    await this.#mountAt('/', top, options);
    await work(top);
  }

  async #isClaimedBy(claim: string | undefined): Promise<boolean> {
    const found = await readFile(join(this.path, claimFile), 'utf8').catch(() => '');
    return found !== '' && found.trim() === claim;
  }

  override async delete(options: WaitOptions): Promise<void> {
    const claim = this.pool.config['cephfs.claim'];
    // One that was refused, or never made, is not this pool's.
    if (claim) await this.#attach(options);
    if (await this.#isClaimedBy(claim)) {
      const [used] = await this.volumes('custom');
      if (used)
        throw new LxdError('conflict', `Storage pool "${this.pool.name}" is not empty: ${volumeName(used)}`);
      for (const name of directories) await rm(join(this.path, name), { recursive: true, force: true });
      await rm(join(this.path, claimFile), { force: true });
    }
    await this.unmount(options);
    if (await probeKind(this.path)) await rmdir(this.path);
  }

  async #attach(options: WaitOptions): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o711 });
    const mounted = (await this.host.mounts()).some(({ target }) => target === this.path);
    if (!mounted) await this.#mountAt(this.#at.directory, this.path, options);
  }

  override async mount(options: MountOptions): Promise<void> {
    await this.#attach(options);
    if (options.asFound) return;
    for (const name of directories) await mkdir(join(this.path, name), { recursive: true, mode: 0o711 });
    for (const left of await listPartials(this.path)) {
      const { ctimeMs = Date.now() } = (await probeKind(left)) ?? {};
      if (Date.now() - ctimeMs > abandonedMs) await this.removeTree(left, options.signal);
    }
    await dropEmptyParents(this.path);
  }

  override unmount({ signal }: WaitOptions): Promise<void> {
    return this.host.unmount(this.path, { signal });
  }

  override async update(after: Config): Promise<void> {
    if ((after['source'] ?? '') !== (this.pool.config['source'] ?? ''))
      throw new LxdError('invalid', 'The pool\'s "source" cannot be changed');
    await Promise.resolve();
  }

  #customOnly(volume: VolumeRef): void {
    if (volume.type !== 'custom')
      throw new LxdError(
        'unsupported',
        `Storage pool "${this.pool.name}" (cephfs) holds custom volumes only, no instances`,
      );
  }

  override async createVolume(
    volume: VolumeRef,
    fill: Fill | undefined,
    options: WaitOptions,
  ): Promise<void> {
    this.#customOnly(volume);
    await super.createVolume(volume, fill, options);
  }

  override createBlock(): Promise<void> {
    return Promise.reject(
      new LxdError(
        'unsupported',
        `Storage pool "${this.pool.name}" (cephfs) has no volumes of content type "block"`,
      ),
    );
  }

  /** In the directory itself, where the cluster keeps its snapshots. */
  #kept({ snapshot = '', ...volume }: VolumeRef): string {
    return join(this.volumePath(volume), '.snap', snapshot);
  }

  /** Beside its volume is a link to it, by which it is found. */
  async #isLinked(volume: VolumeRef): Promise<boolean> {
    return (
      volume.snapshot !== undefined && (await probeKind(this.volumePath(volume)))?.isSymbolicLink() === true
    );
  }

  async #link(snapshot: VolumeRef): Promise<void> {
    const { snapshot: name = '', ...volume } = snapshot;
    await makeParent(this.path, snapshot);
    await symlink(join('../../custom', volumeName(volume), '.snap', name), this.volumePath(snapshot));
  }

  async #tool(program: string, args: readonly string[], { signal }: WaitOptions): Promise<void> {
    await this.host.run([program, '--', ...args], { signal });
  }

  override async copyVolume(from: VolumeRef, to: VolumeRef, { still, signal }: CopyOptions): Promise<void> {
    this.#customOnly(to);
    signal.throwIfAborted();
    if (await this.exists(to)) return;
    const { snapshot, ...volume } = to;
    if (snapshot !== undefined && this.volumePath(from) === this.volumePath(volume)) {
      // One without a link was cut off.
      if (await probeKind(this.#kept(to))) await this.#tool('rmdir', [this.#kept(to)], { signal });
      await this.#tool('mkdir', [this.#kept(to)], { signal });
      await this.#link(to);
      return;
    }
    const copy: Fill = (path) =>
      copyTree(this.host, this.volumePath(from), path, { signal, ...(still ? { still } : {}) }, notKept);
    await this.createVolume(to, copy, { signal });
  }

  override async replaceVolume(from: VolumeRef, to: VolumeRef, options: CopyOptions): Promise<void> {
    // Its snapshots are in its directory: that stays, and its files change. Cut off, the same call goes on with it.
    if (await this.exists(to))
      await copyTree(this.host, this.volumePath(from), this.volumePath(to), options, notKept);
    else await this.copyVolume(from, to, options);
  }

  override async renameVolume(from: VolumeRef, to: VolumeRef, options: WaitOptions): Promise<void> {
    // Cut off, the same call goes on with it: the link was made anew, and the old one stayed.
    const begun =
      from.snapshot !== undefined &&
      (await this.#isLinked(from)) &&
      !(await probeKind(this.#kept(from))) &&
      (await probeKind(this.#kept(to))) !== undefined;
    if (!begun && (await this.exists(to)))
      throw new LxdError('conflict', `Volume "${to.snapshot ?? volumeName(to)}" exists already`);
    if (from.snapshot !== undefined) {
      if (await this.#isLinked(from)) {
        if (!begun) await this.#tool('mv', [this.#kept(from), this.#kept(to)], options);
        if (!(await this.exists(to))) await this.#link(to);
        await rm(this.volumePath(from));
      } else await rename(this.volumePath(from), this.volumePath(to));
      return;
    }
    // Links first: they lead to nothing until the directory has its new name, and lead there however this ends.
    for (const name of await this.snapshots(from)) {
      const [old, next] = [from, to].map((volume) => ({ ...volume, snapshot: name })) as [
        VolumeRef,
        VolumeRef,
      ];
      const linked = await this.#isLinked(old);
      if (linked && !(await this.exists(next))) await this.#link(next);
      if (linked) await rm(this.volumePath(old));
      else {
        await makeParent(this.path, next);
        await rename(this.volumePath(old), this.volumePath(next));
      }
    }
    await dropParent(this.path, from);
    await rename(this.volumePath(from), this.volumePath(to));
  }

  protected override async deleteOne(volume: VolumeRef, options: WaitOptions): Promise<void> {
    if (!(await this.#isLinked(volume))) return super.deleteOne(volume, options);
    const path = this.volumePath(volume);
    if (await stat(path).catch(() => undefined)) await this.#tool('rmdir', [this.#kept(volume)], options);
    await rm(path);
  }

  /** What has snapshots cannot go. */
  protected override async removeTree(path: string, signal: AbortSignal): Promise<void> {
    if (!(await probeKind(path))) return;
    const kept = join(path, '.snap');
    for (const name of await readdir(kept).catch(() => [])) {
      // Those of a directory above are seen in here, too, under names of their own.
      if (!name.startsWith('_')) await this.#tool('rmdir', [join(kept, name)], { signal });
    }
    await super.removeTree(path, signal);
  }

  override async volumeUsage(volume: VolumeRef, { signal }: WaitOptions): Promise<number | undefined> {
    const argv = [
      'getfattr',
      '--only-values',
      '-n',
      'ceph.dir.rbytes',
      '--',
      this.volumePath(volume),
    ] as const;
    const { status, stdout } = await this.host.run(argv, { signal, allowFailure: true });
    return status === 0 ? Number(stdout) : undefined;
  }

  override async setQuota(
    volume: VolumeRef,
    bytes: number | undefined,
    { signal }: WaitOptions,
  ): Promise<void> {
    const limit = String(bytes ?? 0);
    const path = this.volumePath(volume);
    await this.host.run(['setfattr', '-n', 'ceph.quota.max_bytes', '-v', limit, '--', path], { signal });
  }
}

async function versionOf(host: Host, { signal }: WaitOptions): Promise<string | undefined> {
  const found = await host.run(['ceph', '--version'], { signal, allowFailure: true }).catch(() => undefined);
  return /ceph version (\S+)/.exec(found?.stdout ?? '')?.[1];
}

/**
 * A directory of CephFS, the same on every member: custom volumes only. Snapshots are the cluster's own. Unproven: it has only
 * run on simulated tools.
 */
export const cephfs: StorageDriver = {
  type: 'cephfs',
  schema,
  capabilities: {
    optimizedImages: false,
    optimizedCopy: false,
    quotas: true,
    remote: true,
    blockVolumes: false,
  },
  probe: versionOf,
  open: (pool, context) => new CephfsPool(pool, context),
};
