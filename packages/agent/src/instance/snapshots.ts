import { rm } from 'node:fs/promises';
import type { InstanceRef, InstanceSpec, PoolSpec } from '@lxd-ts/core';
import type { CallOptions, CopySource } from '@lxd-ts/rpc';
import {
  mirroring,
  snapshotsPath,
  type CopyOptions,
  type StoragePool,
  type VolumeRef,
} from '@lxd-ts/storage';
import { copyImage } from '../block-image.ts';
import { rootPool, type AgentContext } from '../context.ts';
import { link } from './link.ts';
import { instancePaths, volumeOf } from './paths.ts';

const snapshotOf = (ref: InstanceRef, snapshot: string): VolumeRef => ({ ...volumeOf(ref), snapshot });

/** `snapshots/<name>` points into the pool while there are any, as in LXD. */
export async function linkSnapshots(
  { dir }: AgentContext,
  pool: StoragePool,
  ref: InstanceRef,
): Promise<void> {
  const { snapshots: path } = instancePaths(dir, ref);
  const volume = volumeOf(ref);
  if ((await pool.snapshots(volume)).length > 0) await link(path, snapshotsPath(pool.path, volume));
  else await rm(path, { force: true });
}

/** @param still only while it runs */
export async function createSnapshot(
  context: AgentContext,
  spec: InstanceSpec,
  snapshot: string,
  options: CallOptions & Pick<CopyOptions, 'still'>,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  await pool.copyVolume(volumeOf(spec), snapshotOf(spec, snapshot), options);
  await linkSnapshots(context, pool, spec);
}

export async function renameSnapshot(
  context: AgentContext,
  spec: InstanceSpec,
  [from, to]: [string, string],
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  if (await pool.exists(snapshotOf(spec, from)))
    await pool.renameVolume(snapshotOf(spec, from), snapshotOf(spec, to), options);
}

export async function deleteSnapshot(
  context: AgentContext,
  spec: InstanceSpec,
  snapshot: string,
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  await pool.deleteVolume(snapshotOf(spec, snapshot), options);
  await linkSnapshots(context, pool, spec);
}

/** Only those that are known stay. Resolves with the names of those that there are. */
export async function settleSnapshots(
  context: AgentContext,
  spec: InstanceSpec,
  known: readonly string[],
  options: CallOptions,
): Promise<string[]> {
  const pool = await context.pools.open(rootPool(spec), options);
  const names = await pool.snapshots(volumeOf(spec));
  for (const name of names.filter((one) => !known.includes(one)))
    await pool.deleteVolume(snapshotOf(spec, name), options);
  await linkSnapshots(context, pool, spec);
  return names.filter((one) => known.includes(one));
}

export async function restoreSnapshot(
  context: AgentContext,
  spec: InstanceSpec,
  snapshot: string,
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  await pool.replaceVolume(snapshotOf(spec, snapshot), volumeOf(spec), options);
}

/** The same of one of content type `block`. */
async function bringImage(
  { host }: AgentContext,
  [source, from]: [StoragePool, VolumeRef],
  [pool, to]: [StoragePool, VolumeRef],
  { signal }: CopyOptions,
): Promise<void> {
  const bytes = await source.blockSize(from, { signal });
  const copy = async (image: string) => {
    await using use = await source.useVolume(from, { signal, readonly: true });
    if (use.image !== undefined) await copyImage(host, use.image, image, { signal });
  };
  if (!(await pool.exists(to))) return pool.createBlock(to, bytes, copy, { signal });
  if ((await pool.blockSize(to, { signal })) < bytes) await pool.setQuota(to, bytes, { signal });
  await using use = await pool.useVolume(to, { signal });
  if (use.image !== undefined) await copy(use.image);
}

/** Fills a volume from a directory, or brings it up to date. */
async function bring(
  context: AgentContext,
  [source, from]: [StoragePool, VolumeRef],
  [pool, to]: [StoragePool, VolumeRef],
  { still, ...options }: CopyOptions,
): Promise<void> {
  if (to.block) return bringImage(context, [source, from], [pool, to], options);
  const { host } = context;
  const sync = async (directory: string, allowFailure: boolean) => {
    // Opened anew for each round: what has changed meanwhile must be seen.
    await using use = await source.useVolume(from, { signal: options.signal, readonly: true });
    await host.run(mirroring(use.path, directory), { ...options, allowFailure });
  };
  const copy = async (directory: string) => {
    // What is written or goes meanwhile is told by its status, and is put right by the second round.
    if (still) await sync(directory, true);
    if (still) await still(() => sync(directory, false));
    else await sync(directory, false);
  };
  if (!(await pool.exists(to))) return pool.createVolume(to, copy, options);
  await using use = await pool.useVolume(to, options);
  await copy(use.path);
}

/** A volume, and where it is. */
interface PlacedVolume {
  pool: PoolSpec;
  volume: VolumeRef;
}

/** The target becomes what the source, in whatever pool, is, with those of the wanted snapshots that it has not got. */
export async function copyFiles(
  context: AgentContext,
  source: PlacedVolume,
  target: PlacedVolume,
  { snapshot, snapshots = [] }: Pick<CopySource, 'snapshot' | 'snapshots'>,
  { signal, still }: CopyOptions,
): Promise<void> {
  const from = await context.pools.open(source.pool, { signal });
  const to = await context.pools.open(target.pool, { signal });
  const same = source.pool.name === target.pool.name;
  const { volume } = target;
  for (const name of snapshots) {
    const origin = { ...source.volume, snapshot: name };
    const copy = { ...volume, snapshot: name };
    if (await to.exists(copy)) continue;
    if (same) {
      await to.copyVolume(origin, copy, { signal });
      continue;
    }
    // Each is made from the one before it, so that what they share is there once.
    await bring(context, [from, origin], [to, volume], { signal });
    await to.copyVolume(volume, copy, { signal });
  }
  const head = snapshot === undefined ? source.volume : { ...source.volume, snapshot };
  const options: CopyOptions = { signal, ...(still && snapshot === undefined ? { still } : {}) };
  if (!same) await bring(context, [from, head], [to, volume], options);
  else if (await to.exists(volume)) await to.replaceVolume(head, volume, options);
  else await to.copyVolume(head, volume, options);
}

/** The instance's volume becomes what the source is. */
export const copyInstance = (
  context: AgentContext,
  spec: InstanceSpec,
  { source, ...what }: CopySource,
  options: CopyOptions,
): Promise<void> =>
  copyFiles(
    context,
    { pool: rootPool(source), volume: volumeOf(source) },
    { pool: rootPool(spec), volume: volumeOf(spec) },
    what,
    options,
  );
