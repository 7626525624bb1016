import { isFalse, LxdError, parseSize, toLxdError, type Config } from '@lxd-ts/core';
import type { LxcItem } from '@lxd-ts/liblxc';

/** What limits are reckoned from. */
export interface HostCapacity {
  cgroup: 'v1' | 'v2';
  cpus: number;
  memoryBytes: number;
  /** Names of the files that a cgroup of an instance has here. */
  cgroupFiles: ReadonlySet<string>;
}

/** One cgroup file and what belongs in it. */
export interface CgroupSetting {
  file: string;
  value: string;
  /** The configuration key that it comes from. */
  key: string;
  /** Where a file has a line for each: which one, as it begins the value (`7:0`). */
  device?: string;
}

/** Two settings of the same one replace each other. */
const idOf = ({ file, device = '' }: CgroupSetting): string => `${file} ${device}`;

const memoryBytes = (value: string, host: HostCapacity): number =>
  value.endsWith('%') ? Math.floor((host.memoryBytes * Number(value.slice(0, -1))) / 100) : parseSize(value);

function memory(config: Config, host: HostCapacity): CgroupSetting[] {
  const v2 = host.cgroup === 'v2';
  const settings: CgroupSetting[] = [];
  const swaps = !isFalse(config['limits.memory.swap']);
  const limit = config['limits.memory'];
  if (limit) {
    const bytes = memoryBytes(limit, host);
    const value = String(bytes);
    const key = 'limits.memory';
    if (config['limits.memory.enforce'] === 'soft')
      settings.push({ key, file: v2 ? 'memory.high' : 'memory.soft_limit_in_bytes', value });
    else if (v2) settings.push({ key, file: 'memory.max', value });
    else {
      settings.push({ key, file: 'memory.limit_in_bytes', value });
      // Swap is part of what it may have.
      if (swaps) settings.push({ key, file: memoryAndSwap, value });
      // What is above it goes first when the host runs out.
      settings.push({ key, file: 'memory.soft_limit_in_bytes', value: String(Math.floor(bytes * 0.9)) });
    }
  }
  if (!swaps)
    settings.push({
      key: 'limits.memory.swap',
      file: v2 ? 'memory.swap.max' : 'memory.swappiness',
      value: '0',
    });
  else if (!v2 && config['limits.memory.swap.priority'])
    settings.push({
      key: 'limits.memory.swap.priority',
      file: 'memory.swappiness',
      // The highest priority is what everybody has: 60.
      value: String(70 - Number(config['limits.memory.swap.priority'])),
    });
  return settings;
}

const highestPriority = 10;

function cpuTime(config: Config, v2: boolean): CgroupSetting[] {
  const [allowance, priority] = [config['limits.cpu.allowance'], config['limits.cpu.priority']];
  if (!allowance && !priority) return [];
  const percent = /^(\d+)%$/.exec(allowance ?? '100%')?.[1];
  const time = /^(\d+)(?:ms)?\/(\d+)(?:ms)?$/.exec(allowance ?? '');
  if (allowance && percent === undefined && !time)
    throw new LxdError('invalid', `"limits.cpu.allowance" is "${allowance}"; use 50% or 25ms/100ms`);
  const key = allowance ? 'limits.cpu.allowance' : 'limits.cpu.priority';
  const whole = v2 ? 100 : 1024;
  const share = Math.floor((whole * Number(percent ?? 100)) / 100);
  const least = v2 ? 1 : 2;
  // The share counts; the priority decides between those that have the same.
  const shares = String(Math.max(least, share - (highestPriority - Number(priority ?? highestPriority))));
  const settings = [{ key, file: v2 ? 'cpu.weight' : 'cpu.shares', value: shares }];
  if (!time) return settings;
  const [quota, period] = [Number(time[1]) * 1000, Number(time[2]) * 1000];
  return [
    ...settings,
    ...(v2
      ? [{ key, file: 'cpu.max', value: `${quota} ${period}` }]
      : [
          { key, file: 'cpu.cfs_period_us', value: String(period) },
          { key, file: 'cpu.cfs_quota_us', value: String(quota) },
        ]),
  ];
}

const weightFiles = ['blkio.weight', 'blkio.bfq.weight', 'io.weight', 'io.bfq.weight'];

/** @throws LxdError `internal` where the kernel has no such thing, worded as LXD does */
function diskPriority(priority: string | undefined, { cgroupFiles }: HostCapacity): CgroupSetting[] {
  if (!priority) return [];
  const file = weightFiles.find((name) => cgroupFiles.has(name));
  if (file === undefined)
    throw new LxdError(
      'internal',
      'Cannot apply limits.disk.priority as blkio.weight cgroup controller is missing',
    );
  return [{ key: 'limits.disk.priority', file, value: String(Math.max(10, Number(priority) * 100)) }];
}

