import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseSize, type Config, type InstanceSpec } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { CgroupSetting, HostCapacity } from './limits.ts';

/** Per second; 0: no limit. */
interface Rates {
  readBytes: number;
  writeBytes: number;
  readOperations: number;
  writeOperations: number;
}

const kinds = ['readBytes', 'writeBytes', 'readOperations', 'writeOperations'] as const;
const files: Readonly<Record<keyof Rates, { v1: string; v2: string; key: string }>> = {
  readBytes: { v1: 'blkio.throttle.read_bps_device', v2: 'rbps', key: 'limits.read' },
  writeBytes: { v1: 'blkio.throttle.write_bps_device', v2: 'wbps', key: 'limits.write' },
  readOperations: { v1: 'blkio.throttle.read_iops_device', v2: 'riops', key: 'limits.read' },
  writeOperations: { v1: 'blkio.throttle.write_iops_device', v2: 'wiops', key: 'limits.write' },
};

/** `30MB` or `100iops`. */
function rate(value: string | undefined): { bytes: number; operations: number } {
  if (!value) return { bytes: 0, operations: 0 };
  if (value.endsWith('iops')) return { bytes: 0, operations: Number(value.slice(0, -'iops'.length)) };
  return { bytes: parseSize(value), operations: 0 };
}

/** `limits.max` stands for both. */
function ratesOf(config: Config): Rates {
  const read = rate(config['limits.max'] || config['limits.read']);
  const write = rate(config['limits.max'] || config['limits.write']);
  return {
    readBytes: read.bytes,
    writeBytes: write.bytes,
    readOperations: read.operations,
    writeOperations: write.operations,
  };
}

/** The kernel limits whole disks: of a partition it is the one that it is on. `254:1` → `254:0`. */
async function wholeDisk(device: string, sysDir: string): Promise<string> {
  const path = await realpath(join(sysDir, 'dev/block', device)).catch(() => undefined);
  if (path === undefined) return device;
  const isPartition = await stat(join(path, 'partition')).catch(() => undefined);
  if (!isPartition) return device;
  return (await readFile(join(dirname(path), 'dev'), 'utf8')).trim();
}

/** `makedev` of Linux. */
const numbers = (device: number): [major: number, minor: number] => {
  const value = BigInt(device);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn);
  const minor = (value & 0xffn) | ((value >> 12n) & ~0xffn);
  return [Number(major), Number(minor)];
};

/** All of a btrfs of which one is known. */
async function btrfsDevices(device: string, sysDir: string): Promise<string[]> {
  const root = join(sysDir, 'fs/btrfs');
  for (const uuid of await readdir(root).catch(() => [])) {
    const names = await readdir(join(root, uuid, 'devices')).catch(() => []);
    const devices = await Promise.all(
      names.map(async (name) => (await readFile(join(root, uuid, 'devices', name, 'dev'), 'utf8')).trim()),
    );
    if (devices.includes(device)) return devices;
  }
  return [device];
}

interface Place {
  host: Pick<Host, 'mounts'>;
  sysDir: string;
}

/** The disks that the files of a path are on, as `MAJOR:MINOR`; none where they are on no disk of this host. */
async function disksOf(path: string, { host, sysDir }: Place): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return [];
  const whole = (devices: readonly string[]) =>
    Promise.all(devices.map((device) => wholeDisk(device, sysDir)));
  if (found.isBlockDevice()) return whole([numbers(found.rdev).join(':')]);
  const [major, minor] = numbers(found.dev);
  if (major !== 0) return whole([`${major}:${minor}`]);
  // Such as btrfs have numbers of their own: what it is mounted from tells.
  const real = await realpath(path);
  const mount = (await host.mounts())
    .filter(({ target }) => target === '/' || real === target || real.startsWith(`${target}/`))
    .reduce<{ target: string; source: string } | undefined>(
      (best, one) => (one.target.length >= (best?.target.length ?? 0) ? one : best),
      undefined,
    );
  const source = mount?.source.startsWith('/') ? await stat(mount.source).catch(() => undefined) : undefined;
  if (!source?.isBlockDevice()) return [];
  return whole(await btrfsDevices(numbers(source.rdev).join(':'), sysDir));
}

export interface DiskLimitsContext extends Place {
  features: Pick<HostCapacity, 'cgroup' | 'cgroupFiles'>;
  /** Where the files of a disk of an instance are. */
  pathOf(spec: InstanceSpec, config: Config): string;
}

/**
 * What the instance's cgroup is told of the disks of the host that its own are on. Where several of its disks are on one,
 * their limits are averaged, as LXD does: the kernel counts all of them together.
 */
export async function diskSettings(spec: InstanceSpec, context: DiskLimitsContext): Promise<CgroupSetting[]> {
  const { cgroup, cgroupFiles } = context.features;
  const wanted = new Map<string, Rates[]>();
  for (const config of Object.values(spec.devices)) {
    if (config['type'] !== 'disk') continue;
    const rates = ratesOf(config);
    if (!kinds.some((kind) => rates[kind] > 0)) continue;
    for (const disk of await disksOf(context.pathOf(spec, config), context))
      wanted.set(disk, [...(wanted.get(disk) ?? []), rates]);
  }
  const settings: CgroupSetting[] = [];
  for (const [device, all] of wanted) {
    const words: string[] = [];
    for (const kind of kinds) {
      const given = all.map((rates) => rates[kind]).filter((value) => value > 0);
      if (given.length === 0) continue;
      const mean = Math.floor(given.reduce((sum, value) => sum + value, 0) / given.length);
      const { v1, v2, key } = files[kind];
      if (cgroup === 'v1') settings.push({ key, device, file: v1, value: `${device} ${mean}` });
      else words.push(`${v2}=${mean}`);
    }
    if (words.length > 0) {
      const others = ['rbps', 'wbps', 'riops', 'wiops'].filter(
        (word) => !words.some((one) => one.startsWith(`${word}=`)),
      );
      const value = [device, ...words, ...others.map((word) => `${word}=max`)].join(' ');
      settings.push({ key: 'limits.max', device, file: 'io.max', value });
    }
  }
  return settings.filter(({ file }) => cgroupFiles.has(file));
}
