import type { Config, ConfigSchema, IdmapEntry, PoolSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';

export interface StorageContext {
  host: Host;
  /** The daemon's directory; pools are mounted on `<dir>/storage-pools/<pool>`, loop files are `<dir>/disks/<pool>.img`. */
  dir: string;
  /** The program that mounts layers, of drivers that have some. */
  overlayProgram: string;
  /** The program that limits directories. */
  quotaProgram: string;
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
  /** Of content type `block`: bytes, with no filesystem of the pool's on them. Only custom volumes are. */
  block?: true;
}

/** Fills an empty directory, e.g. by unpacking an image. Called at most once per volume. */
export type Fill = (directory: string, options: WaitOptions) => Promise<void>;

/** Fills the bytes of a volume of content type `block`: a file, or a device, that is as large as it was to be and reads zeros. */
export type FillBlock = (image: string, options: WaitOptions) => Promise<void>;

export interface CopyOptions extends WaitOptions {
  /** The source is written to. Whoever cannot copy it at one moment lets it stand still with this, for the last of the work only. */
  still?: (work: () => Promise<void>) => Promise<void>;
}

export interface MountOptions extends WaitOptions {
  /**
   * Held since before this process, where they are mounted at all. What else of the pool's volumes is mounted and used by
   * nobody here was left by a crash: it is unmounted.
   */
  held?: readonly VolumeRef[];
  /** It may be anybody's: nothing in it is made or removed. */
  asFound?: boolean;
}

export interface UseOptions extends WaitOptions {
  /** Nothing will be written; others may use it, and it may run. Without it nobody else uses it meanwhile. */
  readonly?: boolean;
  /** Of an instance only what lies beside its root (its metadata and templates), whoever uses the root and however. */
  besideRoot?: boolean;
  /** Owners are to be seen by this map; whoever asks maps them, unless the driver says that they are `mapped`. */
  idmap?: readonly IdmapEntry[];
}

/** Ends with its disposal. */
export interface VolumeUse extends AsyncDisposable {
  /** Where the volume's files are: at `volumePath`, or elsewhere while something else is there. */
  readonly path: string;
  /** The owners seen are those of the map that was asked for; else those inside. */
  readonly mapped: boolean;
  /** Of one of content type `block`: the file, or the device, that is its bytes. */
  readonly image?: string;
}

/** An opened pool. All calls are idempotent. Paths of volumes follow LXD's layout. */
export interface StoragePool {
  readonly path: string;
  /** Makes the pool (file, filesystem, directories) and mounts it; returns its configuration with every default written down. */
  create(options: WaitOptions): Promise<Config>;
  /** Refuses (`conflict`) while volumes are in it. Removes what `create` made; a directory the user gave is emptied, not removed. */
  delete(options: WaitOptions): Promise<void>;
  mount(options: MountOptions): Promise<void>;
  /** With what is mounted of its volumes. */
  unmount(options: WaitOptions): Promise<void>;
  update(after: Config, options: WaitOptions): Promise<void>;
  /** Bytes. Absent: they are those of the filesystem that is mounted on its path. */
  usage?(options: WaitOptions): Promise<{ used: number; total: number }>;

  /** Where the volume's files are while it is used or held. What is done to a volume as a whole needs neither. */
  volumePath(volume: VolumeRef): string;
  /** Has the volume's files there until it is disposed; counted, so that uses may nest. @throws LxdError `not-found` */
  useVolume(volume: VolumeRef, options: UseOptions): Promise<VolumeUse>;
  /**
   * Has them at `volumePath` for an instance that will run on them, or a custom volume for the instances that it is in (no
   * map). Outlives this process; held already: nothing done. `mapped`: they show with the host's ids of the map, so that
   * nobody must shift them again.
   */
  holdVolume(
    volume: VolumeRef,
    idmap: readonly IdmapEntry[],
    options: WaitOptions,
  ): Promise<{ mapped: boolean }>;
  /** Not held, gone, or in a pool that is not mounted: nothing done. What still uses it is not disturbed. */
  releaseVolume(volume: VolumeRef, options: WaitOptions): Promise<void>;
  volumes(type: VolumeRef['type']): Promise<VolumeRef[]>;
  /** Names of the volume's snapshots. */
  snapshots(volume: VolumeRef): Promise<string[]>;
  exists(volume: VolumeRef): Promise<boolean>;
  createVolume(volume: VolumeRef, fill: Fill | undefined, options: WaitOptions): Promise<void>;
  /**
   * One of content type `block`; everything else is the same for those. @param bytes rounded up to what the pool can have
   * @throws LxdError `unsupported` where the driver has no `blockVolumes`
   */
  createBlock(
    volume: VolumeRef,
    bytes: number,
    fill: FillBlock | undefined,
    options: WaitOptions,
  ): Promise<void>;
  /** Bytes of one of content type `block`: how large it is. */
  blockSize(volume: VolumeRef, options: WaitOptions): Promise<number>;
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
  /**
   * Limit in bytes; undefined: none. `unsupported` where the pool cannot. Of content type `block` how large it is, which only
   * grows (else `internal`, as LXD says it); undefined: as it is.
   */
  setQuota(volume: VolumeRef, bytes: number | undefined, options: WaitOptions): Promise<void>;
}

/** Data, so that nobody has to try and fail. */
export interface StorageCapabilities {
  optimizedImages: boolean;
  optimizedCopy: boolean;
  quotas: boolean;
  remote: boolean;
  /** Custom volumes of content type `block`: none, or what has their bytes. */
  blockVolumes: false | 'files' | 'devices';
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
