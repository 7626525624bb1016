import type { Duplex, Readable, Writable } from 'node:stream';

export interface ExecResult {
  stdout: string;
  stderr: string;
  status: number;
}

/** A program whose input and output are streams. Disposing ends what still runs, and waits for that. */
export interface Program extends AsyncDisposable {
  stdin: Writable;
  stdout: Readable;
  /** The file descriptors from 3 on: sockets to it. */
  extra: readonly Duplex[];
  /** @throws LxdError `internal` with the last lines of stderr when its status is none of those allowed, or as the signal says */
  ended: Promise<void>;
}

export interface MountEntry {
  source: string;
  target: string;
  fsType: string;
  options: string[];
}

/** The only door to the kernel and its tools for storage, network, devices, images and agent. Linux, and a fake for unit tests. */
export interface Host {
  /**
   * Runs a program to its end. argv only, never a shell. Given up: SIGTERM to it and all it started, SIGKILL after 2 s.
   * `status` is 128 + n when signal n killed it; of `stderr` the last 64 KiB are kept.
   * @throws LxdError `internal` with the last lines of stderr when the status is not 0, unless `allowFailure`
   */
  run(
    argv: readonly [string, ...string[]],
    options: {
      signal: AbortSignal;
      /** Text, or the descriptor of a file, which is read from where it stands. */
      input?: string | number;
      cwd?: string;
      env?: Readonly<Record<string, string>>;
      allowFailure?: boolean;
    },
  ): Promise<ExecResult>;
  /** Starts a program and streams to and from it; aborting ends it. argv only, never a shell with what a user gave. */
  open(
    argv: readonly [string, ...string[]],
    options: {
      signal: AbortSignal;
      sockets?: number;
      allowed?: readonly number[];
      /** A file descriptor for its output, which is closed here; `stdout` then has nothing. */
      output?: number;
    },
  ): Program;
  /** Two file descriptors of a pipe, for a program's output that is read without a stream. */
  pipe(options: { signal: AbortSignal }): Promise<{ read: number; write: number }>;
  /** Starts a long-running program in its own session; its output goes to `logFile`. Returns its pid. */
  daemonize(
    argv: readonly [string, ...string[]],
    options: { logFile: string; cwd?: string; env?: Readonly<Record<string, string>> },
  ): Promise<number>;
  /** Sends a signal when `pid` still is the program whose command line holds `marker`; false when it is gone or another. */
  signalProcess(pid: number, marker: string, signal: NodeJS.Signals): Promise<boolean>;
  /** In the order of the kernel: of several on one target the last one is seen. */
  mounts(): Promise<MountEntry[]>;
  mount(
    mount: { source: string; target: string; fsType?: string; options?: readonly string[] },
    options: { signal: AbortSignal },
  ): Promise<void>;
  /** Nothing mounted there: nothing done. */
  unmount(target: string, options: { signal: AbortSignal; lazy?: boolean }): Promise<void>;
  /** Bytes. */
  statfs(path: string): Promise<{ used: number; total: number; inodesUsed: number; inodesTotal: number }>;
  /** One `ip -batch` for all lines, e.g. `link add name br0 type bridge`. */
  ip(lines: readonly string[], options: { signal: AbortSignal }): Promise<void>;
  /** `ip -json …`, parsed. */
  ipJson(args: readonly string[], options: { signal: AbortSignal }): Promise<unknown>;
  /** One `nft -f -`: atomic. */
  nft(ruleset: string, options: { signal: AbortSignal }): Promise<void>;
  readSysctl(path: string): Promise<string | undefined>;
  writeSysctl(path: string, value: string): Promise<void>;
}
