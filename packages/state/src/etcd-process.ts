import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';

/** Exits of processes that are not our children are noticed within this time. */
const pollMs = 100;

const logName = 'etcd.log';
const logKept = 1_000_000;

/** A running etcd: our child, or one that a killed daemon has left behind. */
export interface EtcdProcess {
  pid: number;
  /** Resolves when it has ended, with why as far as is known. */
  ended: Promise<string>;
  /** The end of what it has logged since it was started, or adopted. */
  log(): Promise<string>;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

const argumentsOf = (socket: string, peers: readonly string[]): string[] => [
  '--data-dir=data',
  `--listen-client-urls=unix://${socket}`,
  `--advertise-client-urls=unix://${socket}`,
  ...peers,
  `--quota-backend-bytes=${8 * 2 ** 30}`,
  '--auto-compaction-mode=periodic',
  '--auto-compaction-retention=10m',
  '--max-txn-ops=4096',
  `--max-request-bytes=${8 * 2 ** 20}`,
  '--experimental-watch-progress-notify-interval=60s',
  '--logger=zap',
  '--log-level=warn',
  '--log-outputs=stderr',
];

/** In `dir`, where its sockets and its log appear. It outlives us when we are killed, so its output goes to a file. */
export async function startEtcd(
  binary: string,
  dir: string,
  sockets: { client: string; peer: string },
  peers: readonly string[],
): Promise<EtcdProcess> {
  // Left by a killed one; etcd would not listen over them.
  await Promise.all(Object.values(sockets).map((socket) => rm(join(dir, socket), { force: true })));
  const size = await logSize(dir);
  const from = size > logKept ? 0 : size;
  const log = openSync(join(dir, logName), from === 0 ? 'w' : 'a', 0o600);
  try {
    const child = spawn(binary, argumentsOf(sockets.client, peers), {
      cwd: dir,
      // A terminal's Ctrl-C is for the daemon, which ends etcd last.
      detached: true,
      stdio: ['ignore', 'ignore', log],
      // Nothing of our environment: ETCD_* would be options.
      env: process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `exit code ${code ?? 0}`));
      child.once('error', (error) => resolve(error.message));
    });
    const { pid } = child;
    if (pid === undefined) {
      throw new LxdError(
        'unavailable',
        `Cannot start ${binary}: ${await ended}. Install Debian's package etcd-server, or name an existing cluster with --etcd-endpoints`,
      );
    }
    return { pid, ended, log: () => logSince(dir, from), signal: (name) => void child.kill(name) };
  } finally {
    closeSync(log);
  }
}

const logSize = (dir: string): Promise<number> =>
  stat(join(dir, logName)).then(
    ({ size }) => size,
    () => 0,
  );

async function logSince(dir: string, from: number): Promise<string> {
  try {
    await using file = await open(join(dir, logName));
    const { size } = await file.stat();
    const start = Math.max(from, size - 8192);
    const { buffer } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString();
  } catch {
    return '';
  }
}

/** When the process started, in clock ticks since boot; undefined when it is gone or a zombie. */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may hold anything: state is field 3, start time field 22.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * The etcd that an earlier daemon started in this directory, if it still runs. Looked up among all processes by its
 * program and working directory: no file can be stale or missing after a SIGKILL.
 */
export async function findEtcd(
  binary: string,
  dir: string,
): Promise<(EtcdProcess & { argv: string[] }) | undefined> {
  const here = await stat(dir);
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // An upgraded program shows as "(deleted)" and counts too: it holds the data.
      const program = basename(await readlink(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '');
      if (program !== basename(binary)) continue;
      const where = await stat(`/proc/${pid}/cwd/`);
      if (where.dev !== here.dev || where.ino !== here.ino) continue;
    } catch {
      continue;
    }
    const started = await startTime(pid);
    if (!started) continue;
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    return { ...adopted(pid, started, dir, await logSize(dir)), argv };
  }
  return undefined;
}

function adopted(pid: number, started: string, dir: string, logFrom: number): EtcdProcess {
  const runs = async (): Promise<boolean> => (await startTime(pid)) === started;
  const poll = async (): Promise<string> => {
    while (await runs()) await sleep(pollMs, undefined, { ref: false });
    return 'ended';
  };
  return {
    pid,
    ended: poll(),
    log: () => logSince(dir, logFrom),
    signal(name) {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended already.
      }
    },
  };
}
