import { access, mkdir, readFile, readdir, rmdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { bindCandidates, type HostFeatures } from './instance/lxc-config.ts';

const lxcfsMount = '/var/lib/lxcfs';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const list = (path: string): Promise<string[]> => readdir(path).catch(() => []);

const cgroupRoot = '/sys/fs/cgroup';

/** Names of the files of a cgroup below the root, found by making one. */
async function cgroupFiles(v2: boolean): Promise<ReadonlySet<string>> {
  const hierarchies = v2 ? [cgroupRoot] : (await list(cgroupRoot)).map((name) => join(cgroupRoot, name));
  const names = await Promise.all(
    hierarchies.map(async (hierarchy) => {
      const probe = join(hierarchy, `lxd-ts.probe.${process.pid}`);
      // Who may not make one still sees what the root has.
      const made = await mkdir(probe).then(
        () => true,
        () => false,
      );
      const found = await list(made ? probe : hierarchy);
      if (made) await rmdir(probe);
      return found;
    }),
  );
  return new Set(names.flat());
}

/** Looks once at what the kernel and lxcfs of this host offer; cheap enough for every start of the daemon. */
export async function hostFeatures(): Promise<HostFeatures> {
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => undefined);
  const files = [
    ...(await list(join(lxcfsMount, 'proc'))).map((name) => `proc/${name}`),
    ...((await exists(join(lxcfsMount, 'sys/devices/system/cpu'))) ? ['sys/devices/system/cpu'] : []),
  ];
  const binds = await Promise.all(bindCandidates.map(async (path) => ((await exists(path)) ? [path] : [])));
  const v2 = controllers !== undefined;
  return {
    cgroup: v2 ? 'v2' : 'v1',
    cgroupFiles: await cgroupFiles(v2),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    apparmor: await exists('/sys/kernel/security/apparmor/profiles'),
    lxcfs: { mountPoint: lxcfsMount, files },
    binds: binds.flat(),
  };
}
