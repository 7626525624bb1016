import { readFile, readlink } from 'node:fs/promises';
import { monitorOf } from './monitor-of.ts';

/** Empty: the process is over, whoever has yet to be told. */
async function pidNamespace(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  if (stat.slice(stat.lastIndexOf(')')).startsWith(') Z')) return '';
  return readlink(`/proc/${pid}/ns/pid`).catch(() => '');
}

/**
 * Whether a monitor that does not answer is only on its way out: its init is gone, and it runs what it has to run at the end
 * (AppArmor's parser takes seconds on a slow machine). One that is gone itself is, too.
 */
export async function isEnding(lxcpath: string, name: string): Promise<boolean> {
  const monitor = await monitorOf(lxcpath, name);
  if (!monitor) return true;
  const own = await pidNamespace(monitor.pid);
  const others = await Promise.all(monitor.children.map(pidNamespace));
  return others.every((one) => one === '' || one === own);
}
