import { toLxdError, type InstanceRef } from '@lxd-ts/core';
import type { CallOptions, InstanceDescription } from '@lxd-ts/rpc';
import type { AgentContext } from '../context.ts';
import { eachOf } from '../each-of.ts';
import { blockYaml } from './block-yaml.ts';
import { writeDescription } from './describe.ts';
import { volumeOf } from './paths.ts';

/** Volumes that are no directories take several programs each to be seen. */
const atOnce = 8;

/** Nobody else changes an instance's volume meanwhile. */
interface AtRest {
  atRest<T>(ref: InstanceRef, work: () => Promise<T>): Promise<T>;
}

/** See `Agent.describeInstances`. */
export async function describeAll(
  context: AgentContext,
  instances: AtRest,
  descriptions: readonly InstanceDescription[],
  options: CallOptions,
): Promise<InstanceRef[]> {
  const failed: InstanceRef[] = [];
  const one = async ({ project, name, pool: spec, content }: InstanceDescription) => {
    const ref = { project, name };
    try {
      await instances.atRest(ref, async () => {
        const pool = await context.pools.open(spec, options);
        await using use = await pool.useVolume(volumeOf(ref), { ...options, besideRoot: true });
        await writeDescription(use.path, blockYaml(content));
      });
    } catch (error) {
      if (toLxdError(error).code === 'not-found') return;
      context.log.warn(`the description of ${name} was not written`, { project, error: String(error) });
      failed.push(ref);
    }
  };
  await eachOf(descriptions, atOnce, one);
  return failed;
}
