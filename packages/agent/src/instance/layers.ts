import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PoolSpec } from '@lxd-ts/core';
import type { CallOptions } from '@lxd-ts/rpc';
import type { Fill, StoragePool, VolumeRef } from '@lxd-ts/storage';
import type { AgentContext } from '../context.ts';

const cleanupMs = 60_000;

const imageVolume = (name: string): VolumeRef => ({ type: 'image', project: 'default', name });
/** A crash's is removed when the pool is mounted, by its name. @param whose where several members are at work */
const partialOf = (whose: string, name: string): VolumeRef => imageVolume(`.partial-layers-${whose}${name}`);
const chainVolume = (chain: string): VolumeRef => imageVolume(`layers-${chain}`);

/** A volume that is another with something done to it; all or nothing. */
async function grow(
  [pool, whose]: readonly [StoragePool, string],
  from: VolumeRef | undefined,
  to: VolumeRef,
  fill: Fill,
  options: CallOptions,
): Promise<void> {
  if (await pool.exists(to)) return;
  const partial = partialOf(whose, to.name);
  await pool.deleteVolume(partial, options);
  try {
    if (from) {
      await pool.copyVolume(from, partial, options);
      await using use = await pool.useVolume(partial, options);
      await fill(use.path, options);
    } else
      await pool.createVolume(
        partial,
        async (directory, filling) => {
          await mkdir(join(directory, 'rootfs'), { mode: 0o755 });
          await fill(directory, filling);
        },
        options,
      );
    await pool.renameVolume(partial, to, options);
  } catch (error) {
    await pool.deleteVolume(partial, { signal: AbortSignal.timeout(cleanupMs) });
    // Another member may have been faster.
    if (whose === '' || !(await pool.exists(to))) throw error;
  }
}

/**
 * Unpacks an image of an OCI registry where the pool makes copies for nothing: what images have in common, from the lowest
 * layer on, is unpacked once. Any other image, or pool: nothing is done.
 */
export async function unpackLayers(
  { images, layers, pools, randomId }: AgentContext,
  pool: StoragePool,
  spec: PoolSpec,
  fingerprint: string,
  options: CallOptions,
): Promise<void> {
  if (!pools.clonesImages(spec) || (await pool.exists(imageVolume(fingerprint)))) return;
  const links = await images.links(fingerprint);
  if (!links) return;
  const own = [pool, pools.isShared(spec) ? `${randomId()}-` : ''] as const;
  await layers.run(pool.path, async () => {
    options.signal.throwIfAborted();
    let below: VolumeRef | undefined;
    for (const { chain, apply } of links) {
      const next = chainVolume(chain);
      await grow(own, below, next, (directory, fill) => apply(join(directory, 'rootfs'), fill), options);
      below = next;
    }
    const finish: Fill = (directory) => images.finish(fingerprint, directory);
    await grow(own, below, imageVolume(fingerprint), finish, options);
  });
}

/** What was unpacked of an image goes, with the layers that no other image on this member has. */
export async function deleteUnpacked(
  { images, layers, pools }: AgentContext,
  spec: PoolSpec,
  fingerprint: string,
  options: CallOptions,
): Promise<void> {
  const pool = await pools.open(spec, options);
  await layers.run(pool.path, async () => {
    await pool.deleteVolume(imageVolume(fingerprint), options);
    // From the top: what is on others goes first.
    for (const chain of (await images.ownChains(fingerprint)).reverse())
      await pool.deleteVolume(chainVolume(chain), options);
  });
}
