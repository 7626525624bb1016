import { createHash } from 'node:crypto';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** A monitor that goes is in the pivot until it has ended, which takes moments. */
const pivotPatience = { tries: 100, againMs: 20 };

/** Children first. One that holds a process stays, and so do those above it. Tells whether it is gone. */
async function removeTree(path: string): Promise<boolean> {
  const inside = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of inside) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  return rmdir(path).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
  );
}

/**
 * Removes cgroups of these names that are empty, in every hierarchy: a monitor that was killed leaves its own behind, and
 * liblxc starts nothing in a cgroup that is there.
 * @returns whether none of them is left
 */
export async function removeCgroups(
  names: readonly string[],
  options: { root: string } = { root: '/sys/fs/cgroup' },
): Promise<boolean> {
  const entries = await readdir(options.root, { withFileTypes: true }).catch(() => []);
  const hierarchies = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const all = ['.', ...hierarchies].flatMap((hierarchy) =>
    names.map((name) => join(options.root, hierarchy, name)),
  );
  return (await Promise.all(all.map((path) => removeTree(path)))).every(Boolean);
}

/**
 * Removes the pivot after the last monitor, which may still be in it although its instance has stopped.
 * @param isUsed whether another's monitor is there: it may be about to enter, and who stops that one removes the pivot
 */
export async function removePivot(
  pivot: string,
  isUsed: () => boolean,
  options?: { root: string },
): Promise<void> {
  for (let tries = 0; tries < pivotPatience.tries && !isUsed(); tries++) {
    if (await removeCgroups([pivot], options)) return;
    await sleep(pivotPatience.againMs);
  }
}