const hugepages = ['64KB', '1MB', '2MB', '1GB'];

/**
 * Every cgroup file that the instance's limits ask for, but for those of its CPUs and disks, which depend on others. What
 * this kernel has no file for is left out. Pure.
 */
export function cgroupSettings(config: Config, host: HostCapacity): CgroupSetting[] {
  const v2 = host.cgroup === 'v2';
  const settings = [...memory(config, host)];
  const processes = config['limits.processes'];
  if (processes)
    settings.push({
      key: 'limits.processes',
      file: 'pids.max',
      value: Number(processes) < 0 ? 'max' : processes,
    });
  settings.push(...cpuTime(config, v2), ...diskPriority(config['limits.disk.priority'], host));
  for (const size of hugepages) {
    const key = `limits.hugepages.${size}`;
    const limit = config[key];
    if (limit)
      settings.push({
        key,
        file: `hugetlb.${size}.${v2 ? 'max' : 'limit_in_bytes'}`,
        value: String(parseSize(limit)),
      });
  }
  return settings.filter(({ file }) => host.cgroupFiles.has(file));
}

/** What a file holds when no limit is set, to take a limit back while it runs. */
export function cgroupDefault({ file, device }: Pick<CgroupSetting, 'file' | 'device'>): string {
  if (device !== undefined)
    return file === 'io.max' ? `${device} rbps=max wbps=max riops=max wiops=max` : `${device} 0`;
  if (file === 'cpu.shares') return '1024';
  if (weightFiles.includes(file) || file === 'cpu.weight') return '100';
  if (file === 'cpu.cfs_period_us') return '100000';
  if (file === 'memory.swappiness') return '60';
  return file.endsWith('_in_bytes') || file === 'cpu.cfs_quota_us' ? '-1' : 'max';
}

export const cgroupItems = (
  settings: readonly Pick<CgroupSetting, 'file' | 'value'>[],
  host: Pick<HostCapacity, 'cgroup'>,
): LxcItem[] =>
  settings.map(({ file, value }) => [`lxc.cgroup${host.cgroup === 'v2' ? '2' : ''}.${file}`, value]);

/** `limits.kernel.nofile` → `lxc.prlimit.nofile`, `linux.sysctl.net.ipv4.ip_forward` → `lxc.sysctl.net.ipv4.ip_forward`. */
export const kernelItems = (config: Config): LxcItem[] =>
  Object.entries(config).flatMap(([key, value]): LxcItem[] => {
    if (!value) return [];
    if (key.startsWith('limits.kernel.'))
      return [[`lxc.prlimit.${key.slice('limits.kernel.'.length)}`, value]];
    if (key.startsWith('linux.sysctl.')) return [[`lxc.sysctl.${key.slice('linux.sysctl.'.length)}`, value]];
    return [];
  });

const memoryAndSwap = 'memory.memsw.limit_in_bytes';

interface CgroupWriter {
  cgroupSet(id: string, file: string, value: string): void;
}

/**
 * Brings a running instance from one set of limits to another; a failure puts back what was changed.
 * @param all also what seems not to have changed
 * @throws LxdError `internal`, naming the key
 */
export function applySettings(
  writer: CgroupWriter,
  id: string,
  [before, after]: readonly [readonly CgroupSetting[], readonly CgroupSetting[]],
  all = false,
): void {
  const old = new Map(before.map((one) => [idOf(one), one.value]));
  const kept = new Set(after.map(idOf));
  const changes = before
    .filter((one) => !kept.has(idOf(one)))
    .map((one) => ({ ...one, value: cgroupDefault(one) }))
    // Memory can be limited no higher than memory and swap together: that one goes first, and comes last.
    .sort((a, b) => Number(b.file === memoryAndSwap) - Number(a.file === memoryAndSwap));
  for (const setting of after) {
    if (!all && old.get(idOf(setting)) === setting.value) continue;
    if (setting.file === 'memory.limit_in_bytes' && old.has(`${memoryAndSwap} `))
      changes.unshift({ ...setting, file: memoryAndSwap, value: '-1' });
    changes.push(setting);
  }
  const done: CgroupSetting[] = [];
  try {
    for (const change of changes) {
      writer.cgroupSet(id, change.file, change.value);
      done.push(change);
    }
  } catch (error) {
    for (const change of done.reverse()) {
      try {
        writer.cgroupSet(id, change.file, old.get(idOf(change)) ?? cgroupDefault(change));
      } catch {
        // What it had is no longer to be had; the next change or start sets it.
      }
    }
    const { key = '' } = changes[done.length] ?? {};
    throw new LxdError('internal', `Failed to apply "${key}": ${toLxdError(error).message}`, {
      cause: error,
    });
  }
}
