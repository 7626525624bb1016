import { LxdError, parseSize, type Config } from '@lxd-ts/core';
import type { LxcItem } from '@lxd-ts/liblxc';

/** What limits are reckoned from. */
export interface HostCapacity {
  cgroup: 'v1' | 'v2';
  cpus: number;
  memoryBytes: number;
}

/** One cgroup file and what belongs in it; undefined: the kernel's own default. */
export interface CgroupSetting {
  file: string;
  value: string;
}

const memoryBytes = (value: string, host: HostCapacity): number =>
  value.endsWith('%') ? Math.floor((host.memoryBytes * Number(value.slice(0, -1))) / 100) : parseSize(value);

/** CPUs for a count: neighbours from a start that the name chooses, so that instances do not crowd the first CPU. */
function cpuSet(value: string, name: string, cpus: number): string {
  if (!/^\d+$/.test(value)) return value;
  const count = Math.min(Number(value), cpus);
  const start = Array.from(name).reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7) % cpus;
  return Array.from({ length: count }, (_, i) => (start + i) % cpus)
    .sort((a, b) => a - b)
    .join(',');
}

function cpuAllowance(value: string, v2: boolean): CgroupSetting[] {
  const percent = /^(\d+)%$/.exec(value);
  if (percent) {
    const shares = Math.max(2, Math.floor((1024 * Number(percent[1])) / 100));
    return [
      v2
        ? { file: 'cpu.weight', value: String(Math.max(1, Number(percent[1]))) }
        : { file: 'cpu.shares', value: String(shares) },
    ];
  }
  const time = /^(\d+)ms\/(\d+)ms$/.exec(value);
  if (!time) {
    throw new LxdError('invalid', `"limits.cpu.allowance" is "${value}"; use 50% or 25ms/100ms`);
  }
  const [quota, period] = [Number(time[1]) * 1000, Number(time[2]) * 1000];
  return v2
    ? [{ file: 'cpu.max', value: `${quota} ${period}` }]
    : [
        { file: 'cpu.cfs_period_us', value: String(period) },
        { file: 'cpu.cfs_quota_us', value: String(quota) },
      ];
}

/** Every cgroup file that the instance's limits ask for. Pure. */
export function cgroupSettings(name: string, config: Config, host: HostCapacity): CgroupSetting[] {
  const v2 = host.cgroup === 'v2';
  const settings: CgroupSetting[] = [];
  const memory = config['limits.memory'];
  if (memory) {
    const value = String(memoryBytes(memory, host));
    const soft = config['limits.memory.enforce'] === 'soft';
    if (soft) settings.push({ file: v2 ? 'memory.high' : 'memory.soft_limit_in_bytes', value });
    else settings.push({ file: v2 ? 'memory.max' : 'memory.limit_in_bytes', value });
  }
  if (config['limits.processes']) settings.push({ file: 'pids.max', value: config['limits.processes'] });
  if (config['limits.cpu']) {
    settings.push({ file: 'cpuset.cpus', value: cpuSet(config['limits.cpu'], name, host.cpus) });
  }
  if (config['limits.cpu.allowance']) settings.push(...cpuAllowance(config['limits.cpu.allowance'], v2));
  return settings;
}

/** What a file holds when no limit is set, to take a limit back while it runs. */
export function cgroupDefault(file: string, host: HostCapacity): string {
  if (file === 'cpuset.cpus') return host.cpus === 1 ? '0' : `0-${host.cpus - 1}`;
  if (file === 'cpu.shares') return '1024';
  if (file === 'cpu.weight') return '100';
  if (file === 'cpu.cfs_period_us') return '100000';
  return host.cgroup === 'v1' && file !== 'pids.max' ? '-1' : 'max';
}

export const cgroupItems = (settings: readonly CgroupSetting[], host: HostCapacity): LxcItem[] =>
  settings.map(({ file, value }) => [`lxc.cgroup${host.cgroup === 'v2' ? '2' : ''}.${file}`, value]);

/** `limits.kernel.nofile` → `lxc.prlimit.nofile`. */
export const kernelLimitItems = (config: Config): LxcItem[] =>
  Object.entries(config)
    .filter(([key, value]) => key.startsWith('limits.kernel.') && value)
    .map(([key, value]) => [`lxc.prlimit.${key.slice('limits.kernel.'.length)}`, value]);
