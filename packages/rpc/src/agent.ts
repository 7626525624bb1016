import type { Duplex, Readable, Writable } from 'node:stream';
import type {
  Config,
  Devices,
  InstanceRef,
  InstanceSpec,
  InstanceStatus,
  NetworkSpec,
  PoolSpec,
  VolumeSpec,
} from '@lxd-ts/core';
import type { BulkTicket } from './bulk.ts';
import type { ImageFile, ImagePart, ReceivedImage } from './images.ts';
import type { InstanceMetadata } from './instance-metadata.ts';
import type { FoundVolume, ShiftedFiles } from './found-volume.ts';
import type { MembershipChange } from './membership-change.ts';
import type { HostInterface, NetworkLease, NetworkState } from './network-state.ts';

/** Every call can be given up; long ones tell how far they are. */
export interface CallOptions {
  signal: AbortSignal;
  /** LXD's progress metadata, e.g. `{ create_instance_from_image_unpack_progress: 'Unpack: 40%' }`. */
  onProgress?: (progress: Record<string, string>) => void;
}

/** What a member is and has. Memory and disk in bytes. */
export interface MemberDescription {
  /** Version of this agent. */
  version: string;
  hostname: string;
  /** Another one after each start of the agent's process. */
  run?: string;
  /** LXD's architecture names, native first: `['x86_64', 'i686']`. */
  architectures: string[];
  kernel: { name: string; version: string; architecture: string; features: Record<string, string> };
  os: { name: string; version: string };
  lxcVersion: string;
  lxcFeatures: Record<string, string>;
  firewall: string;
  storageDrivers: { name: string; version: string; remote: boolean }[];
  networkTypes: string[];
  cpus: number;
  memoryBytes: number;
  memoryFreeBytes: number;
}

/** `created`: the configuration with every default the member chose (size, source, subnets) written down. */
export interface Created {
  config: Config;
}

export interface PoolUsage {
  space: { used: number; total: number };
  inodes: { used: number; total: number };
}

export type InstanceSource =
  | { type: 'image'; fingerprint: string }
  | { type: 'none' }
  | ({ type: 'copy' } & CopySource)
  | ({ type: 'backup' } & BackupSource);

/** What `receiveBackup` took in. */
export interface BackupSource {
  id: string;
  /** The driver of the pool it was made from. */
  backend: string;
  /** Its files are streams of that driver. */
  optimized: boolean;
  /** Oldest first. */
  snapshots: readonly Pick<MigratedSnapshot, 'name' | 'config'>[];
  /** Of the instance, as it was. */
  config: Config;
}

/** A backup of an instance, to be one file of the member it is on. */
export interface BackupRequest {
  /** Names the file. */
  id: string;
  /** Oldest first. */
  snapshots: readonly string[];
  /** LXD's description of the backup; `config` is that of the instance. */
  index: Record<string, unknown> & { config: unknown };
  /** `none`, `gzip`, `zstd`, … */
  compression: string;
  /** Streams of the pool's driver where it has such, instead of files. */
  optimized: boolean;
}

/** What is kept beside an instance's root, to make its records from again. */
export interface InstanceDescription extends InstanceRef {
  /** Its root is in. */
  pool: PoolSpec;
  /** Of `backup.yaml`. */
  content: unknown;
}

/** An image to be made of an instance at rest, or of one of its snapshots. */
export interface PublishRequest {
  /** Of what is written meanwhile. */
  id: string;
  snapshot?: string;
  /** `none`, `gzip`, `zstd`, … */
  compression: string;
  architecture: string;
  /** Seconds since the epoch; `expiresAt` 0: never. */
  createdAt: number;
  expiresAt: number;
  /** Absent: those of the image that it was made from. */
  properties?: Config;
  /** The same files give the same bytes; times end at `epoch`, in seconds. `exclude`: patterns of paths inside. */
  reproducible?: { epoch: number; exclude: readonly string[] };
}

export interface BackupFile {
  size: number;
  /** ISO 8601. */
  modifiedAt: string;
  body: Readable;
}

export interface ReceivedBackup {
  /** LXD's description in it, not checked. */
  index: Record<string, unknown>;
}

