import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Undo, type InstanceRef, type InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, InstanceSource } from '@lxd-ts/rpc';
import type { CopyOptions, StoragePool, VolumeRef } from '@lxd-ts/storage';
import { restoreBackup } from '../backup/restore-backup.ts';
import { instanceSubject } from '../backup/subject.ts';
import { rootPool, type AgentContext } from '../context.ts';
import { unpackLayers } from './layers.ts';
import { limitRoot } from './limit.ts';
import { link } from './link.ts';
import { instancePaths, volumeOf } from './paths.ts';
import { copyInstance, linkSnapshots } from './snapshots.ts';

/** `still`: only when it is a copy of one that runs. */
type CreateOptions = CallOptions & Pick<CopyOptions, 'still'>;

/** A root that depends on nothing of this pool. */
type FreshSource = Extract<InstanceSource, { type: 'image' | 'none' }>;

async function fillFresh(
  context: AgentContext,
  pool: StoragePool,
  spec: InstanceSpec,
  volume: VolumeRef,
  source: FreshSource,
  options: CallOptions,
): Promise<void> {
  if (source.type === 'none')
    return pool.createVolume(
      volume,
      async (directory) => {
        await mkdir(join(directory, 'rootfs'), { recursive: true });
      },
      options,
    );
  const { fingerprint } = source;
  await unpackLayers(context, pool, rootPool(spec), fingerprint, options);
  return pool.createFromImage(
    volume,
    fingerprint,
    (directory, fill) => context.images.unpack(fingerprint, directory, fill),
    options,
  );
}

async function fillFrom(
  context: AgentContext,
  pool: StoragePool,
  spec: InstanceSpec,
  source: InstanceSource,
  { still, ...options }: CreateOptions,
): Promise<void> {
  switch (source.type) {
    case 'image':
    case 'none':
      return fillFresh(context, pool, spec, volumeOf(spec), source, options);
    case 'backup':
      return restoreBackup(context, pool, instanceSubject(spec), source, options);
    case 'copy':
      return copyInstance(context, spec, source, { ...options, ...(still ? { still } : {}) });
  }
}

/** Where the instance's files are found under the daemon's directory. */
export const linkVolume = (dir: string, ref: InstanceRef, volume: string): Promise<void> =>
  link(instancePaths(dir, ref).link, volume);

/** The instance's root volume and the link to it; all or nothing. */
export async function createVolume(
  context: AgentContext,
  spec: InstanceSpec,
  source: InstanceSource,
  options: CreateOptions,
): Promise<void> {
  await using undo = new Undo();
  const pool = await context.pools.open(rootPool(spec), options);
  undo.push(() => pool.deleteVolume(volumeOf(spec), { signal: AbortSignal.timeout(60_000) }));
  await fillFrom(context, pool, spec, source, options);
  await limitRoot(context, spec, undefined, options);
  const { link: path } = instancePaths(context.dir, spec);
  undo.push(() => rm(path, { force: true }));
  await link(path, pool.volumePath(volumeOf(spec)));
  await linkSnapshots(context, pool, spec);
  undo.disarm();
}

/** Another root in the place of the one that is there, at one moment. */
export async function rebuildVolume(
  context: AgentContext,
  spec: InstanceSpec,
  source: FreshSource,
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  // A crash's is removed when the pool is mounted, by its name.
  const name = `.partial-copy-${context.randomId()}`;
  const fresh: VolumeRef = { type: 'container', project: 'default', name };
  try {
    await fillFresh(context, pool, spec, fresh, source, options);
    await pool.replaceVolume(fresh, volumeOf(spec), options);
  } finally {
    await pool.deleteVolume(fresh, { signal: AbortSignal.timeout(60_000) });
  }
  await limitRoot(context, spec, undefined, options);
}

export async function deleteVolume(
  context: AgentContext,
  spec: InstanceSpec,
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  await pool.deleteVolume(volumeOf(spec), options);
  const { link: path, snapshots } = instancePaths(context.dir, spec);
  for (const one of [path, snapshots]) await rm(one, { force: true });
}

export async function renameVolume(
  context: AgentContext,
  spec: InstanceSpec,
  newName: string,
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  const renamed = { project: spec.project, name: newName };
  if (await pool.exists(volumeOf(spec))) await pool.renameVolume(volumeOf(spec), volumeOf(renamed), options);
  await link(instancePaths(context.dir, renamed).link, pool.volumePath(volumeOf(renamed)));
  await linkSnapshots(context, pool, renamed);
  const { link: path, snapshots } = instancePaths(context.dir, spec);
  for (const one of [path, snapshots]) await rm(one, { force: true });
}
