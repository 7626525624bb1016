import { createHash } from 'node:crypto';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface CgroupNames {
  monitor: string;
  payload: string;
  /** Where monitors of this daemon go to die. */
  pivot: string;
}

/** Several daemons may run instances of the same name on one host; their cgroups must differ. */
export function cgroupNames(dir: string, id: string): CgroupNames {
  const tag = createHash('sha256').update(dir).digest('hex').slice(0, 8);
  return {
    monitor: `lxd-ts.monitor.${tag}.${id}`,
    payload: `lxd-ts.payload.${tag}.${id}`,
    pivot: `lxd-ts.pivot.${tag}`,
  };
}

/** Children first. One that holds a process stays, and so do those above it. */
async function removeTree(path: string): Promise<void> {
  const inside = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of inside) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path).catch(() => undefined);
}

/**
 * Removes cgroups of these names that are empty, in every hierarchy: a monitor that was killed leaves its own behind, and
 * liblxc starts nothing in a cgroup that is there.
 */
export async function removeCgroups(
  names: readonly string[],
  options: { root: string } = { root: '/sys/fs/cgroup' },
): Promise<void> {
  const entries = await readdir(options.root, { withFileTypes: true }).catch(() => []);
  const hierarchies = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const all = ['.', ...hierarchies].flatMap((hierarchy) =>
    names.map((name) => join(options.root, hierarchy, name)),
  );
  await Promise.all(all.map((path) => removeTree(path)));
}