/** Another instance on the same member, in any pool, or the same one in another pool; it may run. */
export interface CopySource {
  source: InstanceSpec;
  /** Not what it is now, but what it was then. */
  snapshot?: string;
  /** Those that come along, oldest first. */
  snapshots?: readonly string[];
}

/** A snapshot as it goes along with its instance. Times are ISO 8601; empty: none. */
export interface MigratedSnapshot {
  name: string;
  config: Config;
  devices: Devices;
  profiles: readonly string[];
  ephemeral: boolean;
  stateful: boolean;
  architecture: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
}

export interface MigrationTickets {
  control: BulkTicket;
  filesystem: BulkTicket;
}

/** What a migration speaks on. */
export type MigrationStreams =
  /** Each is one end of a `messageChannel`; whoever has the other passes on to where the other side is. */
  | { kind: 'relayed'; control: Duplex; filesystem: Duplex }
  /** To another member, past the control plane. The member that made the tickets knows its own. */
  | { kind: 'direct'; tickets: MigrationTickets };

export interface SendRequest {
  /** What is sent is the instance as it was in this snapshot of it; then it runs not, and `snapshots` is empty. */
  snapshot?: string;
  /** Oldest first. */
  snapshots: readonly MigratedSnapshot[];
  /** It runs while it is sent. */
  running: boolean;
  /** LXD's description of the instance, its snapshots, pool and profiles: passed to the other side as it is. */
  index: unknown;
}

export interface ReceiveRequest {
  /** An image of this member that it was made from: only what differs is sent where rsync is used. */
  baseImage?: string;
  /** What is there already and is brought up to date; absent: nothing is there. */
  present?: readonly Pick<MigratedSnapshot, 'name' | 'createdAt'>[];
  /** The other side is told of the success at once, not by the caller once it is on record. */
  confirm: boolean;
}

export interface ReceivedInstance {
  /** Those that came, oldest first. */
  snapshots: MigratedSnapshot[];
  /** Names of those that were there and are no more. */
  gone: string[];
  /** `SendRequest.index` of the other side; null when it has none. */
  index: unknown;
}

/** Changes to the instance's `volatile.*` keys that the caller commits; null removes one. */
export interface Outcome {
  volatile: Record<string, string | null>;
}

export interface StopRequest {
  force: boolean;
  /** Clean shutdown waits this long; -1: for ever. */
  timeoutMs: number;
}

export interface ExecCommand {
  command: readonly string[];
  environment: Config;
  /** As seen inside. */
  user: number;
  group: number;
  cwd: string;
  /** A terminal of this size, or three pipes. */
  terminal?: { columns: number; rows: number };
  /** Output goes to files of the instance's log directory with these names instead of streams; stdin is empty. */
  record?: { stdout: string; stderr: string };
}

/** Disposing kills what still runs. */
export interface ExecSession extends AsyncDisposable {
  pipes?: { stdin: Writable; stdout: Readable; stderr: Readable };
  terminal?: Duplex;
  /** 128 + n when signal n killed it. */
  exited: Promise<number>;
  signal(signal: number): void;
  resize(columns: number, rows: number): void;
}

export interface TerminalSession extends AsyncDisposable {
  terminal: Duplex;
  resize(columns: number, rows: number): void;
}

/** LXD's InstanceState in our own spelling; usages in bytes, CPU in nanoseconds. */
export interface InstanceStateReport {
  status: InstanceStatus;
  pid: number;
  processes: number;
  cpuNanoseconds: number;
  memory: { usage: number; usagePeak: number; swapUsage: number; swapUsagePeak: number; total: number };
  /** Device name → bytes; absent where the pool cannot tell. */
  disk: Record<string, { usage: number; total: number }>;
  /** Name inside → state and name on the host. Null when it does not run. */
  network: Record<string, NetworkState & { hostName: string }> | null;
}

export interface ObservedInstance extends InstanceRef {
  status: InstanceStatus;
  pid: number;
  message?: string;
}

