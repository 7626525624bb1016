import type { InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, ShiftedFiles } from '@lxd-ts/rpc';
import { rootPool, type AgentContext } from '../context.ts';
import { volumeOf } from '../instance/paths.ts';
import { linkSnapshots } from '../instance/snapshots.ts';
import { linkVolume } from '../instance/volume.ts';
import { rangesOf } from '../migration/id-ranges.ts';
import { hasSubvolumes } from '../migration/places.ts';
import { setReadonly } from '../migration/subvolumes.ts';

/** See `Agent.adoptInstance`. Cut off, the same call goes on with it: ids that are those inside already stay. */
export async function adoptInstance(
  context: AgentContext,
  spec: InstanceSpec,
  shifted: readonly ShiftedFiles[],
  { signal }: CallOptions,
): Promise<void> {
  const { host, liblxc } = context;
  const poolSpec = rootPool(spec);
  const pool = await context.pools.open(poolSpec, { signal });
  const volume = volumeOf(spec);
  for (const { snapshot, idmap } of shifted) {
    const ranges = rangesOf(idmap, '"volatile.last_state.idmap"');
    if (ranges.length === 0) continue;
    const of = snapshot === undefined ? volume : { ...volume, snapshot };
    await using use = await pool.useVolume(of, { signal });
    const { path } = use;
    const sealed = snapshot !== undefined && hasSubvolumes(poolSpec);
    if (sealed) await setReadonly(host, path, false, { signal });
    await liblxc.shiftOwners(path, ranges, { signal });
    if (sealed) await setReadonly(host, path, true, { signal });
  }
  await linkVolume(context.dir, spec, pool.volumePath(volume));
  await linkSnapshots(context, pool, spec);
}
