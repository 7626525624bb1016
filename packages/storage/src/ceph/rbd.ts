import { LxdError, type Config } from '@lxd-ts/core';
import type { ExecResult, Host } from '@lxd-ts/host';
import type { WaitOptions } from '../driver.ts';

export interface RbdImage {
  name: string;
  /** Bytes. */
  size: number;
  snapshots: string[];
  parent: { image: string; snapshot: string } | undefined;
}

interface ListedImage {
  image: string;
  size: number;
  snapshot?: string;
  parent?: { pool: string; image: string; snapshot: string };
}

interface Mapped {
  pool: string;
  name: string;
  snap: string;
  device: string;
}

/** An OSD pool, by the tools of Ceph. */
export class Rbd {
  readonly pool: string;
  readonly #host: Host;
  readonly #cluster: string;
  readonly #user: string;

  constructor(host: Host, pool: string, config: Config) {
    this.#host = host;
    this.pool = pool;
    this.#cluster = config['ceph.cluster_name'] || 'ceph';
    this.#user = config['ceph.user.name'] || 'admin';
  }

  ceph(args: readonly string[], { signal }: WaitOptions, allowFailure = false): Promise<ExecResult> {
    const argv = ['ceph', '--name', `client.${this.#user}`, '--cluster', this.#cluster, ...args] as const;
    return this.#host.run(argv, { signal, allowFailure });
  }

  /** Of images that are named with their pool, or of devices. Times are told in UTC. */
  runAny(args: readonly string[], { signal }: WaitOptions, allowFailure = false): Promise<ExecResult> {
    const argv = ['rbd', '--id', this.#user, '--cluster', this.#cluster, ...args] as const;
    return this.#host.run(argv, { signal, allowFailure, env: { TZ: 'UTC' } });
  }

  /** In this OSD pool. */
  run(args: readonly string[], options: WaitOptions, allowFailure = false): Promise<ExecResult> {
    return this.runAny(['--pool', this.pool, ...args], options, allowFailure);
  }

  async json<T>(args: readonly string[], options: WaitOptions): Promise<T> {
    return JSON.parse((await this.run(['--format', 'json', ...args], options)).stdout) as T;
  }

  /** Whether the OSD pool is there; its status is that of `ENOENT` when it is not. */
  async exists(options: WaitOptions): Promise<boolean> {
    const { status, stderr } = await this.ceph(['osd', 'pool', 'get', this.pool, 'size'], options, true);
    if (status !== 0 && status !== 2) throw new LxdError('internal', `ceph failed: ${stderr.trim()}`);
    return status === 0;
  }

  async images(options: WaitOptions): Promise<RbdImage[]> {
    const rows = await this.json<ListedImage[]>(['ls', '--long'], options);
    return rows
      .filter(({ snapshot }) => snapshot === undefined)
      .map(({ image, size, parent }) => ({
        name: image,
        size,
        snapshots: rows.flatMap((row) =>
          row.image === image && row.snapshot !== undefined ? [row.snapshot] : [],
        ),
        parent: parent?.pool === this.pool ? { image: parent.image, snapshot: parent.snapshot } : undefined,
      }));
  }

  /** Where it is mapped on this machine. */
  async deviceOf(image: string, options: WaitOptions): Promise<string | undefined> {
    return (await this.mapped(options)).find(({ name, snap }) => name === image && snap === '-')?.device;
  }

  async mapped(options: WaitOptions): Promise<Mapped[]> {
    const { stdout } = await this.runAny(['--format', 'json', 'showmapped'], options);
    return (JSON.parse(stdout) as Mapped[]).filter(({ pool }) => pool === this.pool);
  }

  async map(image: string, options: WaitOptions): Promise<string> {
    const found = await this.deviceOf(image, options);
    if (found !== undefined) return found;
    const { stdout } = await this.run(['map', image], options);
    return stdout.trim();
  }

  async unmap(image: string, options: WaitOptions): Promise<void> {
    const device = await this.deviceOf(image, options);
    if (device !== undefined) await this.runAny(['unmap', device], options);
  }

  /** Its device is there meanwhile. */
  async during<T>(image: string, work: (device: string) => Promise<T>, options: WaitOptions): Promise<T> {
    const device = await this.map(image, options);
    try {
      return await work(device);
    } finally {
      await this.unmap(image, { signal: AbortSignal.timeout(60_000) });
    }
  }
}
