import { LxdError, type Config } from '@lxd-ts/core';

/** The host's id of an id inside, from the map the instance starts with. */
export function shifted(instance: { config: Config }, kind: 'Isuid' | 'Isgid', id: number): number {
  const entries = JSON.parse(instance.config['volatile.idmap.next'] || '[]') as {
    Isuid: boolean;
    Isgid: boolean;
    Hostid: number;
    Nsid: number;
    Maprange: number;
  }[];
  const entry = entries.find((one) => one[kind] && id >= one.Nsid && id < one.Nsid + one.Maprange);
  if (entry) return entry.Hostid + id - entry.Nsid;
  if (entries.length === 0) return id; // privileged
  throw new LxdError(
    'invalid',
    `The ${kind === 'Isuid' ? 'user' : 'group'} ${id} is not in the map of the instance`,
  );
}
