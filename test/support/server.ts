import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rest } from './rest.ts';

export interface TestServer {
  readonly dir: string;
  readonly pid: number;
  readonly rest: Rest;
  /** Runs a program where the server lives: its network and mounts. */
  inside(argv: readonly string[]): string;
  /** SIGTERM; instances stay. */
  stop(): Promise<void>;
  /** Killed in the middle of whatever it does, and started again at once. */
  crash(): Promise<void>;
  /** Dies on the spot; what is left of it is swept away. It must run no instances. */
  die(): Promise<void>;
  /** Every record and thing that its API can delete. */
  deleteEverything(): Promise<void>;
  /** Deletes everything the server has, tells what is left of it, and shuts it down. */
  stopAll(): Promise<string[]>;
}

/**
 * A network of its own lets several servers have the same bridge, and keeps them from the machine's; servers see their
 * bridges only in a sysfs of that network, with the cgroups again below it, and AppArmor's files where the kernel has them.
 */
const ownNamespace = `ip link set lo up
mount --rbind /sys/fs/cgroup /mnt; mount -t sysfs sysfs /sys; mount --rbind /mnt /sys/fs/cgroup; umount -l /mnt
[ ! -d /sys/module/apparmor ] || mount -t securityfs securityfs /sys/kernel/security
exec "$@"`;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Processes that have the directory in their command line, work in it, or hold one of its cgroups. */
function processesOf(dir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      let cwd = '';
      try {
        cwd = readlinkSync(`/proc/${pid}/cwd`);
      } catch {
        // It ended, or is the kernel's.
      }
      return `${line} `.includes(`${dir}/`) || line.includes(`${dir} `) || cwd.startsWith(`${dir}/`)
        ? `process ${pid}: ${line || cwd}`
        : '';
    })
    .filter(Boolean);
}

function loopsOf(dir: string): string[] {
  return readdirSync('/sys/block')
    .filter((name) => read(`/sys/block/${name}/loop/backing_file`).startsWith(`${dir}/`))
    .map((name) => `loop device /dev/${name}`);
}

function cgroupsOf(tag: RegExp): string[] {
  const root = '/sys/fs/cgroup';
  const found: string[] = [];
  for (const controller of ['', ...readdirSync(root)]) {
    try {
      for (const name of readdirSync(join(root, controller))) {
        if (tag.test(name)) found.push(`cgroup ${join(root, controller, name)}`);
      }
    } catch {
      // A file.
    }
  }
  return found;
}

/** What a server that has nothing must not leave: mounts, loop devices, veths, cgroups, firewall chains, records. */
export function leftovers(server: Pick<TestServer, 'dir' | 'pid' | 'inside'>, cgroups?: RegExp): string[] {
  const { dir, pid } = server;
  const mounts = read(`/proc/${pid}/mounts`)
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    // The server's own for its whole life.
    .filter((target) => target.startsWith(`${dir}/`) && !/^(devlxd|shmounts)$/.test(basename(target)))
    .map((target) => `mount ${target}`);
  const links = server
    .inside(['ip', '-br', 'link'])
    .split('\n')
    .filter((line) => /^(veth|lxdbr)/.test(line))
    .map((line) => `link ${line}`);
  const chains = server
    .inside(['nft', 'list', 'ruleset'])
    .split('\n')
    .filter((line) => line.includes('chain '))
    .map((line) => `nft ${line.trim()}`);
  const folders = ['containers', 'containers-snapshots', 'images', 'storage-pools'].flatMap((name) => {
    try {
      return readdirSync(join(dir, name)).map((entry) => `file ${dir}/${name}/${entry}`);
    } catch {
      return [];
    }
  });
  return [
    ...mounts,
    ...links,
    ...chains,
    ...folders,
    ...loopsOf(dir),
    ...(cgroups ? cgroupsOf(cgroups) : []),
  ];
}

