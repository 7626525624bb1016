import { LxdError } from '@lxd-ts/core';
import type { StorageVolume } from '@lxd-ts/client';
import { apiPath } from '../../base/names.ts';
import type { Shell } from '../../base/shell.ts';
import { sameServer } from '../../remotes/image-source.ts';
import { carryAcross, modes, parseMode, started, type Mode } from '../instance/transfer.ts';
import { parsePlace, volumePath, volumeTarget, type VolumeName } from './volume-name.ts';

export const transferFlags = {
  ...volumeTarget,
  'destination-target': { kind: 'string', value: 'member', help: 'Cluster member for the copy' },
  mode: {
    kind: 'string',
    value: modes.join('|'),
    help: 'Between servers: the target fetches (default), the source sends, or both talk through this command',
  },
} as const;

interface Wanted {
  target: string | undefined;
  destination: string | undefined;
  mode: string | undefined;
  volumeOnly: boolean;
  move: boolean;
  /** A copy that is there is brought up to date. */
  refresh?: boolean;
}

/** Copies or moves a volume, on its server or to another. */
export async function transferVolume(
  shell: Shell,
  [from, to]: [string | undefined, string | undefined],
  { target, destination, mode: asked, volumeOnly, move, refresh = false }: Wanted,
): Promise<void> {
  const [source, text] = await shell.require(from, 'storage volume');
  const [sink, wanted] = await shell.require(to, 'storage volume');
  const mode: Mode = parseMode(asked);
  const { pool, volume } = parsePlace(text);
  const copy = parsePlace(wanted);
  if (move && volume.snapshot !== undefined) throw new LxdError('invalid', 'Snapshots are copied, not moved');
  const path = volumePath(pool, volume);
  const local = await sameServer(source, sink);
  if (move && local && destination === undefined) {
    const body = { name: copy.volume.name, pool: copy.pool };
    await source.change('POST', path, { body, query: { target } });
    return;
  }
  const create = apiPath('storage-pools', copy.pool, 'volumes', 'custom');
  const name = sourceName(volume);
  if (local) {
    const body = {
      name: copy.volume.name,
      type: 'custom',
      source: { type: 'copy', pool, name, volume_only: volumeOnly, ...(refresh ? { refresh } : {}) },
    };
    await sink.change('POST', create, { body, query: { target: destination ?? target } });
  } else {
    if (volume.snapshot !== undefined)
      throw new LxdError('unsupported', 'Only whole volumes are copied between servers');
    const found = await source.client.get<StorageVolume>(path, { query: { target } });
    const { config, description, content_type } = found;
    const body = { name: copy.volume.name, type: 'custom', content_type, config, description };
    await carryAcross({
      source,
      target: sink,
      mode,
      label: 'Transferring storage volume',
      offer: async (there) =>
        started(
          await source.client.change('POST', path, {
            body: {
              name: volume.name,
              migration: true,
              volume_only: volumeOnly,
              ...(there === undefined ? {} : { target: there }),
            },
            query: { target },
          }),
        ),
      receive: async (how) =>
        started(
          await sink.client.change('POST', create, {
            body: {
              ...body,
              source: { type: 'migration', volume_only: volumeOnly, ...(refresh ? { refresh } : {}), ...how },
            },
            query: { target: destination },
          }),
        ),
    });
  }
  if (move) await source.change('DELETE', path, { query: { target } });
}

const sourceName = ({ name, snapshot }: VolumeName): string =>
  snapshot === undefined ? name : `${name}/${snapshot}`;
