import { LxdError } from '@lxd-ts/core';
import { apiPath } from '../../base/names.ts';

const types = ['custom', 'container', 'virtual-machine', 'image'];

/** A volume of a pool, or one of its snapshots. */
export interface VolumeName {
  type: string;
  name: string;
  snapshot?: string;
}

export const volumeTarget = { target: { kind: 'string', value: 'member', help: 'Cluster member' } } as const;

/** `[<type>/]<volume>[/<snapshot>]`. @throws LxdError `invalid` */
export function parseVolume(text = ''): VolumeName {
  const parts = text.split('/');
  const type = parts.length > 1 && types.includes(parts[0] ?? '') ? (parts.shift() ?? '') : 'custom';
  const [name = '', snapshot, more] = parts;
  if (name === '' || more !== undefined)
    throw new LxdError('invalid', `Invalid volume name "${text}": use <volume> or <volume>/<snapshot>`);
  return { type, name, ...(snapshot === undefined ? {} : { snapshot }) };
}

export const volumePath = (pool: string, { type, name, snapshot }: VolumeName): string =>
  apiPath(
    'storage-pools',
    pool,
    'volumes',
    type,
    name,
    ...(snapshot === undefined ? [] : ['snapshots', snapshot]),
  );

/** `<pool>/<volume>[/<snapshot>]`. @throws LxdError `invalid` */
export function parsePlace(text: string): { pool: string; volume: VolumeName } {
  const at = text.indexOf('/');
  if (at <= 0) throw new LxdError('invalid', `Invalid volume "${text}": use <pool>/<volume>`);
  return { pool: text.slice(0, at), volume: parseVolume(text.slice(at + 1)) };
}
