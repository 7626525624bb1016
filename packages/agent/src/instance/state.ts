import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, InstanceStateReport, NetworkState, ObservedInstance } from '@lxd-ts/rpc';
import { rootPool, type AgentContext } from '../context.ts';
import { interfacesOf } from '../interfaces.ts';
import { cgroupNames } from './cgroups.ts';
import { instancePaths } from './paths.ts';
import { isUp } from './plan.ts';
import { volumeOf } from './paths.ts';

const noMemory = { usage: 0, usagePeak: 0, swapUsage: 0, swapUsagePeak: 0, total: 0 };

/** Controller → directory of the container's own cgroup; `''` is the unified one. */
async function cgroupDirs(pid: number, payload: string): Promise<Map<string, string>> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  const dirs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const at = path.split('/').findIndex((part) => part === payload || part.startsWith(`${payload}-`));
    if (at < 0) continue;
    const own = path
      .split('/')
      .slice(0, at + 1)
      .join('/');
    for (const controller of controllers.split(',')) {
      dirs.set(controller, join('/sys/fs/cgroup', controllers ? controllers.replace(/^name=/, '') : '', own));
    }
  }
  return dirs;
}

const text = (dir: string | undefined, file: string): Promise<string> =>
  dir === undefined ? Promise.resolve('') : readFile(join(dir, file), 'utf8').catch(() => '');

const number = async (dir: string | undefined, file: string): Promise<number> => {
  const value = Number((await text(dir, file)).trim());
  return Number.isFinite(value) ? value : 0;
};

const field = (lines: string, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(lines)?.[1] ?? 0);

type Usage = Pick<InstanceStateReport, 'processes' | 'cpuNanoseconds' | 'memory'>;

async function usageV1(dirs: Map<string, string>, hostMemory: number): Promise<Usage> {
  const memory = dirs.get('memory');
  const [processes, cpuNanoseconds, usage, usagePeak, limit, both, bothPeak] = await Promise.all([
    number(dirs.get('pids'), 'pids.current'),
    number(dirs.get('cpuacct'), 'cpuacct.usage'),
    number(memory, 'memory.usage_in_bytes'),
    number(memory, 'memory.max_usage_in_bytes'),
    number(memory, 'memory.limit_in_bytes'),
    number(memory, 'memory.memsw.usage_in_bytes'),
    number(memory, 'memory.memsw.max_usage_in_bytes'),
  ]);
  return {
    processes,
    cpuNanoseconds,
    memory: {
      usage,
      usagePeak,
      swapUsage: Math.max(0, both - usage),
      swapUsagePeak: Math.max(0, bothPeak - usagePeak),
      total: limit > 0 ? Math.min(limit, hostMemory) : hostMemory,
    },
  };
}

async function usageV2(dir: string | undefined, hostMemory: number): Promise<Usage> {
  const [processes, cpu, usage, usagePeak, swapUsage, max] = await Promise.all([
    number(dir, 'pids.current'),
    text(dir, 'cpu.stat'),
    number(dir, 'memory.current'),
    number(dir, 'memory.peak'),
    number(dir, 'memory.swap.current'),
    number(dir, 'memory.max'),
  ]);
  return {
    processes,
    cpuNanoseconds: field(cpu, 'usage_usec') * 1000,
    memory: {
      usage,
      usagePeak,
      swapUsage,
      swapUsagePeak: 0,
      total: max > 0 ? Math.min(max, hostMemory) : hostMemory,
    },
  };
}

async function disk(
  context: AgentContext,
  spec: InstanceSpec,
  options: CallOptions,
): Promise<InstanceStateReport['disk']> {
  const root = Object.entries(spec.devices).find(([, d]) => d['type'] === 'disk' && d['path'] === '/');
  if (!root) return {};
  const pool = await context.pools.open(rootPool(spec), options);
  const usage = await pool.volumeUsage(volumeOf(spec), options);
  return usage === undefined ? {} : { [root[0]]: { usage, total: 0 } };
}

/** The host side of a NIC is told apart by the MAC address of the inside. */
function withHostNames(
  spec: InstanceSpec,
  links: Record<string, NetworkState>,
): NonNullable<InstanceStateReport['network']> {
  const hostNames = new Map(
    Object.entries(spec.devices).map(([device, config]) => [
      config['hwaddr'] ?? spec.config[`volatile.${device}.hwaddr`],
      spec.config[`volatile.${device}.host_name`] ?? '',
    ]),
  );
  return Object.fromEntries(
    Object.entries(links).map(([name, link]) => [
      name,
      { ...link, hostName: hostNames.get(link.hwaddr) ?? '' },
    ]),
  );
}

/** Read from cgroup and proc files: no process is spawned for it. */
export async function instanceState(
  context: AgentContext,
  spec: InstanceSpec,
  observed: ObservedInstance,
  options: CallOptions,
): Promise<InstanceStateReport> {
  const { status, pid } = observed;
  const { id } = instancePaths(context.dir, spec);
  if (!isUp(observed) || pid === 0) {
    const usage = await disk(context, spec, options);
    return { status, pid: 0, processes: 0, cpuNanoseconds: 0, memory: noMemory, disk: usage, network: null };
  }
  const dirs = await cgroupDirs(pid, cgroupNames(context.dir, id).payload);
  const [usage, disks, network] = await Promise.all([
    context.features.cgroup === 'v2'
      ? usageV2(dirs.get(''), context.features.memoryBytes)
      : usageV1(dirs, context.features.memoryBytes),
    disk(context, spec, options),
    interfacesOf(context.liblxc, pid),
  ]);
  return { status, pid, ...usage, disk: disks, network: withHostNames(spec, network) };
}
