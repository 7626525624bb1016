import { LxdError } from '@lxd-ts/core';
import type { ShiftedRange } from '@lxd-ts/liblxc';
import type { MigratedSnapshot, wire } from '@lxd-ts/rpc';

const key = 'volatile.last_state.idmap';

/** How the files of the volume are shifted on the other server; none: not at all. */
export const headerRanges = ({ idMap }: Pick<wire.Header, 'idMap'>): ShiftedRange[] =>
  idMap.map(({ users = false, groups = false, outside = 0, inside = 0, length = 0 }) => ({
    users,
    groups,
    outside,
    inside,
    length,
  }));

/** The same of a snapshot, which says so in its configuration. @throws LxdError `invalid` */
export function snapshotRanges({ name, config }: Pick<MigratedSnapshot, 'name' | 'config'>): ShiftedRange[] {
  const text = config[key];
  if (!text) return [];
  try {
    return (JSON.parse(text) as Record<string, unknown>[]).map((entry) => ({
      users: entry['Isuid'] === true,
      groups: entry['Isgid'] === true,
      outside: Number(entry['Hostid']),
      inside: Number(entry['Nsid']),
      length: Number(entry['Maprange']),
    }));
  } catch (error) {
    throw new LxdError('invalid', `"${key}" of snapshot "${name}" is not a list of id ranges`, {
      cause: error,
    });
  }
}

export const unshifted = (snapshot: MigratedSnapshot): MigratedSnapshot => ({
  ...snapshot,
  config: { ...snapshot.config, [key]: '[]' },
});
