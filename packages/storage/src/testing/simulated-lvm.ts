import type { ExecResult } from '@lxd-ts/host';
import { failed, readArgs, type SimulatedDisk, type SimulatedDisks } from './simulated-disks.ts';

interface SimulatedVolume {
  size: number;
  tags: string[];
  active: boolean;
  readonly: boolean;
  /** Absent: a thin pool. */
  disk?: SimulatedDisk;
  thin: boolean;
}

interface SimulatedGroup {
  /** The file of the loop device that it is on; undefined: on one that is always there. */
  file: number | undefined;
  tags: string[];
  volumes: Map<string, SimulatedVolume>;
}

type Result = Partial<ExecResult>;
const extent = 4 * 1024 * 1024;
const bytes = (text = '0b'): number => Math.ceil(Number(text.replace(/b$/, '')) / extent) * extent;

/** LVM 2.03.16, as far as the driver asks of it: its output, its words and statuses. */
export class SimulatedLvm {
  readonly #disks: SimulatedDisks;
  readonly #physical = new Map<string, string>();
  readonly groups = new Map<string, SimulatedGroup>();

  constructor(disks: SimulatedDisks) {
    this.#disks = disks;
    const tools: Record<string, (args: readonly string[]) => Result> = {
      lvm: () => ({
        stdout:
          '  LVM version:     2.03.16(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n  Driver version:  4.47.0\n',
      }),
      pvcreate: (args) => this.#pvcreate(args),
      pvremove: (args) => this.#pvremove(args),
      pvs: (args) => this.#pvs(args),
      vgcreate: ([, name = '', device = '']) => this.#vgcreate(name, device),
      vgs: (args) => this.#vgs(args),
      vgchange: (args) => this.#vgchange(args),
      vgremove: (args) => this.#vgremove(args),
      lvs: (args) => this.#lvs(args),
      lvcreate: (args) => this.#lvcreate(args),
      lvrename: ([, group = '', from = '', to = '']) => this.#lvrename(group, from, to),
      lvchange: (args) => this.#lvchange(args),
      lvremove: (args) => this.#lvremove(args),
      lvresize: (args) => this.#lvresize(args),
    };
    for (const [name, tool] of Object.entries(tools)) disks.tool(name, tool);
  }

  /** One that the user has. */
  addGroup(name: string): SimulatedGroup {
    const group: SimulatedGroup = { file: undefined, tags: [], volumes: new Map() };
    this.groups.set(name, group);
    return group;
  }

  addVolume(group: SimulatedGroup, name: string, readonly = false): SimulatedVolume {
    const disk = this.#disks.newDisk('ext4');
    const volume = { size: 10 * 1024 ** 3, tags: [], active: false, readonly, disk, thin: true };
    group.volumes.set(name, volume);
    return volume;
  }

  /** What is on a device that is not there is not seen. */
  #group(name: string): SimulatedGroup | undefined {
    const group = this.groups.get(name);
    return group && (group.file === undefined || this.#disks.isAttached(group.file)) ? group : undefined;
  }

