import type { Readable, Writable, Duplex } from 'node:stream';

/** liblxc's own state names. */
export type LxcState =
  'STOPPED' | 'STARTING' | 'RUNNING' | 'STOPPING' | 'ABORTING' | 'FREEZING' | 'FROZEN' | 'THAWED';

/** One line of an LXC configuration, in order: `['lxc.uts.name', 'c1']`. */
export type LxcItem = readonly [key: string, value: string];

export interface StartRequest {
  name: string;
  /** Absolute path of the container's configuration file. */
  configFile: string;
  /** Absolute path of the log that liblxc writes, and its level. */
  logFile: string;
  logLevel: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** Absolute path of a file that is made when it reboots from inside: it stops then. Without it liblxc reboots it. */
  rebootMark?: string;
  /** The first process and its arguments, looked up in its PATH; absent: what the configuration says. Needs `rebootMark`. */
  init?: readonly string[];
  /** It may have come to its end by itself already when the start is answered: pid 0. */
  mayEnd?: boolean;
}

export interface ExecRequest {
  name: string;
  /** Not empty; `argv[0]` is looked up in PATH of `environment`. */
  argv: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** Numeric ids as seen inside. */
  uid: number;
  gid: number;
  cwd: string;
  /** A terminal of this size when given; three pipes otherwise. */
  terminal?: { columns: number; rows: number };
}

/** A process attached to a container. Disposing kills it when it still runs and closes the streams. */
export interface ExecProcess extends AsyncDisposable {
  /** As seen on the host. */
  pid: number;
  /** Without a terminal. Real pipes: a program inside may open /dev/stderr. */
  pipes?: { stdin: Writable; stdout: Readable; stderr: Readable };
  /** With a terminal. Ends (no error) when the last process on it is gone. */
  terminal?: Duplex;
  /** Exit status; 128 + n when signal n killed it. Settles when the process is gone, whether or not its streams are read. */
  exited: Promise<number>;
  signal(signal: number): void;
  resize(columns: number, rows: number): void;
}

/**
 * Whose files: of a container that runs, or of a root that nothing runs in, with its `lxc.idmap` values (none: privileged).
 * `mapped`: there its files show with the host's ids already.
 */
export type FilesRequest = { name: string } | { rootfs: string; idmap: readonly string[]; mapped?: boolean };

/** A process that speaks SFTP (version 3) and sees nothing but these files. It ends with the stream; disposing kills it. */
export interface FilesSession extends AsyncDisposable {
  stream: Duplex;
}

export interface ConsoleSession extends AsyncDisposable {
  terminal: Duplex;
  resize(columns: number, rows: number): void;
}

/** A network interface as its own namespace sees it. */
export interface NetworkInterface {
  name: string;
  up: boolean;
  kind: 'loopback' | 'broadcast' | 'point-to-point' | 'unknown';
  mtu: number;
  /** Empty where there is none. */
  hwaddr: string;
  addresses: { family: 'inet' | 'inet6'; address: string; prefix: number }[];
}

/** `length` ids from `inside` on are stored as `outside` and following. */
export interface ShiftedRange {
  users: boolean;
  groups: boolean;
  outside: number;
  inside: number;
  length: number;
}

/**
 * Containers under one lxcpath. Start, exec and console run in a helper process (never a fork of this one);
 * the rest is answered by the addon in well under a millisecond. Whatever asks a container's monitor fails with
 * `unavailable` when that one hangs.
 */
export interface Liblxc {
  readonly lxcpath: string;
  version(): string;
  /** Names of containers whose monitor is alive, whatever started them. */
  active(): string[];
  state(name: string): LxcState;
  /** Pid of init on the host; undefined when not running. */
  initPid(name: string): number | undefined;
  /** Resolves when RUNNING. Fails with `internal` and the last error lines of the log. */
  start(request: StartRequest, options: { signal: AbortSignal }): Promise<{ initPid: number }>;
  /** Sends a signal to init by pidfd; `not-found` when it does not run. */
  signalInit(name: string, signal: number): void;
  /** Kills everything in it; resolves when STOPPED and the monitor is gone. Nothing to do: resolves. */
  kill(name: string, options: { signal: AbortSignal }): Promise<void>;
  /** Resolves when FROZEN; `internal` when some task cannot be frozen within ten seconds. */
  freeze(name: string, options: { signal: AbortSignal }): Promise<void>;
  unfreeze(name: string, options: { signal: AbortSignal }): Promise<void>;
  /** Resolves once the command is in the container; a frozen one lets nobody in before it is thawed. */
  exec(request: ExecRequest, options: { signal: AbortSignal }): Promise<ExecProcess>;
  console(
    name: string,
    size: { columns: number; rows: number },
    options: { signal: AbortSignal },
  ): Promise<ConsoleSession>;
  /** Paths are those inside, ids too. Device nodes, FIFOs and sockets are never opened. */
  files(request: FilesRequest, options: { signal: AbortSignal }): Promise<FilesSession>;
  /** cgroup files by name, as liblxc resolves them (`memory.limit_in_bytes`, `memory.max`). */
  cgroupGet(name: string, key: string): string | undefined;
  cgroupSet(name: string, key: string, value: string): void;
  /**
   * Mounts something of the host into a running container. Options: `dir` or `file` (what it is), `recursive`, `idmap`
   * (owners as seen inside), those of mount(8) that any filesystem has, and a propagation.
   */
  inject(
    name: string,
    mount: { source: string; target: string; options: readonly string[] },
    options: { signal: AbortSignal },
  ): Promise<void>;
  /** Unmounts it; `remove`: the empty file it was mounted on goes, too. Nothing there: nothing done. */
  eject(name: string, target: string, remove: boolean, options: { signal: AbortSignal }): Promise<void>;
  /** Calls back some moments after devices of the host, or files below `dir`, came or went. */
  watchDevices(dir: string, callback: () => void): Disposable;
  /** A configuration item of the running container, e.g. `lxc.net.0.veth.pair`. */
  configItem(name: string, key: string): string | undefined;
  /** In the network namespace of a process; of this one when it is undefined. No process is spawned for it. */
  interfaces(pid: number | undefined): Promise<NetworkInterface[]>;
  /** Gives the files of a tree, which has them shifted like this, the ids they have inside. @throws LxdError `internal` */
  shiftOwners(path: string, ranges: readonly ShiftedRange[], options: { signal: AbortSignal }): Promise<void>;
  /** Says of a writable btrfs subvolume that it is the same as the one of this UUID: the btrfs tool cannot. */
  setReceived(path: string, uuid: string): void;
  /**
   * Calls back when this init is gone (polled natively on its pidfd, also for containers adopted after a restart).
   * A reboot from inside also ends the init that was watched: look at `state` and `initPid` again.
   */
  onInitExit(name: string, callback: () => void): Disposable;
}
