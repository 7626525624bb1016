import { cpus, machine } from 'node:os';
import { parseCpuList } from '../instance/cpus.ts';
import { filled, type Tree } from './tree.ts';

const cpuDir = ['sys/devices/system/cpu'];
const kHz = 1000;

/** `32K` → bytes. */
const cacheBytes = (text: string): number => {
  const [, digits = '0', unit = ''] = /^(\d+)([KMG]?)/.exec(text) ?? [];
  return Number(digits) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit);
};

interface Thread {
  id: number;
  socket: number;
  die: number;
  core: number;
  numa_node: number;
  online: boolean;
  isolated: boolean;
  /** MHz. */
  frequency: number;
}

async function numaNodes(tree: Tree): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const name of await tree.list('sys/devices/system/node')) {
    const node = /^node(\d+)$/.exec(name)?.[1];
    if (node === undefined) continue;
    for (const cpu of parseCpuList(await tree.text('sys/devices/system/node', name, 'cpulist')))
      found.set(cpu, Number(node));
  }
  return found;
}

async function caches(tree: Tree, cpu: string): Promise<unknown[]> {
  const names = (await tree.list(...cpuDir, cpu, 'cache')).filter((name) => name.startsWith('index'));
  return Promise.all(
    names.map(async (name) => {
      const read = (file: string) => tree.text(...cpuDir, cpu, 'cache', name, file);
      return {
        level: Number(await read('level')),
        type: await read('type'),
        size: cacheBytes(await read('size')),
      };
    }),
  );
}

const grouped = <T>(all: readonly T[], key: (one: T) => number): [number, T[]][] =>
  [...Map.groupBy(all, key)].sort(([a], [b]) => a - b);

/** Sockets, their cores and threads, as LXD's ResourcesCPU. */
export async function processors(tree: Tree): Promise<Record<string, unknown>> {
  const names = (await tree.list(...cpuDir)).filter((name) => /^cpu\d+$/.test(name));
  const [isolated, nodes] = [parseCpuList(await tree.text(...cpuDir, 'isolated')), await numaNodes(tree)];
  const threads = await Promise.all(
    names.map(async (name): Promise<Thread> => {
      const id = Number(name.slice('cpu'.length));
      const topology = (file: string) => tree.number([...cpuDir, name, 'topology', file], 0);
      return {
        id,
        socket: Math.max(0, await topology('physical_package_id')),
        die: Math.max(0, await topology('die_id')),
        core: await topology('core_id'),
        numa_node: nodes.get(id) ?? 0,
        // The first one can often not be taken away, and has no such file.
        online: (await tree.text(...cpuDir, name, 'online')) !== '0',
        isolated: isolated.includes(id),
        frequency: Math.round((await tree.number([...cpuDir, name, 'cpufreq/scaling_cur_freq'])) / kHz),
      };
    }),
  );
  const info = await tree.text('proc/cpuinfo');
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(info)?.[1] ?? '';
  const sockets = await Promise.all(
    grouped(threads, ({ socket }) => socket).map(async ([socket, own]) => {
      const first = `cpu${own[0]?.id ?? 0}`;
      const frequency = async (file: string) =>
        Math.round((await tree.number([...cpuDir, first, 'cpufreq', file])) / kHz);
      const known = own.map((thread) => thread.frequency).filter((value) => value > 0);
      const mean = known.length > 0 ? Math.round(known.reduce((sum, one) => sum + one, 0) / known.length) : 0;
      return {
        ...filled({
          name: field('model name') || (cpus()[0]?.model ?? ''),
          vendor: field('vendor_id'),
          frequency: mean,
          frequency_minimum: await frequency('cpuinfo_min_freq'),
          frequency_turbo: await frequency('cpuinfo_max_freq'),
        }),
        socket,
        cache: await caches(tree, first),
        cores: grouped(own, ({ die, core }) => die * 65_536 + core).map(([, inCore]) => ({
          ...filled({ frequency: inCore[0]?.frequency ?? 0 }),
          core: inCore[0]?.core ?? 0,
          die: inCore[0]?.die ?? 0,
          threads: inCore.map(({ id, numa_node, online, isolated: alone }, thread) => ({
            id,
            numa_node,
            thread,
            online,
            isolated: alone,
          })),
        })),
      };
    }),
  );
  return { architecture: machine(), sockets, total: threads.length };
}
