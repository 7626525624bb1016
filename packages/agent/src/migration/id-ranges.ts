import { LxdError } from '@lxd-ts/core';
import type { ShiftedRange } from '@lxd-ts/liblxc';
import type { MigratedSnapshot, wire } from '@lxd-ts/rpc';

/** Where instances say how the files of a state of theirs are shifted. */
const instanceKey = 'volatile.last_state.idmap';
/** The same of custom volumes. */
export const volumeKey = 'volatile.idmap.last';

/** How the files of the volume are shifted on the other server; none: not at all. */
export const headerRanges = ({ idMap }: Pick<wire.Header, 'idMap'>): ShiftedRange[] =>
  idMap.map(({ users = false, groups = false, outside = 0, inside = 0, length = 0 }) => ({
    users,
    groups,
    outside,
    inside,
    length,
  }));

/** As LXD writes it: a list in JSON. @throws LxdError `invalid` */
export function rangesOf(text: string | undefined, what: string): ShiftedRange[] {
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
    throw new LxdError('invalid', `${what} is not a list of id ranges`, { cause: error });
  }
}

/** The same of a snapshot, which says so in its configuration. @throws LxdError `invalid` */
export const snapshotRanges = (
  { name, config }: Pick<MigratedSnapshot, 'name' | 'config'>,
  key = instanceKey,
): ShiftedRange[] => rangesOf(config[key], `"${key}" of snapshot "${name}"`);

export const unshifted = (snapshot: MigratedSnapshot, key = instanceKey): MigratedSnapshot => ({
  ...snapshot,
  config: { ...snapshot.config, [key]: '[]' },
});
