import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@lxd-ts/core';
import type { CgroupSetting, HostCapacity } from './limits.ts';

const file = 'net_prio.ifpriomap';
const key = 'limits.network.priority';

/** The priority of its packets on every interface that the host has now; nothing where the kernel knows none (cgroup v2). */
export async function networkPriority(
  config: Config,
  { cgroupFiles }: Pick<HostCapacity, 'cgroupFiles'>,
  sysDir: string,
): Promise<CgroupSetting[]> {
  const priority = config[key];
  if (!priority || !cgroupFiles.has(file)) return [];
  const names = await readdir(join(sysDir, 'class/net'));
  return names.sort().map((device) => ({ key, file, device, value: `${device} ${priority}` }));
}
