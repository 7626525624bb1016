import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { fakeHost, linuxHost, type ExecResult, type Host, type MountEntry } from '@lxd-ts/host';

/** What a device holds: a directory stands for its filesystem. */
export interface SimulatedDisk {
  directory: string;
  /** Empty until there is one. */
  filesystem: string;
  mountedOn: string | undefined;
  /** Of its root, while it is not mounted. */
  mode: number;
}

export type Tool = (args: readonly string[]) => Partial<ExecResult>;

export const failed = (stderr: string, status = 1): Partial<ExecResult> => ({
  stderr: `${stderr}\n`,
  status,
});

/** `--name value` and `-v value` of those that have one; what is left are the others, without `--`. */
export function readArgs(
  args: readonly string[],
  valued: readonly string[],
): { options: Map<string, string[]>; rest: string[] } {
  const options = new Map<string, string[]>();
  const rest: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') continue;
    if (!arg.startsWith('-')) rest.push(arg);
    else if (valued.includes(arg)) options.set(arg, [...(options.get(arg) ?? []), args[(at += 1)] ?? '']);
    else options.set(arg, []);
  }
  return { options, rest };
}

/** With what only root could look into. */
function removeAll(directory: string): void {
  try {
    rmSync(directory, { recursive: true });
  } catch {
    execFileSync('chmod', ['-R', 'u+rwX', directory]);
    rmSync(directory, { recursive: true });
  }
}

/**
 * A machine whose tools are simulated: programs that are not run for real, devices that are directories. A mount moves the
 * directory to its target, so that nobody has to be root.
 */
export class SimulatedDisks {
  /** The daemon's directory. */
  readonly dir: string;
  readonly #place = mkdtempSync(join(tmpdir(), 'lxd-ts-simulated-'));
  readonly #devices = new Map<string, SimulatedDisk>();
  readonly #loops = new Map<string, number>();
  readonly #tools = new Map<string, Tool>();
  readonly #mounts: (MountEntry & { disk: SimulatedDisk })[] = [];
  #next = 0;
  #left = Infinity;

