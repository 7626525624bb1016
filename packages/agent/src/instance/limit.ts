import { parseSize, toLxdError, type InstanceSpec } from '@lxd-ts/core';
import type { CallOptions } from '@lxd-ts/rpc';
import { rootPool, type AgentContext } from '../context.ts';
import { diskSettings } from './disk-limits.ts';
import { cgroupSettings, type CgroupSetting } from './limits.ts';
import { networkPriority } from './network-priority.ts';
import { volumeOf } from './paths.ts';

/** All that an instance's cgroup is to be told by its configuration and disks; its CPUs are the balancer's. */
export async function wantedSettings(context: AgentContext, spec: InstanceSpec): Promise<CgroupSetting[]> {
  const { host, sysDir, features, pools } = context;
  const pathOf = (_: InstanceSpec, { path, pool, source = '' }: Readonly<Record<string, string>>): string => {
    if (path === '/') return pools.handle(rootPool(spec)).volumePath(volumeOf(spec));
    const of = pool ? spec.pools[pool] : undefined;
    return of ? pools.handle(of).volumePath({ type: 'custom', project: spec.project, name: source }) : source;
  };
  const disks = await diskSettings(spec, { host, sysDir, features, pathOf });
  const network = await networkPriority(spec.config, features, sysDir);
  return [...cgroupSettings(spec.config, features), ...disks, ...network];
}

const rootSize = (spec: InstanceSpec): string =>
  Object.values(spec.devices).find(({ type, path }) => type === 'disk' && path === '/')?.['size'] ?? '';

/** Its root disk gets the size that it should have. Where the pool can limit nothing it is only a wish, as in LXD. */
export async function limitRoot(
  context: AgentContext,
  spec: InstanceSpec,
  before: InstanceSpec | undefined,
  options: CallOptions,
): Promise<void> {
  const size = rootSize(spec);
  if (size === (before ? rootSize(before) : '')) return;
  const pool = await context.pools.open(rootPool(spec), options);
  try {
    await pool.setQuota(volumeOf(spec), size ? parseSize(size) : undefined, options);
  } catch (error) {
    if (toLxdError(error).code !== 'unsupported') throw error;
    context.log.debug('a storage pool cannot limit its volumes', { pool: rootPool(spec).name });
  }
}
