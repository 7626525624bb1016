import type { Config, ConfigSchema, PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';

export interface StorageContext {
  host: Host;
  /** The daemon's directory; pools are mounted on `<dir>/storage-pools/<pool>`, loop files are `<dir>/disks/<pool>.img`. */
  dir: string;
}

export interface WaitOptions {
  signal: AbortSignal;
  onProgress?: (progress: Record<string, string>) => void;
}

export interface VolumeRef {
  type: 'container' | 'custom' | 'image';
  project: string;
  /** An image's is its fingerprint. */
  name: string;
  /** Of a snapshot of the volume: its name. */
  snapshot?: string;
}

/** Fills an empty directory, e.g. by unpacking an image. Called at most once per volume. */
export type Fill = (directory: string, options: WaitOptions) => Promise<void>;

export interface MountOptions extends WaitOptions {
  /** It may be anybody's: nothing in it is made or removed. */
  asFound?: boolean;
}

export interface CopyOptions extends WaitOptions {
  /** The source is written to. Whoever cannot copy it at one moment lets it stand still with this, for the last of the work only. */
  still?: (work: () => Promise<void>) => Promise<void>;
}

/** An opened pool. All calls are idempotent. Paths of volumes follow LXD's layout. */
export interface StoragePool {
  readonly path: string;
  /** Makes the pool (file, filesystem, directories) and mounts it; returns its configuration with every default written down. */
  create(options: WaitOptions): Promise<Config>;
  /** Refuses (`conflict`) while volumes are in it. Removes what `create` made; a directory the user gave is emptied, not removed. */
  delete(options: WaitOptions): Promise<void>;
  mount(options: MountOptions): Promise<void>;
  unmount(options: WaitOptions): Promise<void>;
  update(after: Config, options: WaitOptions): Promise<void>;

  /** Where the volume's files are while the pool is mounted. */
  volumePath(volume: VolumeRef): string;
  volumes(type: VolumeRef['type']): Promise<VolumeRef[]>;
  /** Names of the volume's snapshots. */
  snapshots(volume: VolumeRef): Promise<string[]>;
  exists(volume: VolumeRef): Promise<boolean>;
  createVolume(volume: VolumeRef, fill: Fill | undefined, options: WaitOptions): Promise<void>;
  /** From the unpacked image in this pool where the driver is `optimizedImages` (unpacked once, by `fill`), else by `fill`. */
  createFromImage(volume: VolumeRef, fingerprint: string, fill: Fill, options: WaitOptions): Promise<void>;
  /** From a volume or a snapshot of this pool, without its snapshots. What is copied to a snapshot cannot be written to. */
  copyVolume(from: VolumeRef, to: VolumeRef, options: CopyOptions): Promise<void>;
  /** `to`, which nobody may use meanwhile, becomes what `from` is; its snapshots stay. After a crash the same call finishes it. */
  replaceVolume(from: VolumeRef, to: VolumeRef, options: CopyOptions): Promise<void>;
  /** With its snapshots. A snapshot keeps its volume. */
  renameVolume(from: VolumeRef, to: VolumeRef, options: WaitOptions): Promise<void>;
  /** With its snapshots. Gone already: nothing done. */
  deleteVolume(volume: VolumeRef, options: WaitOptions): Promise<void>;
  /** Bytes used by the volume; undefined where the pool cannot tell. */
  volumeUsage(volume: VolumeRef, options: WaitOptions): Promise<number | undefined>;
  /** Limit in bytes; undefined: none. `unsupported` where the pool cannot. */
  setQuota(volume: VolumeRef, bytes: number | undefined, options: WaitOptions): Promise<void>;
}

/** Data, so that nobody has to try and fail. */
export interface StorageCapabilities {
  optimizedImages: boolean;
  optimizedCopy: boolean;
  quotas: boolean;
  remote: boolean;
}

/** One file exports one of these; one line registers it. */
export interface StorageDriver {
  type: string;
  schema: ConfigSchema;
  capabilities: StorageCapabilities;
  /** Version of its tools; undefined when this host cannot run it. */
  probe(host: Host, options: { signal: AbortSignal }): Promise<string | undefined>;
  open(pool: PoolSpec, context: StorageContext): StoragePool;
}