/** What an agent tells by itself. The first one after connecting is `all`. */
export type Observation =
  | { kind: 'all'; instances: ObservedInstance[] }
  /**
   * `cause` when it ended without anybody asking through us. `volatile`: what a reboot changed of `volatile.*`, as in
   * `Outcome`.
   */
  | {
      kind: 'instance';
      instance: ObservedInstance;
      cause?: 'shutdown' | 'reboot' | 'started';
      volatile?: Outcome['volatile'];
    };

export interface LogFile {
  name: string;
  size: number;
}

/**
 * One member's agent. Same object in process; over gRPC elsewhere. It keeps no records: whatever it needs
 * is in the call. Every change is idempotent: a repeated call finds the work done. All errors are LxdError.
 */
export interface Agent {
  describe(options: CallOptions): Promise<MemberDescription>;
  /** LXD's Resources: processors, memory, system. */
  resources(options: CallOptions): Promise<Record<string, unknown>>;
  /**
   * Puts pools and networks (mounts, bridges, dnsmasq, firewall) right after a start of the machine or the daemon, and
   * what runs in line with its specification: after a time away it may have changed.
   */
  restore(
    what: { pools: PoolSpec[]; networks: NetworkSpec[]; instances?: InstanceSpec[] },
    options: CallOptions,
  ): Promise<void>;

  /** Before the machine goes down, with nothing running any more: networks are stopped, pools unmounted. */
  release(what: { pools: PoolSpec[]; networks: NetworkSpec[] }, options: CallOptions): Promise<void>;

  createPool(pool: PoolSpec, options: CallOptions): Promise<Created>;
  updatePool(before: PoolSpec, after: PoolSpec, options: CallOptions): Promise<void>;
  deletePool(pool: PoolSpec, options: CallOptions): Promise<void>;
  poolUsage(pool: PoolSpec, options: CallOptions): Promise<PoolUsage>;

  /** What is in a pool that may not be on record; nothing in it changes. */
  scanPool(pool: PoolSpec, options: CallOptions): Promise<FoundVolume[]>;
  /** An instance that was found in a pool has its place here from now on, and its files the owners that are seen inside. */
  adoptInstance(spec: InstanceSpec, shifted: readonly ShiftedFiles[], options: CallOptions): Promise<void>;

