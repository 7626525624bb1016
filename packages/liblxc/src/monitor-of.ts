import { readdir, readFile } from 'node:fs/promises';

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** The process that liblxc names after its container, and those it has started. */
export async function monitorOf(
  lxcpath: string,
  name: string,
): Promise<{ pid: number; children: number[] } | undefined> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  for (const pid of pids) {
    if (!(await read(`/proc/${pid}/cmdline`)).startsWith(`[lxc monitor] ${lxcpath} ${name}\0`)) continue;
    const children = await read(`/proc/${pid}/task/${pid}/children`);
    return { pid: Number(pid), children: children.split(' ').filter(Boolean).map(Number) };
  }
  return undefined;
}