  #volume(path = ''): [SimulatedGroup, string, SimulatedVolume] | Result {
    const [of = '', name = ''] = path.split('/');
    const group = this.#group(of);
    if (!group) return noGroup(of);
    const volume = group.volumes.get(name);
    return volume ? [group, name, volume] : failed(`  Failed to find logical volume "${path}"`, 5);
  }

  #pvcreate(args: readonly string[]): Result {
    const device = args.at(-1) ?? '';
    if (this.#physical.has(device)) return failed(`  Can't initialize physical volume "${device}"`, 5);
    this.#physical.set(device, '');
    return { stdout: `  Physical volume "${device}" successfully created.\n` };
  }

  #pvremove(args: readonly string[]): Result {
    const device = args.at(-1) ?? '';
    if (this.#physical.get(device) !== '') return failed(`  PV ${device} is used by a VG`, 5);
    this.#physical.delete(device);
    return {};
  }

  #pvs(args: readonly string[]): Result {
    const device = args.at(-1) ?? '';
    const found = [...this.groups].find(
      ([, { file }]) => file !== undefined && file === this.#disks.fileOf(device),
    );
    return found ? { stdout: `  ${found[0]}\n` } : failed(`  Failed to find physical volume "${device}".`, 5);
  }

  #vgcreate(name: string, device: string): Result {
    if (this.#group(name)) return failed(`  A volume group called ${name} already exists.`, 5);
    if (this.#physical.get(device) !== '') return failed(`  No device found for ${device}.`, 5);
    this.#physical.set(device, name);
    this.groups.set(name, { file: this.#disks.fileOf(device), tags: [], volumes: new Map() });
    return { stdout: `  Volume group "${name}" successfully created\n` };
  }

  #vgs(args: readonly string[]): Result {
    const { options, rest } = readArgs(args, ['-o', '--reportformat', '--units']);
    const [name = ''] = rest;
    const group = this.#group(name);
    if (!group) return { ...noGroup(name), stdout: report('vg', []) };
    if (options.get('-o')?.[0] === 'pv_name') {
      const on = [...this.#physical].filter(([, of]) => of === name).map(([device]) => device);
      return { stdout: on.map((device) => `  ${device} \n`).join('') };
    }
    const row = { vg_tags: group.tags.join(','), vg_size: String(6 * 1024 ** 3), vg_free: '0' };
    return { stdout: report('vg', [row]) };
  }

  #vgchange(args: readonly string[]): Result {
    const { options, rest } = readArgs(args, ['--addtag', '--deltag', '--activate']);
    const [name = ''] = rest;
    const group = this.#group(name);
    if (!group) return noGroup(name);
    const gone = options.get('--deltag') ?? [];
    const tags = [...group.tags, ...(options.get('--addtag') ?? [])];
    group.tags = [...new Set(tags)].filter((tag) => !gone.includes(tag)).sort();
    if (options.has('--activate'))
      for (const [volume, { disk, ...state }] of group.volumes)
        if (disk?.mountedOn !== undefined) return failed(`  Logical volume ${name}/${volume} in use.`, 5);
        else if (state.active) this.#setActive(name, volume, false);
    return { stdout: `  Volume group "${name}" successfully changed\n` };
  }

  #vgremove(args: readonly string[]): Result {
    const name = args.at(-1) ?? '';
    const group = this.#group(name);
    if (!group) return noGroup(name);
    for (const volume of group.volumes.keys()) {
      const result = this.#lvremove([`${name}/${volume}`]);
      if (result.status) return result;
    }
    this.groups.delete(name);
    for (const [device, of] of this.#physical) if (of === name) this.#physical.set(device, '');
    return { stdout: `  Volume group "${name}" successfully removed\n` };
  }

  #lvs(args: readonly string[]): Result {
    const { rest } = readArgs(args, ['-o', '--reportformat', '--units']);
    const [name = ''] = rest;
    const group = this.#group(name);
    if (!group) return { ...noGroup(name), stdout: report('lv', []) };
    const rows = [...group.volumes].map(([volume, { size, tags, active, readonly, disk, thin }]) => ({
      lv_name: volume,
      lv_size: String(size),
      lv_attr: `${disk ? 'V' : 't'}${readonly ? 'r' : 'w'}i${active ? '-a-' : '---'}tz${thin ? '-k' : '--'}`,
      lv_tags: tags.join(','),
      data_percent: active || !disk ? '12.50' : '',
      vg_extent_size: String(extent),
    }));
    return { stdout: report('lv', rows) };
  }

  #lvcreate(args: readonly string[]): Result {
    const valued = [
      '--name',
      '--addtag',
      '--virtualsize',
      '--size',
      '--thinpool',
      '--extents',
      '--wipesignatures',
    ];
    const { options, rest } = readArgs(args, [...valued, '--poolmetadatasize', '--stripes', '--stripesize']);
    const get = (name: string) => options.get(name)?.[0];
    if (options.has('--extents')) return this.#newThinPool(get('--thinpool') ?? '');
    const [path = ''] = rest;
    const [of = '', origin] = path.split('/');
    const name = get('--name') ?? '';
    const group = this.#group(of);
    if (!group) return noGroup(of);
    if (group.volumes.has(name))
      return failed(`  Logical Volume "${name}" already exists in volume group "${of}"`, 5);
    const tags = options.get('--addtag') ?? [];
    if (options.has('--snapshot')) {
      const source = group.volumes.get(origin ?? '');
      if (!source?.disk) return failed(`  Failed to find logical volume "${path}"`, 5);
      group.volumes.set(name, { ...source, tags, active: false, disk: this.#disks.cloneDisk(source.disk) });
      return { stdout: `  Logical volume "${name}" created.\n` };
    }
    const pool = get('--thinpool');
    if (pool !== undefined && !group.volumes.has(pool))
      return failed(`  Thin pool ${of}/${pool} not found.`, 5);
    const size = bytes(get('--virtualsize') ?? get('--size'));
    const thin = pool !== undefined;
    group.volumes.set(name, {
      size,
      tags,
      active: false,
      readonly: false,
      disk: this.#disks.newDisk(),
      thin,
    });
    this.#setActive(of, name, true);
    return { stdout: `  Logical volume "${name}" created.\n` };
  }

  #newThinPool(path: string): Result {
    const [of = '', name = ''] = path.split('/');
    const group = this.#group(of);
    if (!group) return noGroup(of);
    const size = 5 * 1024 ** 3;
    group.volumes.set(name, { size, tags: [], active: true, readonly: false, thin: false });
    return { stdout: `  Logical volume "${name}" created.\n` };
  }

  #lvrename(of: string, from: string, to: string): Result {
    const found = this.#volume(`${of}/${from}`);
    if (!Array.isArray(found)) return found;
    const [group, , volume] = found;
    if (group.volumes.has(to))
      return failed(`  Logical Volume "${to}" already exists in volume group "${of}"`, 5);
    const { active } = volume;
    if (active) this.#setActive(of, from, false);
    group.volumes.delete(from);
    group.volumes.set(to, volume);
    if (active) this.#setActive(of, to, true);
    return { stdout: `  Renamed "${from}" to "${to}" in volume group "${of}"\n` };
  }

  #setActive(of: string, name: string, active: boolean): void {
    const volume = this.groups.get(of)?.volumes.get(name);
    if (!volume) return;
    volume.active = active;
    if (active && volume.disk) this.#disks.plug(`/dev/${of}/${name}`, volume.disk);
    else this.#disks.unplug(`/dev/${of}/${name}`);
  }

  #lvchange(args: readonly string[]): Result {
    const { options, rest } = readArgs(args, ['--activate']);
    const [path = ''] = rest;
    const found = this.#volume(path);
    if (!Array.isArray(found)) return found;
    const [, name, volume] = found;
    const active = options.get('--activate')?.[0] === 'y';
    if (!active && volume.disk?.mountedOn !== undefined)
      return failed(`  Logical volume ${path} contains a filesystem in use.`, 5);
    this.#setActive(path.split('/')[0] ?? '', name, active);
    return {};
  }

  #lvremove(args: readonly string[]): Result {
    const path = args.at(-1) ?? '';
    const found = this.#volume(path);
    if (!Array.isArray(found)) return found;
    const [group, name, { disk }] = found;
    if (disk?.mountedOn !== undefined)
      return failed(`  Logical volume ${path} contains a filesystem in use.`, 5);
    this.#setActive(path.split('/')[0] ?? '', name, false);
    if (disk) this.#disks.dropDisk(disk);
    group.volumes.delete(name);
    return { stdout: `  Logical volume "${name}" successfully removed\n` };
  }

  #lvresize(args: readonly string[]): Result {
    const { options, rest } = readArgs(args, ['--size']);
    const found = this.#volume(rest[0]);
    if (!Array.isArray(found)) return found;
    const size = bytes(options.get('--size')?.[0]);
    if (size === found[2].size) return failed('  New size given is the same as the current size', 5);
    found[2].size = size;
    return {};
  }
}

const noGroup = (name: string): Result =>
  failed(`  Volume group "${name}" not found\n  Cannot process volume group ${name}`, 5);

const report = (kind: 'lv' | 'vg', rows: Record<string, string>[]): string =>
  `${JSON.stringify({ report: [{ [kind]: rows }] }, null, 4)}\n`;
