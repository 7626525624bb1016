import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rest } from './rest.ts';

export interface Server {
  name: string;
  rest: Rest;
  /** Bytes (PSS) by part. */
  memory(): Record<string, number>;
  stop(): Promise<void>;
}

/** LXD sees its own bridges only with a sysfs of its network namespace, and the cgroups again below it. */
const ownNamespace = `ip link set lo up
mount --rbind /sys/fs/cgroup /mnt; mount -t sysfs sysfs /sys; mount --rbind /mnt /sys/fs/cgroup; umount -l /mnt
exec "$@"`;

function pss(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Processes whose command line says this. */
function pidsOf(...words: string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.every((word) => line.includes(word));
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function ready(rest: Rest): Promise<void> {
  for (let i = 0; i < 600; i++) {
    try {
      await rest.call('GET', '/internal/ready');
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error(`no answer on ${rest.socketPath}`);
}

function start(
  name: string,
  dir: string,
  argv: string[],
  environment: Record<string, string>,
): Promise<Server> {
  mkdirSync(dir, { recursive: true });
  const child: ChildProcess = spawn(
    'unshare',
    ['--net', '--mount', '--propagation', 'private', 'sh', '-c', ownNamespace, 'sh', ...argv],
    { stdio: 'ignore', env: { ...process.env, ...environment } },
  );
  const rest = new Rest(dir);
  const server: Server = {
    name,
    rest,
    memory: () => {
      const monitors = pidsOf('[lxc monitor]', `${dir}/containers`);
      const sum = (pids: number[]) => pids.reduce((total, pid) => total + pss(pid), 0);
      return {
        daemon: pss(child.pid ?? 0),
        etcd: sum(pidsOf('etcd').filter((pid) => cwdOf(pid) === join(dir, 'etcd'))),
        'monitor, each': monitors.length > 0 ? sum(monitors) / monitors.length : 0,
      };
    },
    stop: async () => {
      rest.close();
      if (child.exitCode === null) {
        child.kill('SIGPWR');
        await Promise.race([new Promise((done) => child.once('exit', done)), sleep(60_000)]);
      }
      for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n').reverse()) {
        const target = line.split(' ')[1];
        if (target?.startsWith(dir)) execFileSync('umount', ['-l', target]);
      }
    },
  };
  return ready(rest).then(() => server);
}

function cwdOf(pid: number): string {
  try {
    return execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

export const startOurs = (dir: string): Promise<Server> =>
  start('lxd-ts', dir, [resolve('packages/daemon/dist/lxd-tsd'), '--dir', dir, '--group', 'root'], {});

export const startLxd = (dir: string): Promise<Server> =>
  start('LXD', dir, ['lxd', '--group', 'root'], { LXD_DIR: dir });
