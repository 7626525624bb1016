import { LxdError } from '@lxd-ts/core';
import type { Shell } from '../../base/shell.ts';
import { apiPath } from '../../base/names.ts';
import { parsePlace, volumePath } from './volume-name.ts';

/** Copies or moves a volume on one server. */
export async function transferVolume(
  shell: Shell,
  [from, to]: [string | undefined, string | undefined],
  flags: { target: string | undefined; volumeOnly: boolean; move: boolean },
): Promise<void> {
  const [context, text] = await shell.require(from, 'storage volume');
  const [other, wanted] = await shell.require(to, 'storage volume');
  if (context.remote !== other.remote)
    throw new LxdError('unsupported', 'Volumes are copied within one server only');
  const [source, target] = [parsePlace(text), parsePlace(wanted)];
  const { name, snapshot } = source.volume;
  const query = { target: flags.target };
  if (flags.move) {
    if (snapshot !== undefined) throw new LxdError('invalid', 'Snapshots are copied, not moved');
    const body = { name: target.volume.name, pool: target.pool };
    await context.change('POST', volumePath(source.pool, source.volume), { body, query });
    return;
  }
  await context.change('POST', apiPath('storage-pools', target.pool, 'volumes', 'custom'), {
    body: {
      name: target.volume.name,
      type: 'custom',
      source: {
        type: 'copy',
        pool: source.pool,
        name: snapshot === undefined ? name : `${name}/${snapshot}`,
        volume_only: flags.volumeOnly,
      },
    },
    query,
  });
}
