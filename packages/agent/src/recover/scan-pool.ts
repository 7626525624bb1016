import { join } from 'node:path';
import type { PoolSpec } from '@lxd-ts/core';
import type { CallOptions, FoundVolume } from '@lxd-ts/rpc';
import type { StoragePool, VolumeRef } from '@lxd-ts/storage';
import { parse } from 'yaml';
import type { AgentContext } from '../context.ts';
import { readDescription } from '../instance/describe.ts';

const maxAliases = 100;

async function describe(directory: string): Promise<Pick<FoundVolume, 'description' | 'problem'>> {
  const file = join(directory, 'backup.yaml');
  const text = await readDescription(directory);
  if (text === undefined)
    return { problem: `Failed parsing backup file "${file}": open ${file}: no such file or directory` };
  try {
    return { description: parse(text, { maxAliasCount: maxAliases }) as unknown };
  } catch (error) {
    return { problem: `Failed parsing backup file "${file}": ${String(error)}` };
  }
}

async function found(pool: StoragePool, volume: VolumeRef, { signal }: CallOptions): Promise<FoundVolume> {
  const { project, name } = volume;
  const snapshots = (await pool.snapshots(volume)).sort();
  const own = { project, name, snapshots };
  if (volume.type !== 'container')
    return { type: 'custom', ...own, ...(volume.block ? { block: true } : {}) };
  await using use = await pool.useVolume(volume, { signal, readonly: true, besideRoot: true });
  return { type: 'container', ...own, ...(await describe(use.path)) };
}

/** See `Agent.scanPool`. */
export function scanPool(
  { pools }: AgentContext,
  spec: PoolSpec,
  options: CallOptions,
): Promise<FoundVolume[]> {
  return pools.look(spec, options, async (pool) => {
    const all: FoundVolume[] = [];
    for (const type of ['custom', 'container'] as const) {
      const volumes = await pool.volumes(type);
      volumes.sort((a, b) => (a.project + a.name < b.project + b.name ? -1 : 1));
      for (const volume of volumes) all.push(await found(pool, volume, options));
    }
    return all;
  });
}
