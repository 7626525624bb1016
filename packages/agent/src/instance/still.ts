import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { projectPrefixed, type InstanceRef } from '@lxd-ts/core';
import type { AgentContext } from '../context.ts';
import { instancePaths } from './paths.ts';

const thawTimeoutMs = 30_000;

/** Ends what `standStill` began, also one that a crash cut off. */
export async function moveOn({ dir, liblxc, log }: AgentContext, ref: InstanceRef): Promise<void> {
  const { still } = instancePaths(dir, ref);
  const signal = AbortSignal.timeout(thawTimeoutMs);
  try {
    await liblxc.unfreeze(projectPrefixed(ref.project, ref.name), { signal });
  } catch (error) {
    // It has ended meanwhile, or it is told.
    log.warn('an instance that stood still does not go on', { instance: ref.name, error: String(error) });
  }
  await rm(still, { force: true });
}

/** Freezes a running instance for as long as the work takes; it is on this host's disk that it must go on afterwards. */
export async function standStill(
  context: AgentContext,
  ref: InstanceRef,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const { still } = instancePaths(context.dir, ref);
  await mkdir(dirname(still), { recursive: true, mode: 0o711 });
  await writeFile(still, '');
  try {
    await context.liblxc.freeze(projectPrefixed(ref.project, ref.name), { signal });
    await work();
  } finally {
    await moveOn(context, ref);
  }
}
