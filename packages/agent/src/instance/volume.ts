import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Undo, type InstanceRef, type InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, InstanceSource } from '@lxd-ts/rpc';
import type { StoragePool, VolumeRef } from '@lxd-ts/storage';
import { rootPool, type AgentContext } from '../context.ts';
import { instancePaths } from './paths.ts';

export const volumeOf = (spec: Pick<InstanceSpec, 'project' | 'name'>): VolumeRef => ({
  type: 'container',
  project: spec.project,
  name: spec.name,
});

/** `containers/<name>` points into the pool, as in LXD. */
async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await rm(path, { force: true });
  await symlink(target, path);
}

async function fillFrom(
  context: AgentContext,
  pool: StoragePool,
  spec: InstanceSpec,
  source: InstanceSource,
  options: CallOptions,
): Promise<void> {
  const volume = volumeOf(spec);
  switch (source.type) {
    case 'image':
      return pool.createFromImage(
        volume,
        source.fingerprint,
        (directory, fill) => context.images.unpack(source.fingerprint, directory, fill),
        options,
      );
    case 'none':
      return pool.createVolume(
        volume,
        async (directory) => {
          await mkdir(join(directory, 'rootfs'), { recursive: true });
        },
        options,
      );
    case 'copy': {
      const fromSpec = rootPool(source.source);
      const from = await context.pools.open(fromSpec, options);
      if (fromSpec.name === rootPool(spec).name) {
        return pool.copyVolume(volumeOf(source.source), volume, options);
      }
      const path = from.volumePath(volumeOf(source.source));
      return pool.createVolume(
        volume,
        async (directory, { signal }) => {
          const argv = ['rsync', '-aHAXS', '--numeric-ids', '--delete', `${path}/`, `${directory}/`] as const;
          await context.host.run([...argv], { signal });
        },
        options,
      );
    }
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
  options: CallOptions,
): Promise<void> {
  await using undo = new Undo();
  const pool = await context.pools.open(rootPool(spec), options);
  undo.push(() => pool.deleteVolume(volumeOf(spec), { signal: AbortSignal.timeout(60_000) }));
  await fillFrom(context, pool, spec, source, options);
  const { link: path } = instancePaths(context.dir, spec);
  undo.push(() => rm(path, { force: true }));
  await link(path, pool.volumePath(volumeOf(spec)));
  undo.disarm();
}

export async function deleteVolume(
  context: AgentContext,
  spec: InstanceSpec,
  options: CallOptions,
): Promise<void> {
  const pool = await context.pools.open(rootPool(spec), options);
  await pool.deleteVolume(volumeOf(spec), options);
  await rm(instancePaths(context.dir, spec).link, { force: true });
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
  await rm(instancePaths(context.dir, spec).link, { force: true });
}
