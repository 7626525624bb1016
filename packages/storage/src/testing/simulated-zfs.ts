import type { ExecResult } from '@lxd-ts/host';
import { failed, readArgs, type SimulatedDisk, type SimulatedDisks } from './simulated-disks.ts';

interface SimulatedDataset {
  disk: SimulatedDisk;
  origin: string;
  properties: Map<string, string>;
  /** Snapshots are listed in the order in which they were made. */
  made: number;
}

type Result = Partial<ExecResult>;
const absent = (name: string): Result => failed(`cannot open '${name}': dataset does not exist`);
const rootOf = (name: string): string => name.split(/[/@]/)[0] ?? '';
const parentOf = (name: string): string => name.slice(0, name.lastIndexOf('/'));

/** Of a zvol. */
const sizeOf = ({ properties }: SimulatedDataset): Map<string, string> =>
  new Map([...properties].filter(([name]) => name === 'volsize'));

/**
 * OpenZFS 2.3, as far as the driver asks of it: its output, its words and statuses. That it is so is compared by
 * test/integration/simulated-zfs where there is a real one. What is mounted and idle keeps nobody from anything: a destroyed
 * or exported dataset is unmounted, only a snapshot is busy.
 */
export class SimulatedZfs {
  readonly #disks: SimulatedDisks;
  /** Datasets and snapshots, by name, of zpools that are exported, too. */
  readonly datasets = new Map<string, SimulatedDataset>();
  readonly #exported = new Set<string>();
  #made = 0;

  constructor(disks: SimulatedDisks) {
    this.#disks = disks;
    disks.tool('zpool', ([verb = '', ...args]) => this.#zpool(verb, args));
    disks.tool('zfs', ([verb = '', ...args]) => this.#zfs(verb, args));
    disks.tool('udevadm', (args) => {
      const device = args.at(-1) ?? '';
      return disks.isPlugged(device) ? {} : failed(`Timed out for waiting devices: ${device}`);
    });
  }

  /** One that the user has. */
  addPool(name: string): void {
    this.#add(name, this.#disks.newDisk('zfs'));
  }

  #add(name: string, disk: SimulatedDisk, origin = '-', properties = new Map<string, string>()): void {
    this.#made += 1;
    this.datasets.set(name, { disk, origin, properties, made: this.#made });
    this.#disks.plug(name, disk);
    this.#showDevice(name);
  }

  /** Of a zvol, and of its snapshots while that is wanted. */
  #showDevice(name: string): void {
    const found = this.datasets.get(name);
    const [of = '', at] = name.split('@');
    if (!found?.properties.has('volsize')) return;
    if (at === undefined || this.datasets.get(of)?.properties.get('snapdev') === 'visible')
      this.#disks.plug(`/dev/zvol/${name}`, found.disk);
  }

  #get(name: string): SimulatedDataset | undefined {
    return this.#exported.has(rootOf(name)) ? undefined : this.datasets.get(name);
  }

  /** Those below it, snapshots too. */
  #below(name: string): string[] {
    return [...this.datasets.keys()].filter(
      (one) => one.startsWith(`${name}/`) || one.startsWith(`${name}@`),
    );
  }