  constructor() {
    this.dir = join(this.#place, 'daemon');
    mkdirSync(this.dir);
    this.tool('losetup', (args) => this.#losetup(args));
    this.tool('blkid', (args) => this.#blkid(args));
    for (const type of ['ext4', 'xfs', 'btrfs'])
      this.tool(`mkfs.${type}`, (args) => this.#onDevice(args.at(-1), (disk) => (disk.filesystem = type)));
    this.tool('e2fsck', (args) => this.#onDevice(args.at(-1), () => undefined, true));
    this.tool('btrfstune', (args) => this.#onDevice(args.at(-1), () => undefined, true));
    for (const name of ['btrfs', 'xfs_growfs'])
      this.tool(name, (args) => {
        const there = this.#mounts.some(({ target }) => target === args.at(-1));
        return there ? {} : failed(`${name}: ${args.at(-1) ?? ''} is not mounted`);
      });
    this.tool('blkdiscard', (args) => this.#onDevice(args.at(-1), () => undefined));
    this.tool('dd', (args) => this.#dd(args));
    this.tool('resize2fs', (args) => this.#onDevice(args[0], () => undefined));
  }

  tool(name: string, tool: Tool): void {
    this.#tools.set(name, tool);
  }

  /** Whoever asks for more than this of the machine is dead; Infinity: it lives again. */
  dieAfter(steps: number): void {
    this.#left = steps;
  }

  #step(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new Error('killed');
  }

  readonly host: Host = {
    ...fakeHost(),
    run: async ([program, ...args], options) => {
      options.signal.throwIfAborted();
      this.#step();
      const tool = this.#tools.get(program);
      // What copies files does so: directories are real.
      if (!tool) return this.#open(args.slice(-2), () => linuxHost().run([program, ...args], options));
      const result = { stdout: '', stderr: '', status: 0, ...tool(args) };
      if (result.status !== 0 && !options.allowFailure)
        throw new LxdError('internal', `${program} failed: ${result.stderr.trim()}`);
      return Promise.resolve(result);
    },
    mounts: () => Promise.resolve([...this.#mounts]),
    mount: async (mount, { signal }) => {
      signal.throwIfAborted();
      this.#step();
      this.#mount(mount);
      return Promise.resolve();
    },
    unmount: async (target) => {
      this.#step();
      this.#unmount(target);
      return Promise.resolve();
    },
    statfs: () => Promise.resolve({ used: 4096, total: 1024 ** 3, inodesUsed: 1, inodesTotal: 100 }),
  };

  /** Has directories that only root could look into open, for the copy of one to another. */
  async #open<T>(directories: readonly string[], work: () => Promise<T>): Promise<T> {
    const [from = '', to = ''] = directories;
    if (!existsSync(from) || !existsSync(to)) return work();
    const mode = statSync(from).mode & 0o777;
    for (const one of directories) chmodSync(one, 0o700);
    const result = await work();
    for (const one of directories) chmodSync(one, mode);
    return result;
  }

  newDisk(filesystem = ''): SimulatedDisk {
    this.#next += 1;
    const directory = join(this.#place, `disk-${this.#next}`);
    mkdirSync(directory);
    return { directory, filesystem, mountedOn: undefined, mode: 0o755 };
  }

  /** As it is at this moment, mounted or not. */
  cloneDisk(of: SimulatedDisk): SimulatedDisk {
    const copy = this.newDisk(of.filesystem);
    rmdirSync(copy.directory);
    const from = of.mountedOn ?? of.directory;
    const mode = of.mountedOn === undefined ? of.mode : statSync(from).mode & 0o777;
    chmodSync(from, 0o700);
    cpSync(from, copy.directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    if (of.mountedOn !== undefined) chmodSync(from, mode);
    return { ...copy, mode };
  }

  /** Gives it the files of another, mounted or not. */
  refillDisk(disk: SimulatedDisk, from: SimulatedDisk): void {
    const { directory, mode } = this.cloneDisk(from);
    const at = disk.mountedOn ?? disk.directory;
    removeAll(at);
    renameSync(directory, at);
    if (disk.mountedOn === undefined) disk.mode = mode;
    else chmodSync(at, mode);
  }

  dropDisk({ directory }: SimulatedDisk): void {
    removeAll(directory);
  }

  /** As a tool does it that will not have it mounted. */
  umount(disk: SimulatedDisk | undefined): void {
    if (disk?.mountedOn !== undefined) this.#unmount(disk.mountedOn);
  }

  plug(device: string, disk: SimulatedDisk): void {
    this.#devices.set(device, disk);
  }

  /** A directory of a filesystem that is elsewhere, while nothing above it is mounted. */
  plugDirectory(source: string, directory: string): void {
    this.plug(source, { directory, filesystem: 'remote', mountedOn: undefined, mode: 0o711 });
  }

  isPlugged(device: string): boolean {
    return this.#devices.has(device);
  }

  unplug(device: string): void {
    this.#devices.delete(device);
  }

  /** The inode of a loop device's file, which is what it is on. */
  fileOf(device: string): number | undefined {
    return this.#loops.get(device);
  }

  isAttached(file: number): boolean {
    return [...this.#loops.values()].includes(file);
  }

  #onDevice(name = '', work: (disk: SimulatedDisk) => unknown, still = false): Partial<ExecResult> {
    const disk = this.#devices.get(name);
    // A loop device has no filesystem here: nobody asks for one.
    if (!disk) return failed(`The device ${name} does not exist`);
    if (still && disk.mountedOn !== undefined) return failed(`${name} is mounted.`, 8);
    work(disk);
    return {};
  }

  /** A file that stands for the bytes of a device. @throws Error when there is no such device */
  imageOf(device: string): string {
    const disk = this.#devices.get(device);
    if (!disk) throw new Error(`there is no device ${device}`);
    const image = join(disk.directory, 'bytes');
    closeSync(openSync(image, 'a'));
    return image;
  }

  #dd(args: readonly string[]): Partial<ExecResult> {
    const [from = '', to = ''] = ['if=', 'of='].map(
      (key) => args.find((arg) => arg.startsWith(key))?.slice(key.length) ?? '',
    );
    const missing = [from, to].find((device) => !this.#devices.has(device));
    if (missing !== undefined) return failed(`dd: failed to open '${missing}': No such file or directory`);
    copyFileSync(this.imageOf(from), this.imageOf(to));
    return {};
  }

  #blkid(args: readonly string[]): Partial<ExecResult> {
    const disk = this.#devices.get(args.at(-1) ?? '');
    return disk?.filesystem ? { stdout: `${disk.filesystem}\n` } : { status: 2 };
  }

  #losetup(args: readonly string[]): Partial<ExecResult> {
    const { options, rest } = readArgs(args, ['--output', '--associated', '--detach']);
    const [associated] = options.get('--associated') ?? [];
    if (associated !== undefined) {
      const inode = existsSync(associated) ? statSync(associated).ino : -1;
      const found = [...this.#loops].filter(([, of]) => of === inode).map(([name]) => name);
      return { stdout: found.map((name) => `${name}\n`).join('') };
    }
    const [gone] = options.get('--detach') ?? [];
    if (gone !== undefined) return this.#loops.delete(gone) ? {} : failed(`losetup: ${gone}: detach failed`);
    this.#next += 1;
    const name = `/dev/loop${this.#next}`;
    this.#loops.set(name, statSync(rest[0] ?? '').ino);
    return { stdout: `${name}\n` };
  }

  #mount({ source, target, fsType = '', options = [] }: Parameters<Host['mount']>[0]): void {
    const disk = this.#devices.get(source);
    if (!disk) throw new LxdError('internal', `mount failed: special device ${source} does not exist.`);
    if (!disk.filesystem) throw new LxdError('internal', 'mount failed: wrong fs type, bad superblock');
    if (disk.mountedOn !== undefined) throw new Error(`${source} is mounted twice, which is not simulated`);
    rmdirSync(target);
    renameSync(disk.directory, target);
    chmodSync(target, disk.mode);
    disk.mountedOn = target;
    this.#mounts.push({ source, target, fsType, options: [...options], disk });
  }

  #unmount(target: string): void {
    const at = this.#mounts.findLastIndex((mount) => mount.target === target);
    const [mount] = at < 0 ? [] : this.#mounts.splice(at, 1);
    if (!mount) return;
    mount.disk.mode = statSync(target).mode & 0o777;
    chmodSync(target, 0o700);
    renameSync(target, mount.disk.directory);
    mkdirSync(target);
    mount.disk.mountedOn = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    removeAll(this.#place);
    return Promise.resolve();
  }
}
