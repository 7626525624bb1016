import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run, type Result } from './client.ts';
import { lxdTsd } from './daemon.ts';
import { Rest } from './rest.ts';

export const ip = (...args: string[]): void => void execFileSync('ip', args);

/** A network and mounts of its own; it outlives the daemons that run in it. */
export class Host {
  readonly name: string;
  readonly dir: string;
  readonly #holder: ChildProcess;
  readonly #hub: string;
  readonly #address: string;
  #daemon: ChildProcess | undefined;
  /** The one that we have ended ourselves. */
  #ended: ChildProcess | undefined;
  #rest: Rest | undefined;

  /** @param hub a bridge of the machine; @param address in its network */
  constructor(hub: string, name: string, dir: string, address: string) {
    this.#hub = hub;
    this.name = name;
    this.dir = dir;
    const script = `ip link set lo up
mount --rbind /sys/fs/cgroup /mnt; mount -t sysfs sysfs /sys; mount --rbind /mnt /sys/fs/cgroup; umount -l /mnt
mount -t tmpfs tmpfs /run; echo ready; exec sleep 100000`;
    this.#holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#address = address;
  }

  get #plug(): string {
    return `${this.#hub}${this.name}`;
  }

  async plugIn(): Promise<void> {
    await new Promise((ready) => this.#holder.stdout?.once('data', ready));
    const pid = String(this.#holder.pid);
    ip('link', 'add', this.#plug, 'type', 'veth', 'peer', 'name', 'up0', 'netns', pid);
    ip('link', 'set', this.#plug, 'master', this.#hub, 'up');
    execFileSync('nsenter', ['-t', pid, '-n', 'ip', 'address', 'add', `${this.#address}/24`, 'dev', 'up0']);
    execFileSync('nsenter', ['-t', pid, '-n', 'ip', 'link', 'set', 'up0', 'up']);
  }

  start(...args: string[]): void {
    const log = `${this.dir}.log`;
    this.#daemon = spawn(
      'nsenter',
      [
        '-t',
        String(this.#holder.pid),
        '-n',
        '-m',
        lxdTsd,
        '--dir',
        this.dir,
        '--name',
        this.name,
        '--debug',
        '--logfile',
        log,
        ...args,
      ],
      { stdio: 'ignore' },
    );
    const daemon = this.#daemon;
    daemon.once('exit', (code, signal) => {
      if (daemon === this.#ended || code === 0) return;
      const errors = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.includes('error'));
      if (errors.length > 0)
        console.error(`${this.name} ended: ${signal ?? String(code)}\n${errors.slice(-10).join('\n')}`);
    });
  }

  /** `HOST:PORT` as a member. */
  get address(): string {
    return `${this.#address}:8444`;
  }

  join(token: string, ...args: string[]): void {
    this.start('--cluster-address', this.address, '--join-token', token, ...args);
  }

  get rest(): Rest {
    return (this.#rest ??= new Rest(join(this.dir, 'unix.socket')));
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  /** The pid of its etcd, which works in its directory. */
  get etcd(): number | undefined {
    const own = (pid: string): boolean => {
      try {
        return (
          readFileSync(`/proc/${pid}/comm`, 'utf8') === 'etcd\n' &&
          readlinkSync(`/proc/${pid}/cwd`) === join(this.dir, 'etcd')
        );
      } catch {
        return false; // it ended
      }
    };
    const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && own(entry));
    return pid === undefined ? undefined : Number(pid);
  }

  /** Its etcd dies on the spot. */
  killEtcd(): void {
    const pid = this.etcd;
    if (pid === undefined) throw new Error(`${this.name} has no etcd`);
    process.kill(pid, 'SIGKILL');
  }

  /** Runs a program in its network. */
  inside(argv: readonly string[], input = ''): Promise<Result> {
    return run(['nsenter', '-t', String(this.#holder.pid), '-n', '--', ...argv], { input });
  }

  /** Of a daemon that ends by itself. */
  async exitCode(): Promise<number | null> {
    const daemon = this.#daemon;
    if (daemon?.exitCode === null) await new Promise((done) => daemon.once('exit', done));
    return daemon?.exitCode ?? null;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    this.#ended = daemon;
    const gone = new Promise((done) => daemon.once('exit', done));
    daemon.kill(signal);
    await gone;
  }

  async tearDown(): Promise<void> {
    this.#rest?.close();
    await this.end('SIGTERM');
    // Of a daemon that was killed.
    if (this.etcd !== undefined) this.killEtcd();
    // The kernel takes its time to do that with the namespace.
    if (existsSync(`/sys/class/net/${this.#plug}`)) ip('link', 'delete', this.#plug);
    const gone = new Promise((done) => this.#holder.once('exit', done));
    this.#holder.kill('SIGKILL');
    await gone;
  }
}