  #clonesOf(snapshot: string): string[] {
    return [...this.datasets].filter(([, { origin }]) => origin === snapshot).map(([name]) => name);
  }

  #drop(name: string): Result {
    const found = this.datasets.get(name);
    if (!found) return absent(name);
    this.#disks.umount(found.disk);
    this.#disks.dropDisk(found.disk);
    this.#disks.unplug(name);
    this.#disks.unplug(`/dev/zvol/${name}`);
    this.datasets.delete(name);
    return {};
  }

  #zpool(verb: string, args: readonly string[]): Result {
    const { options, rest } = readArgs(args, ['-m', '-o', '-O', '-d']);
    const [name = ''] = rest;
    switch (verb) {
      case 'create': {
        if (this.#get(name)) return failed(`cannot create '${name}': pool already exists`);
        const settings = (options.get('-O') ?? []).map((one) => one.split('=') as [string, string]);
        this.#add(name, this.#disks.newDisk('zfs'), '-', new Map(settings));
        return {};
      }
      case 'destroy': {
        if (!this.#get(name)) return failed(`cannot open '${name}': no such pool`);
        for (const one of [...this.#below(name).reverse(), name]) {
          const result = this.#drop(one);
          if (result.status) return result;
        }
        return {};
      }
      case 'export': {
        if (!this.#get(name)) return failed(`cannot open '${name}': no such pool`);
        // What nobody works in is unmounted for that.
        for (const one of this.#below(name)) this.#disks.umount(this.datasets.get(one)?.disk);
        this.#exported.add(name);
        return {};
      }
      case 'import':
        if (this.#get(name)) return failed(`cannot import '${name}': a pool with that name already exists`);
        return this.#exported.delete(name) ? {} : failed(`cannot import '${name}': no such pool available`);
      default:
        return failed(`unrecognized command '${verb}'`, 2);
    }
  }

  #zfs(verb: string, args: readonly string[]): Result {
    const { options, rest } = readArgs(args, verb === 'list' ? ['-o', '-t', '-s'] : ['-o', '-V']);
    const [name = '', other = ''] = rest;
    switch (verb) {
      case 'version':
        return { stdout: 'zfs-2.3.2-2~bpo12+2\nzfs-kmod-2.3.2-2~bpo12+2\n' };
      case 'list':
        return this.#list(name);
      case 'get':
        return this.#property(name, other);
      case 'create':
        return this.#create(name, [
          ...(options.get('-o') ?? []),
          ...(options.get('-V') ?? []).map((bytes) => `volsize=${bytes}`),
        ]);
      case 'set':
        return this.#set(rest.slice(0, -1), rest.at(-1) ?? '');
      case 'inherit':
        if (!this.#get(other)) return absent(other);
        this.#get(other)?.properties.delete(name);
        return {};
      case 'destroy':
        return this.#destroy(name, options.has('-r'));
      case 'snapshot':
        return this.#snapshot(name);
      case 'clone':
        return this.#clone(name, other, options.get('-o') ?? []);
      case 'rename':
        return this.#rename(name, other, options.has('-p'));
      case 'rollback':
        return this.#rollback(name);
      default:
        return failed(`unrecognized command '${verb}'`, 2);
    }
  }

  #list(root: string): Result {
    if (!this.#get(root)) return absent(root);
    const names = [root, ...this.#below(root)];
    const made = (name: string) => this.datasets.get(name)?.made ?? 0;
    const rows = names
      .sort((a, b) => made(a) - made(b))
      .map((name) => [name, this.datasets.get(name)?.origin, this.#typeOf(name)]);
    return { stdout: rows.map((row) => `${row.join('\t')}\n`).join('') };
  }

  #typeOf(name: string): string {
    if (name.includes('@')) return 'snapshot';
    return this.datasets.get(name)?.properties.has('volsize') ? 'volume' : 'filesystem';
  }

  #property(property: string, name: string): Result {
    const found = this.#get(name);
    if (!found) return absent(name);
    const sizes = { used: '24576', referenced: '24576', available: '1000000' };
    const native: Record<string, string> = { name, origin: found.origin, ...sizes };
    return { stdout: `${native[property] ?? found.properties.get(property) ?? '-'}\n` };
  }

  #create(name: string, settings: string[]): Result {
    // With -p one that is there already is as good.
    if (this.#get(name)) return {};
    if (!this.#get(rootOf(name))) return failed(`cannot create '${name}': no such pool '${rootOf(name)}'`);
    this.#parents(name);
    const properties = new Map(settings.map((one) => one.split('=') as [string, string]));
    this.#add(name, this.#disks.newDisk('zfs'), '-', properties);
    return {};
  }

  #parents(name: string): void {
    const parent = parentOf(name);
    if (parent !== '' && !this.#get(parent)) this.#create(parent, []);
  }

  #set(settings: string[], name: string): Result {
    const found = this.#get(name);
    if (!found) return absent(name);
    for (const one of settings) found.properties.set(...(one.split('=') as [string, string]));
    for (const one of this.#below(name)) this.#showDevice(one);
    return {};
  }

  #destroy(name: string, all: boolean): Result {
    const [of = '', at] = name.split('@');
    if (!this.#get(of)) return absent(of);
    if (at !== undefined && !this.#get(name))
      return failed('could not find any snapshots to destroy; check snapshot names.');
    const below = this.#below(name);
    if (!all && below.length > 0)
      return failed(
        `cannot destroy '${name}': filesystem has children\nuse '-r' to destroy the following datasets:`,
      );
    if (at !== undefined && this.#get(name)?.disk.mountedOn !== undefined)
      return failed(`cannot destroy snapshot ${name}: dataset is busy`);
    const gone = [...below.reverse(), name];
    const needed = gone.flatMap((one) => this.#clonesOf(one)).find((clone) => !gone.includes(clone));
    if (needed !== undefined)
      return failed(
        name.includes('@')
          ? `cannot destroy '${name}': snapshot has dependent clones`
          : `cannot destroy '${name}': filesystem has dependent clones`,
      );
    for (const one of gone) {
      const result = this.#drop(one);
      if (result.status) return result;
    }
    return {};
  }

  #snapshot(name: string): Result {
    const [of = ''] = name.split('@');
    const found = this.#get(of);
    if (!found) return { ...absent(of), status: 2 };
    if (this.#get(name)) return failed(`cannot create snapshot '${name}': dataset already exists`);
    this.#add(name, this.#disks.cloneDisk(found.disk), '-', sizeOf(found));
    return {};
  }

  #clone(from: string, to: string, settings: string[]): Result {
    const found = this.#get(from);
    if (!found) return absent(from);
    // With -p one that is there already is as good, whatever it is.
    if (this.#get(to)) return {};
    this.#parents(to);
    const own = settings.map((one) => one.split('=') as [string, string]);
    this.#add(to, this.#disks.cloneDisk(found.disk), from, new Map([...sizeOf(found), ...own]));
    return {};
  }

  #rename(from: string, to: string, parents: boolean): Result {
    if (!this.#get(from)) return absent(from);
    if (this.#get(to)) return failed(`cannot rename '${from}': dataset already exists`);
    if (!to.includes('@') && !this.#get(parentOf(to)) && !parents)
      return failed(`cannot create '${to}': parent does not exist`);
    if (!to.includes('@')) this.#parents(to);
    for (const name of [from, ...this.#below(from)]) {
      const found = this.datasets.get(name);
      if (!found) continue;
      const next = `${to}${name.slice(from.length)}`;
      this.datasets.delete(name);
      this.#disks.unplug(name);
      this.#disks.unplug(`/dev/zvol/${name}`);
      this.datasets.set(next, found);
      this.#disks.plug(next, found.disk);
      this.#showDevice(next);
      for (const clone of this.datasets.values()) if (clone.origin === name) clone.origin = next;
    }
    return {};
  }

  #rollback(name: string): Result {
    const [of = ''] = name.split('@');
    const [found, snapshot] = [this.#get(of), this.#get(name)];
    if (!found || !snapshot) return absent(name);
    const later = this.#below(of).some(
      (one) => one.startsWith(`${of}@`) && (this.datasets.get(one)?.made ?? 0) > snapshot.made,
    );
    if (later) return failed(`cannot rollback to '${name}': more recent snapshots or bookmarks exist`);
    this.#disks.refillDisk(found.disk, snapshot.disk);
    for (const [key, value] of sizeOf(snapshot)) found.properties.set(key, value);
    return {};
  }
}