/** Ends what an interrupted or broken run left, so that the next one starts clean. */
function sweep(dir: string): void {
  for (const line of processesOf(dir)) {
    const left = Number(/^process (\d+)/.exec(line)?.[1]);
    try {
      if (left) process.kill(left, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  for (const loop of loopsOf(dir)) {
    try {
      execFileSync('losetup', ['-d', loop.split(' ').at(-1) ?? '']);
    } catch {
      // It went with its last mount.
    }
  }
}

/** Every record and thing of a server, by its own API, in the order in which they let go of each other. */
async function deleteEverything(rest: Rest): Promise<void> {
  const list = async (path: string) => ((await rest.call('GET', path)).metadata ?? []) as string[];
  await Promise.all(
    (await list('/1.0/instances')).map(async (url) => {
      await rest.call('PUT', `${url}/state`, { action: 'stop', force: true, timeout: 30 });
      await rest.call('DELETE', url);
    }),
  );
  for (const url of await list('/1.0/images')) await rest.call('DELETE', url);
  await rest.call('PUT', '/1.0/profiles/default', { config: {}, description: '', devices: {} });
  for (const url of await list('/1.0/profiles')) {
    if (!url.endsWith('/default')) await rest.call('DELETE', url);
  }
  const networks = ((await rest.call('GET', '/1.0/networks?recursion=1')).metadata ?? []) as {
    name: string;
    managed: boolean;
  }[];
  for (const { name } of networks.filter(({ managed }) => managed)) {
    await rest.call('DELETE', `/1.0/networks/${name}`);
  }
  for (const url of await list('/1.0/storage-pools')) await rest.call('DELETE', url);
}

export interface ServerOptions {
  dir: string;
  argv: readonly string[];
  environment?: Record<string, string>;
  /** Names of the server's cgroups. */
  cgroups?: RegExp;
}

/** Starts a server in namespaces of its own and waits until it is ready. Its output goes to `DIR.log`. */
export async function startServer({ dir, argv, environment, cgroups }: ServerOptions): Promise<TestServer> {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const environmentOf = { ...inherited, ...environment };
  let child = spawn(
    'unshare',
    [
      ...['--net', '--mount', '--propagation', 'private'],
      ...['sh', '-c', `exec >>"$0.log" 2>&1\n${ownNamespace}`, dir, ...argv],
    ],
    { stdio: 'ignore', env: environmentOf },
  );
  let pid = child.pid ?? 0;
  if (pid === 0) throw new Error('unshare did not start');
  const endOf = (process: ChildProcess) => new Promise<void>((done) => process.once('exit', () => done()));
  let ended = endOf(child);
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  const rest = new Rest(join(dir, 'unix.socket'));

  const end = async (signal: 'SIGTERM' | 'SIGPWR'): Promise<boolean> => {
    rest.close();
    if (!isOver()) child.kill(signal);
    await Promise.race([ended, sleep(60_000, undefined, { ref: false })]);
    if (isOver()) return true;
    child.kill('SIGKILL');
    await ended;
    return false;
  };
  const inside = (command: readonly string[]) =>
    execFileSync('nsenter', ['-t', String(pid), '-n', '-m', '--', ...command], { encoding: 'utf8' });

  const untilReady = async (): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const answer = await rest.call('GET', '/internal/ready').catch(() => undefined);
      if (answer?.status === 200) break;
      if (isOver() || tries > 600) {
        await end('SIGTERM');
        throw new Error(`${argv[0] ?? ''} is not ready:\n${read(`${dir}.log`).slice(-2_000)}`);
      }
      await sleep(100);
    }
  };
  await untilReady();
  return {
    dir,
    get pid() {
      return pid;
    },
    rest,
    inside,
    stop: async () => {
      await end('SIGTERM');
    },
    crash: async () => {
      // Somebody has to stay in its namespaces.
      const holder = spawn('nsenter', ['-t', String(pid), '-n', '-m', 'sleep', 'infinity'], {
        stdio: 'ignore',
      });
      const networkOf = (of: number | undefined) => readlinkSync(`/proc/${of ?? 0}/ns/net`);
      while (networkOf(holder.pid) !== networkOf(pid)) await sleep(5);
      child.kill('SIGKILL');
      await ended;
      // Connections that were kept lead nowhere.
      rest.close();
      const log = 'exec >>"$0.log" 2>&1\nexec "$@"';
      const into = ['-t', String(holder.pid), '-n', '-m', 'sh', '-c', log, dir, ...argv];
      child = spawn('nsenter', into, { stdio: 'ignore', env: environmentOf });
      pid = child.pid ?? 0;
      ended = endOf(child);
      await untilReady();
      holder.kill('SIGKILL');
    },
    die: async () => {
      rest.close();
      child.kill('SIGKILL');
      await ended;
      sweep(dir);
    },
    deleteEverything: () => deleteEverything(rest),
    stopAll: async () => {
      const left: string[] = [];
      if (!isOver()) {
        await deleteEverything(rest);
        left.push(...leftovers({ dir, pid, inside }, cgroups));
      } else left.push(`the server ended by itself:\n${read(`${dir}.log`).slice(-2_000)}`);
      if (!(await end('SIGPWR'))) left.push('the server did not shut down');
      left.push(...processesOf(dir), ...loopsOf(dir));
      sweep(dir);
      return left;
    },
  };
}