  /** A custom volume with nothing in it; one of content type `block` reads zeros. This and what follows may be done twice. */
  createVolume(volume: VolumeSpec, options: CallOptions): Promise<void>;
  /** The volume, or snapshot, becomes what `from` is, which may be in another pool; with these of its snapshots. */
  copyVolume(
    from: VolumeSpec,
    to: VolumeSpec,
    snapshots: readonly string[],
    options: CallOptions,
  ): Promise<void>;
  restoreVolume(volume: VolumeSpec, snapshot: string, options: CallOptions): Promise<void>;
  /** With its snapshots; or one snapshot. */
  renameVolume(from: VolumeSpec, to: VolumeSpec, options: CallOptions): Promise<void>;
  deleteVolume(volume: VolumeSpec, options: CallOptions): Promise<void>;
  /** The source of a migration; resolves when the other side has everything. */
  sendVolume(
    volume: VolumeSpec,
    request: Omit<SendRequest, 'running'>,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<void>;
  /**
   * The sink: files and snapshots are at their places on return, or nothing is.
   * @param idmap how files on the other server are shifted, as LXD's `volatile.idmap.last`; '': not at all
   */
  receiveVolume(
    volume: VolumeSpec,
    request: { confirm: boolean; idmap: string } & Pick<ReceiveRequest, 'present'>,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<Pick<ReceivedInstance, 'snapshots' | 'gone'>>;
  /** @param bytes null: as many as the pool has */
  limitVolume(volume: VolumeSpec, bytes: number | null, options: CallOptions): Promise<void>;
  /** Bytes of one of content type `block`: how large it is. */
  volumeSize(volume: VolumeSpec, options: CallOptions): Promise<number>;
  /** Bytes; null where the pool cannot tell. */
  volumeUsage(volume: VolumeSpec, options: CallOptions): Promise<number | null>;

  createNetwork(network: NetworkSpec, options: CallOptions): Promise<Created>;
  updateNetwork(before: NetworkSpec, after: NetworkSpec, options: CallOptions): Promise<void>;
  deleteNetwork(network: NetworkSpec, options: CallOptions): Promise<void>;
  networkState(name: string, options: CallOptions): Promise<NetworkState>;
  networkLeases(network: NetworkSpec, options: CallOptions): Promise<NetworkLease[]>;
  hostInterfaces(options: CallOptions): Promise<HostInterface[]>;

  /**
   * Stores and verifies; `expected` is compared with the fingerprint. Known already: the upload is dropped, same answer.
   * `precondition-failed`: of an image of an OCI registry a blob was there before, and is no more.
   */
  receiveImage(
    parts: AsyncIterable<ImagePart>,
    options: CallOptions & { expected?: string },
  ): Promise<ReceivedImage>;
  /** Those of these blobs (`sha256:…`) that the member does not have. */
  missingBlobs(digests: readonly string[], options: CallOptions): Promise<string[]>;
  /** Its files in order: unified, or metadata then rootfs, or manifest then blobs. */
  sendImage(fingerprint: string, options: CallOptions): Promise<ImageFile[]>;
  /** Fingerprints of the images whose files have been on the member for at least so long. */
  heldImages(ageMs: number, options: CallOptions): Promise<string[]>;
  /** Its files and the volumes unpacked from it in these pools. */
  deleteImage(fingerprint: string, pools: PoolSpec[], options: CallOptions): Promise<void>;
  /** The volume that is unpacked from it; not there: nothing done. */
  deleteImageVolume(pool: PoolSpec, fingerprint: string, options: CallOptions): Promise<void>;

  createInstance(spec: InstanceSpec, source: InstanceSource, options: CallOptions): Promise<Outcome>;
  /** Removes all there is of it, also of one half made. It must not run. */
  deleteInstance(spec: InstanceSpec, options: CallOptions): Promise<void>;
  /** Stopped only. */
  renameInstance(spec: InstanceSpec, newName: string, options: CallOptions): Promise<void>;
  /** Puts a changed configuration into effect, live where it runs. */
  updateInstance(before: InstanceSpec, after: InstanceSpec, options: CallOptions): Promise<Outcome>;

  /** Room for one migration that another member comes to. */
  offerMigration(options: CallOptions): Promise<MigrationTickets>;
  /** The source of a migration in LXD's protocol. Resolves when the other side has said that it has everything. */
  sendInstance(
    spec: InstanceSpec,
    request: SendRequest,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<void>;
  /** The sink: files and snapshots are at their places on return, or nothing is. */
  receiveInstance(
    spec: InstanceSpec,
    request: ReceiveRequest,
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<ReceivedInstance>;

  /** Of what it is now, also while it runs. */
  createSnapshot(spec: InstanceSpec, snapshot: string, options: CallOptions): Promise<void>;
  renameSnapshot(spec: InstanceSpec, snapshot: string, newName: string, options: CallOptions): Promise<void>;
  /** Gone already: nothing done. */
  deleteSnapshot(spec: InstanceSpec, snapshot: string, options: CallOptions): Promise<void>;
  /** Removes what is there of snapshots that are not in `known`. Resolves with the names of those that there are. */
  settleSnapshots(spec: InstanceSpec, known: readonly string[], options: CallOptions): Promise<string[]>;
  /** It becomes what it was then. It must not run. */
  /** Its root becomes a new one; its snapshots stay. It must not run. After a crash the same call finishes it. */
  rebuildInstance(
    spec: InstanceSpec,
    source: Extract<InstanceSource, { type: 'image' | 'none' }>,
    options: CallOptions,
  ): Promise<void>;
  restoreSnapshot(spec: InstanceSpec, snapshot: string, options: CallOptions): Promise<void>;
  /** A stopped instance becomes what the source is, with those snapshots that it has not got yet. */
  refreshInstance(spec: InstanceSpec, source: CopySource, options: CallOptions): Promise<void>;
  /** Its volume and snapshots in the pool that `spec` names, and nothing else of it: what a move to another pool leaves. */
  deleteRoot(spec: InstanceSpec, options: CallOptions): Promise<void>;

  /** The image is stored on this member, as one that was received. */
  publishImage(spec: InstanceSpec, request: PublishRequest, options: CallOptions): Promise<ReceivedImage>;
  /** Also while it runs. @returns its size in bytes */
  createBackup(spec: InstanceSpec, request: BackupRequest, options: CallOptions): Promise<{ size: number }>;
  /** The same of a custom volume: `request.snapshots` are its own. */
  createVolumeBackup(
    volume: VolumeSpec,
    request: BackupRequest,
    options: CallOptions,
  ): Promise<{ size: number }>;
  /** A volume and its snapshots from what `receiveBackup` took in; nothing is at its place before all is. */
  restoreVolumeBackup(volume: VolumeSpec, source: BackupSource, options: CallOptions): Promise<void>;
  readBackup(id: string, options: CallOptions): Promise<BackupFile>;
  /** Also what `receiveBackup` took in. Gone already: nothing done. */
  deleteBackup(id: string, options: CallOptions): Promise<void>;
  /** All others of this member are nobody's and go. */
  keepBackups(ids: readonly string[], options: CallOptions): Promise<void>;
  /** Takes a backup in, for `createInstance`; `deleteBackup` when that is done. @throws LxdError when it is none */
  receiveBackup(id: string, body: Readable, options: CallOptions): Promise<ReceivedBackup>;

  /**
   * LXD's `backup.yaml` beside their roots, each written where it says something else.
   * @returns those that could not be written; what is not there is none of them
   */
  describeInstances(
    descriptions: readonly InstanceDescription[],
    options: CallOptions,
  ): Promise<InstanceRef[]>;

  startInstance(spec: InstanceSpec, options: CallOptions): Promise<Outcome>;
  /** Clean or forced; devices are released. */
  stopInstance(spec: InstanceSpec, stop: StopRequest, options: CallOptions): Promise<Outcome>;
  freezeInstance(spec: InstanceSpec, options: CallOptions): Promise<void>;
  unfreezeInstance(spec: InstanceSpec, options: CallOptions): Promise<void>;
  /** In the order asked. */
  instanceStates(specs: InstanceSpec[], options: CallOptions): Promise<InstanceStateReport[]>;

  /**
   * SFTP (version 3) in the instance's own root, with ids as they are inside, also while it does not run. Ends when the instance
   * starts, stops, is deleted or becomes another.
   */
  files(spec: InstanceSpec, options: CallOptions): Promise<Duplex>;

  exec(spec: InstanceSpec, command: ExecCommand, options: CallOptions): Promise<ExecSession>;
  console(
    spec: InstanceSpec,
    size: { columns: number; rows: number },
    options: CallOptions,
  ): Promise<TerminalSession>;
  consoleLog(spec: InstanceSpec, options: CallOptions): Promise<Readable>;
  clearConsoleLog(spec: InstanceSpec, options: CallOptions): Promise<void>;
  logs(spec: InstanceRef, options: CallOptions): Promise<LogFile[]>;
  metadata(spec: InstanceSpec, options: CallOptions): Promise<InstanceMetadata>;
  setMetadata(spec: InstanceSpec, metadata: InstanceMetadata, options: CallOptions): Promise<void>;
  /** Names of the files of its templates, sorted. */
  templates(spec: InstanceSpec, options: CallOptions): Promise<string[]>;
  /** The content, in base64. @throws LxdError `not-found` */
  readTemplate(spec: InstanceSpec, name: string, options: CallOptions): Promise<string>;
  /** @param content in base64 */
  writeTemplate(spec: InstanceSpec, name: string, content: string, options: CallOptions): Promise<void>;
  /** @throws LxdError `not-found` */
  deleteTemplate(spec: InstanceSpec, name: string, options: CallOptions): Promise<void>;
  readLog(spec: InstanceRef, file: string, options: CallOptions): Promise<Readable>;
  deleteLog(spec: InstanceRef, file: string, options: CallOptions): Promise<void>;

  /** What concerns the daemon around the agent. */
  membership(change: MembershipChange, options: CallOptions): Promise<void>;

  /** For ever, from now on. */
  observe(options: CallOptions): AsyncIterable<Observation>;
}
