import type { Tree } from './tree.ts';

const kiB = 1024;

const hex = (text: string): number => parseInt(text, 16) || 0;

/** Bytes. Lines are `MemTotal: 5 kB`, or `Node 0 MemTotal: 5 kB`. */
const amount = (text: string, name: string): number =>
  Number(new RegExp(`(?:^|\\s)${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * kiB;
const count = (text: string, name: string): number => amount(text, name) / kiB;

const hugepages = (text: string, size: number) => ({
  hugepages_used: (count(text, 'HugePages_Total') - count(text, 'HugePages_Free')) * size,
  hugepages_total: count(text, 'HugePages_Total') * size,
});

/** What there is and what is used, of the whole and of each NUMA node: LXD's ResourcesMemory. */
export async function memory(tree: Tree): Promise<Record<string, unknown>> {
  const info = await tree.text('proc/meminfo');
  const size = amount(info, 'Hugepagesize');
  const blockBytes = hex(await tree.text('sys/devices/system/memory/block_size_bytes'));
  /** By the blocks of memory that are there: the kernel's own part is in them. */
  const blocks = async (directory: string): Promise<number> => {
    const found = (await tree.list(directory)).filter((name) => /^memory\d+$/.test(name));
    return found.length * blockBytes;
  };
  const names = (await tree.list('sys/devices/system/node')).filter((name) => /^node\d+$/.test(name));
  const nodes = await Promise.all(
    names.map(async (name) => {
      const own = await tree.text('sys/devices/system/node', name, 'meminfo');
      return {
        numa_node: Number(name.slice('node'.length)),
        ...hugepages(own, size),
        used: amount(own, 'MemUsed'),
        total: (await blocks(`sys/devices/system/node/${name}`)) || amount(own, 'MemTotal'),
      };
    }),
  );
  // What can be had at once counts as free.
  const free = amount(info, 'MemAvailable') || amount(info, 'MemFree');
  const total = (await blocks('sys/devices/system/memory')) || amount(info, 'MemTotal');
  return {
    nodes: nodes.length > 0 ? nodes : null,
    ...hugepages(info, size),
    hugepages_size: size,
    used: total - free,
    total,
  };
}
