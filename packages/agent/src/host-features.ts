import { access, readFile, readdir } from 'node:fs/promises';
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

/** Looks once at what the kernel and lxcfs of this host offer; cheap enough for every start of the daemon. */
export async function hostFeatures(): Promise<HostFeatures> {
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => undefined);
  const files = [
    ...(await list(join(lxcfsMount, 'proc'))).map((name) => `proc/${name}`),
    ...((await exists(join(lxcfsMount, 'sys/devices/system/cpu'))) ? ['sys/devices/system/cpu'] : []),
  ];
  const binds = await Promise.all(bindCandidates.map(async (path) => ((await exists(path)) ? [path] : [])));
  return {
    cgroup: controllers === undefined ? 'v1' : 'v2',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    apparmor: await exists('/sys/kernel/security/apparmor/profiles'),
    lxcfs: { mountPoint: lxcfsMount, files },
    binds: binds.flat(),
  };
}
