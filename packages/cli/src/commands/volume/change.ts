import { LxdError } from '@lxd-ts/core';
import { update } from '../../base/entity.ts';
import type { Shell } from '../../base/shell.ts';
import { parseVolume, volumePath } from './volume-name.ts';

/** Sets these keys; an empty value unsets one. */
export async function changeVolume(
  shell: Shell,
  [arg, text]: [string | undefined, string | undefined],
  settings: Readonly<Record<string, string>>,
  target: string | undefined,
): Promise<undefined> {
  const [context, pool] = await shell.require(arg, 'storage pool');
  const volume = parseVolume(text);
  if (volume.snapshot !== undefined)
    throw new LxdError('invalid', "Snapshots are read-only and can't have their configuration changed");
  const path = volumePath(pool, volume);
  const change = ({ config }: { config: Record<string, string> }) => void Object.assign(config, settings);
  await update(context, path, ['config', 'description'], change, { target });
  return undefined;
}
